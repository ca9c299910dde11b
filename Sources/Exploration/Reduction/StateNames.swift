// Names that states share with all that differ from them only by an exchange of identical CPUs.

import GracewalkSupport

/// What a search knows a state by.
struct StateName: BitwiseCopyable {
  var key: UInt64
  /// Exchanging the CPUs in this way leads from the state to the one that has the key itself.
  var permutation: Int16 = 0
  /// How many states share the name.
  var stateCount = 1
}

/// Names states by the least key that any exchange of CPUs gives them, and translates steps.
///
/// This is the symmetry reduction of Emerson and Sistla ("Symmetry and model checking", FMSD 1996)
/// and Ip and Dill ("Better verification through symmetry", FMSD 1996). Where several permutations
/// lead to the least key, they differ by one that leaves the state as it is, and so maps what can
/// run below the state onto itself: any of them will do.
final class StateNames {
  private let system: TransitionSystem
  private let summaries: SummaryTable
  private let permutationCount: Int
  /// False if identical CPUs turned out not to be so before the first step.
  private let canBegin: Bool
  let keys = GrowableBuffer<UInt64>()
  /// Per step and permutation the number of the step's image, or -1 where nobody has asked.
  private let images = GrowableBuffer<Int32>()
  private let footprint = Footprint()
  /// Steps of a row that is being translated.
  let steps = GrowableBuffer<Int>()

  /// - Parameter system: in its initial state: keys of exchanged CPUs are kept up to date from the
  ///   start on, whether or not anybody asks for the names of the first states.
  init(_ system: TransitionSystem, _ summaries: SummaryTable) {
    self.system = system
    self.summaries = summaries
    permutationCount = system.permutationCount
    canBegin = system.permutedKeys(keys)
  }

  deinit {
    keys.deallocate()
    images.deallocate()
    steps.deallocate()
  }

  /// The name of the system's state; nil if the system cannot go on.
  func nameOfState() -> StateName? {
    guard canBegin, system.permutedKeys(keys) else { return nil }
    var name = StateName(key: keys[0])
    var ways = 1
    for permutation in 1..<keys.count {
      let key = keys[permutation]
      if key == name.key {
        ways += 1
      } else if key < name.key {
        name.key = key
        name.permutation = Int16(truncatingIfNeeded: permutation)
        ways = 1
      }
    }
    // Ways to the same key are as many as there are permutations that change nothing.
    name.stateCount = keys.count / ways
    // The least of several hashes is likely to be small; tables want keys that are spread evenly.
    name.key = StableHash.mix(name.key)
    return name
  }

  func inverse(of permutation: Int) -> Int { system.inverse(of: permutation) }

  /// The number of the step that takes a step's place; it may be a new one.
  func image(ofStep step: Int, under permutation: Int) -> Int {
    let index = step * permutationCount + permutation
    if index < images.count && images[index] >= 0 { return Int(images[index]) }
    let known = summaries.footprint(of: step)
    footprint.removeAll()
    for touch in 0..<known.count {
      footprint.add(
        system.image(ofObject: known[touch].object, under: permutation),
        writes: known[touch].writes, known[touch].role)
    }
    footprint.sort()
    let cpu = system.image(ofCPU: summaries.cpu(of: step), under: permutation)
    let image = summaries.step(cpu, footprint)
    if index >= images.count { _ = images.extend(by: index + 1 - images.count, with: -1) }
    images[index] = Int32(truncatingIfNeeded: image)
    return image
  }
}
