// Names shared by all states that differ only by an exchange of identical CPUs.

import GracewalkSupport

/// The name by which a search identifies a state.
struct StateName: BitwiseCopyable {
  var key: UInt64
  /// The permutation that maps the state to the one with this key.
  var permutation: Int16 = 0
  /// How many states share the name.
  var stateCount = 1
}

/// Names states by the least key that any exchange of CPUs gives them, and translates steps.
///
/// This is the symmetry reduction of Emerson and Sistla ("Symmetry and model checking", FMSD 1996)
/// and Ip and Dill ("Better verification through symmetry", FMSD 1996). If several permutations
/// lead to the least key, they differ by one that maps the state, and so everything that can run
/// below it, onto itself: any of them can be used.
final class StateNames {
  private let system: TransitionSystem
  private let summaries: SummaryTable
  private let permutationCount: Int
  /// False if CPUs declared identical turned out to differ before the first step.
  private let canBegin: Bool
  let keys = GrowableBuffer<UInt64>()
  /// Per step and permutation the number of the step's image, or -1 if not computed yet.
  private let images = GrowableBuffer<Int32>()
  private let footprint = Footprint()
  /// Steps of a row that is being translated.
  let steps = GrowableBuffer<Int>()

  /// - Parameter system: in its initial state, since the keys of exchanged CPUs are maintained from
  ///   the start, even if the names of the first states are never needed.
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

  /// The name of the system's state; nil if the system cannot continue.
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
    // The number of permutations that lead to the same key is the number that map the state onto
    // itself.
    name.stateCount = keys.count / ways
    // The least of several hashes is likely to be small, but tables need evenly spread keys.
    name.key = StableHash.mix(name.key)
    return name
  }

  func inverse(of permutation: Int) -> Int { system.inverse(of: permutation) }

  /// The number of a step's image, which may be a new step.
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
