// The fuzzer detects searches that get false information about the system, so it would detect wrong
// ones.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// Reports writes as reads.
private final class WritesHidden: Forwarding {
  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    let honest = Footprint()
    base.addFootprint(of: cpu, to: honest)
    for index in 0..<honest.count { footprint.read(honest[index].object) }
  }
}

/// Hides half of the objects: those with odd numbers.
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

/// Hides CPUs that wait.
private final class DisabledHidden: Forwarding {
  override func disabledCPUs() -> CPUSet { CPUSet() }
}

/// Hides choices.
private final class ChoicesHidden: Forwarding {
  override func choiceCount(of cpu: Int) -> Int { 1 }
}

/// Claims that no CPU can enable a disabled one.
private final class EnablersHidden: Forwarding {
  override func enablers(of cpu: Int) -> CPUSet { CPUSet() }
}

@Suite(.tags(.fuzz, .long), .unlessQuick) struct BrokenSearchTests {
  private static let liars: [@Sendable (TransitionSystem) -> Forwarding] = [
    { WritesHidden($0) }, { OddObjectsHidden($0) }, { DisabledHidden($0) }, { ChoicesHidden($0) },
  ]

  @Test func honestForwardingAgrees() {
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

  /// Claims that all footprints are fixed.
  private final class ChangesHidden: Forwarding {
    override func hasFixedFootprint(_ cpu: Int) -> Bool { true }
  }

  /// Claims that no step can be disabled.
  private final class BlockingHidden: Forwarding {
    override func isBlocking(_ cpu: Int) -> Bool { false }
  }

  private static let liarsToOptimal: [@Sendable (TransitionSystem) -> Forwarding] = [
    { WritesHidden($0) }, { OddObjectsHidden($0) }, { DisabledHidden($0) }, { ChoicesHidden($0) },
    { ChangesHidden($0) }, { BlockingHidden($0) },
  ]

  @Test(arguments: zip(liarsToOptimal.indices, [2, 7, 152, 4, 296, 8]))
  func liesToTheOptimalSearchAreFoundOut(number: Int, programs: Int) {
    let liar = Self.liarsToOptimal[number]
    let fuzzer = Fuzzer(isOptimal: true) { system, options in
      OptimalSearch(liar(system), options).run()
    }
    let report = fuzzer.run(seeds: 0..<10_000, size: .small, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(report.programs == programs)
  }

  private static let liarsAboutStates: [@Sendable (TransitionSystem) -> Forwarding] = [
    { WritesHidden($0) }, { DisabledHidden($0) }, { EnablersHidden($0) },
  ]

  @Test(arguments: zip(liarsAboutStates.indices, [2, 152, 69]))
  func liesToTheStatefulSearchAreFoundOut(number: Int, programs: Int) {
    let liar = Self.liarsAboutStates[number]
    let fuzzer = Fuzzer { system, options in StatefulSearch(liar(system), options).run() }
    let report = fuzzer.run(seeds: 0..<10_000, size: number < 2 ? .small : .full, stopAfter: 1)
    #expect(!report.mismatches.isEmpty)
    #expect(report.programs == programs)
  }

  /// A search that gives up early also misses something.
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
