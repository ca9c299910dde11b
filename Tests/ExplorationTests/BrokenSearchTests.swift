// The fuzzer finds searches that are told lies about the system: so it would find one that errs.

import Checking
import Exploration
import Support
import Testing

/// A system that says the same as another one, unless a subclass lies.
class Forwarding: TransitionSystem {
  let base: TransitionSystem

  init(_ base: TransitionSystem) {
    self.base = base
    super.init()
  }

  override var cpuCount: Int { base.cpuCount }
  override var objectCount: Int { base.objectCount }
  override func enabledCPUs() -> CPUSet { base.enabledCPUs() }
  override func disabledCPUs() -> CPUSet { base.disabledCPUs() }
  override func choiceCount(of cpu: Int) -> Int { base.choiceCount(of: cpu) }
  override func isBlocking(_ cpu: Int) -> Bool { base.isBlocking(cpu) }
  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    base.addFootprint(of: cpu, to: footprint)
  }
  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    base.addPotentialFootprint(of: cpu, to: footprint)
  }
  override func enablers(of cpu: Int) -> CPUSet { base.enablers(of: cpu) }
  override func step(_ cpu: Int, choice: Int) -> StepOutcome { base.step(cpu, choice: choice) }
  override func undo() { base.undo() }
  override func judgeEnd() -> StepOutcome { base.judgeEnd() }
  override var stateKey: UInt64 { base.stateKey }
  override var permutationCount: Int { base.permutationCount }
  override func inverse(of permutation: Int) -> Int { base.inverse(of: permutation) }
  override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool { base.permutedKeys(keys) }
  override func image(ofCPU cpu: Int, under permutation: Int) -> Int {
    base.image(ofCPU: cpu, under: permutation)
  }
  override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 {
    base.image(ofObject: object, under: permutation)
  }
  override var violatedInvariant: Int { base.violatedInvariant }
}

/// Passes writes off as reads.
private final class WritesHidden: Forwarding {
  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    let honest = Footprint()
    base.addFootprint(of: cpu, to: honest)
    for index in 0..<honest.count { footprint.read(honest[index].object) }
  }
}

/// Conceals half of the objects: those with odd numbers.
private final class OddObjectsHidden: Forwarding {
  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    let honest = Footprint()
    base.addFootprint(of: cpu, to: honest)
    for index in 0..<honest.count where honest[index].object % 2 == 0 {
      if honest[index].writes {
        footprint.write(honest[index].object)
      } else {
        footprint.read(honest[index].object)
      }
    }
  }
}

/// Conceals CPUs that wait.
private final class DisabledHidden: Forwarding {
  override func disabledCPUs() -> CPUSet { CPUSet() }
}

/// Conceals that data can be chosen.
private final class ChoicesHidden: Forwarding {
  override func choiceCount(of cpu: Int) -> Int { 1 }
}

/// Says that a step can touch no more than it would now.
private final class PotentialHidden: Forwarding {
  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    base.addFootprint(of: cpu, to: footprint)
  }
}

/// Says that nobody can enable a disabled CPU.
private final class EnablersHidden: Forwarding {
  override func enablers(of cpu: Int) -> CPUSet { CPUSet() }
}

struct BrokenSearchTests {
  private static let liars: [@Sendable (TransitionSystem) -> Forwarding] = [
    { WritesHidden($0) }, { OddObjectsHidden($0) }, { DisabledHidden($0) }, { ChoicesHidden($0) },
  ]

  @Test func whoForwardsHonestlyAgrees() {
    let fuzzer = Fuzzer { system, options in SourceSearch(Forwarding(system), options).run() }
    #expect(fuzzer.run(seeds: 0..<500, size: .small).mismatches == [])
  }

  @Test(arguments: zip(liars.indices, [2, 7, 152, 4]))
  func liesAreFoundOut(number: Int, programs: Int) {
    let liar = Self.liars[number]
    let fuzzer = Fuzzer { system, options in SourceSearch(liar(system), options).run() }
    let report = fuzzer.run(seeds: 0..<10_000, size: .small, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(report.programs == programs)
  }

  private static let liarsAboutStates: [@Sendable (TransitionSystem) -> Forwarding] = [
    { WritesHidden($0) }, { DisabledHidden($0) }, { PotentialHidden($0) }, { EnablersHidden($0) },
  ]

  @Test(arguments: zip(liarsAboutStates.indices, [2, 152, 2_095, 3]))
  func liesToTheStatefulSearchAreFoundOut(number: Int, programs: Int) {
    let liar = Self.liarsAboutStates[number]
    let fuzzer = Fuzzer { system, options in StatefulSearch(liar(system), options).run() }
    let report = fuzzer.run(seeds: 0..<10_000, size: number < 2 ? .small : .full, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(report.programs == programs)
  }

  /// A search that gives up early misses something, too.
  @Test func givingUpEarlyIsFoundOut() {
    let fuzzer = Fuzzer { system, options in
      var options = options
      options.limits.executions = 3
      var result = SourceSearch(system, options).run()
      if result.ending == .bounded(.executions) { result.ending = .complete }
      return result
    }
    #expect(!fuzzer.run(seeds: 0..<10_000, size: .small, stopAfter: 1).mismatches.isEmpty)
  }
}
