// Footprints that are too small are detected by taking two steps in both orders.

import Gracewalk
import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// Leaves out the footprint of the next steps of some kind.
private final class StepsHidden: Forwarding {
  private let machine: Machine
  private let verb: String

  init(_ machine: Machine, _ verb: String) {
    self.machine = machine
    self.verb = verb
    super.init(machine)
  }

  private func isMatch(_ cpu: Int) -> Bool { machine.pendingText(of: cpu).hasPrefix(verb) }

  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    if !isMatch(cpu) { base.addFootprint(of: cpu, to: footprint) }
  }

  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    if !isMatch(cpu) { base.addPotentialFootprint(of: cpu, to: footprint) }
  }
}

/// Claims that all footprints are fixed.
private final class ChangesHidden: Forwarding {
  override func hasFixedFootprint(_ cpu: Int) -> Bool { true }
}

/// Claims that no CPU can enable a disabled one.
private final class EnablersHidden: Forwarding {
  override func enablers(of cpu: Int) -> CPUSet { CPUSet() }
}

struct FootprintOracleTests {
  /// All kinds but one, which would crowd the others out and has lies of its own.
  private static let common = RandomProgram.Mix.all.subtracting(.primitives)

  private static func scenario(_ mix: RandomProgram.Mix, _ seed: UInt64) -> Scenario {
    let scenario = RandomProgram(mix, seed: seed, size: .small).scenario()
    scenario.require(InvariantCatalogue.tables)
    scenario.require([GracePeriodSafety(), TeardownOrder(), DonatedPageUnreachable()])
    scenario.require(InvariantCatalogue.hardware)
    return scenario
  }

  /// The number of programs until the oracle detects the lie, and its report.
  private func firstBreach(
    of seeds: Range<UInt64>, _ mix: RandomProgram.Mix = common,
    _ lie: (Machine) -> TransitionSystem
  ) -> (programs: Int, what: String)? {
    for seed in seeds {
      let oracle = FootprintOracle(lie(Machine(Self.scenario(mix, seed))), statesMax: 200)
      if let breach = oracle.run() { return (Int(seed) + 1, breach.what) }
    }
    return nil
  }

  private static let lies: [(verb: String, programs: Int)] = [
    ("walk reads", 4), ("tlbi takes effect", 694), ("guest write", 871), ("dsb", 362),
    ("hand over", 42),
    ("mask interrupts", 5), ("ipi: send", 355), ("rcu read lock", 22), ("synchronize", 22),
    ("call after", 5), ("give ", 28), ("allocate from", 48), ("shrink", 205), ("use ", 193),
    ("release ", 193), ("free ", 226), ("expect ", 435), ("cmpxchg", 4), ("lock", 492),
    ("store", 5),
  ]

  @Test(.tags(.fuzz, .long), .unlessQuick, arguments: lies)
  func hiddenStepsAreFoundOut(verb: String, programs: Int) {
    let breach = firstBreach(of: 0..<5_000) { StepsHidden($0, verb) }
    #expect(breach?.programs == programs, "\(verb): \(breach?.what ?? "not noticed")")
  }

  @Test(
    .tags(.fuzz, .long), .unlessQuick,
    arguments: [
      ("try lock", 116), ("try read lock", 35), ("try write lock", 16), ("downgrade", 155),
      ("unlock", 42),
    ])
  func hiddenPrimitivesAreFoundOut(verb: String, programs: Int) {
    let breach = firstBreach(of: 0..<5_000, .primitives) { StepsHidden($0, verb) }
    #expect(breach?.programs == programs, "\(verb): \(breach?.what ?? "not noticed")")
  }

  @Test func otherLiesAreFoundOut() {
    let changes = firstBreach(of: 0..<1_000) { ChangesHidden($0) }
    #expect(changes?.programs == 5)
    #expect(changes?.what == "fixed footprint changes")
    let enablers = firstBreach(of: 0..<1_000) { EnablersHidden($0) }
    #expect(enablers?.programs == 5)
    #expect(enablers?.what == "enabled by a step of no enabler")
  }
}
