// Tests the contract of footprints: pairs of steps in both orders, in many states.

import GracewalkSupport

/// Compares a system's footprints with the behaviour of its steps.
///
/// A wrong footprint changes a search's result only if the lost order is the only one with a
/// certain effect, which is rare in random programs. This tests the contract directly: in each
/// state, any two independent steps must lead to the same state in both orders and be judged alike
/// in both, and neither may enable or disable the other.
public final class FootprintOracle {
  /// A violation of the contract, in the state in which the system is left.
  public struct Breach: Equatable, Sendable {
    /// The CPU that steps first.
    public var cpu: Int
    /// The CPU whose next step contradicts its footprint.
    public var other: Int
    public var what: String
  }

  /// The next step of a CPU in a state.
  private struct Pending {
    var cpu: Int
    var isEnabled: Bool
    var choices: Int
    var footprint: Footprint
    var potential: Footprint
    var isFixed: Bool
    var enablers: CPUSet
  }

  /// The outcomes of a step, and of another one right after it.
  private struct Results {
    var first: [Int: StepOutcome] = [:]
    var second: [Int: (outcome: StepOutcome, key: UInt64)] = [:]
  }

  private static let choicesMax = 16

  private let system: TransitionSystem
  private let statesMax: Int
  /// The number of states that may be examined so far.
  private var limit: Int
  private var random = SplitMix64(seed: 0)
  private var seen: Set<UInt64> = []
  private var hasHalted = false
  /// Pairs of steps that were taken in both orders.
  public private(set) var pairs = 0
  public private(set) var breach: Breach?

  /// - Parameters:
  ///   - system: the system whose footprints are tested.
  ///   - statesMax: the number of states to examine: if there are more than half as many, some are
  ///     taken from random executions.
  public init(_ system: TransitionSystem, statesMax: Int) {
    self.system = system
    self.statesMax = statesMax
    limit = statesMax / 2
  }

  /// The first breach found; the system is left in its state.
  ///
  /// Call it once.
  public func run() -> Breach? {
    guard system.judgeStart() == .clean else { return nil }
    visit()
    guard isOver, breach == nil, !hasHalted else { return breach }
    limit = statesMax
    for _ in 0..<statesMax / 4 where !isOver { walk() }
    return breach
  }

  private var isOver: Bool { breach != nil || hasHalted || seen.count >= limit }

  /// Examines the states of one execution.
  private func walk() {
    var depth = 0
    while !isOver {
      let steps = pendingSteps()
      if seen.insert(system.stateKey).inserted { tryPairs(of: steps) }
      let able = steps.filter(\.isEnabled)
      if breach != nil || hasHalted { return }
      if able.isEmpty { break }
      let next = random.pick(able)
      let outcome = system.step(next.cpu, choice: random.below(next.choices))
      if outcome == .halted { hasHalted = true }
      if hasHalted { return }
      depth += 1
      if outcome != .clean { break }
    }
    if breach != nil || hasHalted { return }
    for _ in 0..<depth { system.undo() }
  }

  private func visit() {
    guard !isOver, seen.insert(system.stateKey).inserted else { return }
    let steps = pendingSteps()
    tryPairs(of: steps)
    for step in steps where step.isEnabled {
      for choice in 0..<step.choices where !isOver {
        let outcome = system.step(step.cpu, choice: choice)
        if outcome == .halted { hasHalted = true }
        if outcome == .clean { visit() }
        if breach != nil || hasHalted { return }
        system.undo()
      }
    }
  }

  private func pendingSteps() -> [Pending] {
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    return (0..<system.cpuCount).compactMap { cpu in
      guard enabled.contains(cpu) || disabled.contains(cpu) else { return nil }
      let potential = Footprint()
      system.addPotentialFootprint(of: cpu, to: potential)
      return Pending(
        cpu: cpu, isEnabled: enabled.contains(cpu), choices: system.choiceCount(of: cpu),
        footprint: footprint(of: cpu), potential: potential,
        isFixed: system.hasFixedFootprint(cpu),
        enablers: enabled.contains(cpu) ? CPUSet() : system.enablers(of: cpu))
    }
  }

  private func footprint(of cpu: Int) -> Footprint {
    let footprint = Footprint()
    system.addFootprint(of: cpu, to: footprint)
    footprint.sort()
    return footprint
  }

  // MARK: Pairs

  private func tryPairs(of steps: [Pending]) {
    var results: [[Results]] = steps.map { _ in steps.map { _ in Results() } }
    for (one, step) in steps.enumerated() where step.isEnabled {
      for choice in 0..<step.choices {
        let outcome = system.step(step.cpu, choice: choice)
        if outcome == .halted { hasHalted = true }
        if hasHalted { return }
        for (two, other) in steps.enumerated() where two != one {
          results[one][two].first[choice] = outcome
          guard outcome == .clean else { continue }
          if let what = change(of: other, behind: step) {
            system.undo()
            breach = Breach(cpu: step.cpu, other: other.cpu, what: what)
            return
          }
          guard isPair(step, other) else { continue }
          take(other, behind: choice, &results[one][two])
          if hasHalted { return }
        }
        system.undo()
      }
    }
    for one in steps.indices {
      for two in steps.indices where one < two && isPair(steps[one], steps[two]) {
        compare(steps[one], results[one][two], steps[two], results[two][one])
        if breach != nil { return }
      }
    }
  }

  /// True if both steps are enabled and independent.
  private func isPair(_ one: Pending, _ other: Pending) -> Bool {
    one.isEnabled && other.isEnabled && !one.footprint.mayRace(with: other.footprint)
  }

  /// How the next step of a CPU changed after an independent step, or nil.
  private func change(of other: Pending, behind step: Pending) -> String? {
    let isEnabled = system.enabledCPUs().contains(other.cpu)
    if other.isEnabled && !isEnabled && !step.footprint.isDependent(on: other.footprint) {
      return "disabled by an independent step"
    }
    if !other.isEnabled && isEnabled {
      if !step.footprint.isDependent(on: other.potential) {
        return "enabled by an independent step"
      }
      if !other.enablers.contains(step.cpu) { return "enabled by a step of no enabler" }
    }
    let now = footprint(of: other.cpu)
    if other.isFixed && !now.isSame(as: other.footprint) { return "fixed footprint changes" }
    guard isPair(step, other) else { return nil }
    if !now.isSame(as: other.footprint), !step.footprint.isDependent(on: other.footprint) {
      return "footprint changes behind an independent step"
    }
    if system.choiceCount(of: other.cpu) != other.choices {
      return "choices change behind an independent step"
    }
    return nil
  }

  private func take(_ other: Pending, behind choice: Int, _ results: inout Results) {
    for second in 0..<other.choices {
      let outcome = system.step(other.cpu, choice: second)
      if outcome == .halted { hasHalted = true }
      if hasHalted { return }
      results.second[choice * FootprintOracle.choicesMax + second] = (outcome, system.stateKey)
      system.undo()
    }
  }

  private func compare(
    _ one: Pending, _ results: Results, _ other: Pending, _ swapped: Results
  ) {
    for choice in 0..<one.choices {
      for second in 0..<other.choices {
        pairs += 1
        let there = results.second[choice * FootprintOracle.choicesMax + second]
        let back = swapped.second[second * FootprintOracle.choicesMax + choice]
        if let there, there.outcome != swapped.first[second] {
          breach = Breach(cpu: one.cpu, other: other.cpu, what: "judged otherwise behind it")
        } else if let back, back.outcome != results.first[choice] {
          breach = Breach(cpu: other.cpu, other: one.cpu, what: "judged otherwise behind it")
        } else if let there, let back, there.outcome == .clean, there.key != back.key {
          breach = Breach(cpu: one.cpu, other: other.cpu, what: "states differ with the order")
        }
      }
    }
  }
}

extension Footprint {
  /// True if both, sorted, have the same touches.
  func isSame(as other: Footprint) -> Bool {
    count == other.count && (0..<count).allSatisfy { self[$0] == other[$0] }
  }
}
