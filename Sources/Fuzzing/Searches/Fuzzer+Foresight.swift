// Comparing machines that forget what their code will not need with one that forgets nothing.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

extension Fuzzer {
  /// The greatest number of states of programs that are compared.
  private static let statesMax = 20_000

  /// How a program ends otherwise if its machine relies on what it foresees; nil if it does not.
  ///
  /// - Parameters:
  ///   - executions: those from which it learns beforehand; few let it err more often.
  ///   - omitted: parts of what keeps it right to leave out.
  package static func foresightMismatch(
    executions: Int = 2, without omitted: Foresight.Omission = [],
    _ makeScenario: () -> Scenario
  ) -> String? {
    guard let whole = ends(of: makeScenario, nil, .exhaustive) else { return nil }
    for strategy in [Strategy.exhaustive, .stateful] {
      let foresight = Foresight(without: omitted)
      foresight.learn(
        Machine(makeScenario(), identities: nil, foresight: foresight), executions: executions)
      guard let ends = ends(of: makeScenario, foresight, strategy) else { continue }
      if ends != whole {
        return "with foresight \(strategy.rawValue) finds \(ends.count) ends, and without "
          + "\(whole.count)"
      }
    }
    return nil
  }

  /// How a program with identical CPUs ends otherwise if they are exchanged by a machine that
  /// relies on what it foresees; nil if it does not.
  ///
  /// - Parameters:
  ///   - executions: those from which it learns beforehand.
  ///   - rules: parts of the exchange to leave out.
  package static func exchangeMismatch(
    executions: Int = 2, without rules: OmittedRules = [], _ makeScenario: () -> Scenario
  ) -> String? {
    func scenario() -> Scenario {
      let scenario = makeScenario()
      scenario.omittedRules = rules
      return scenario
    }
    guard let whole = finalKeys(of: makeScenario, nil) else { return nil }
    let foresight = Foresight()
    foresight.learn(
      Machine(scenario(), identities: nil, foresight: foresight), executions: executions)
    guard let found = finalKeys(of: scenario, foresight) else { return nil }
    if found == whole { return nil }
    return "exchanging CPUs, with foresight there are \(found.count) ends, and without either "
      + "\(whole.count)"
  }

  /// The keys of the states in which every CPU has ended, and numbers of CPUs that are stuck; nil
  /// if there are too many states.
  ///
  /// - Parameter foresight: of a search that exchanges CPUs; nil for the exhaustive one.
  private static func finalKeys(
    of makeScenario: () -> Scenario, _ foresight: Foresight?
  ) -> Set<[UInt64]>? {
    while true {
      let outcomes = Outcomes()
      let scenario = makeScenario()
      scenario.require(
        OutcomesNoted(outcomes) { machine in
          guard machine.haveAllEnded else { return [0, UInt64(machine.stuckCPUs.count)] }
          let keys = GrowableBuffer<UInt64>()
          defer { keys.deallocate() }
          if foresight != nil, machine.permutationCount > 1, machine.permutedKeys(keys) {
            for index in 0..<keys.count { outcomes.note([keys[index]]) }
          }
          return [machine.stateKey]
        })
      var options = SearchOptions()
      options.limits.states = statesMax
      options.collectsFinalStates = true
      options.usesSymmetry = foresight != nil
      let machine = Machine(scenario, identities: nil, foresight: foresight)
      let strategy = foresight == nil ? Strategy.exhaustive : .stateful
      let ending = strategy.search(machine, options).ending
      if !machine.outranForesight { return ending == .complete ? Set(outcomes.all) : nil }
      foresight?.look()
    }
  }

  /// What code can see where every CPU has ended, and who is stuck; nil if there are too many
  /// states.
  private static func ends(
    of makeScenario: () -> Scenario, _ foresight: Foresight?, _ strategy: Strategy
  ) -> Set<[UInt64]>? {
    while true {
      let outcomes = Outcomes()
      let scenario = makeScenario()
      scenario.require(
        OutcomesNoted(outcomes) {
          $0.haveAllEnded ? [$0.outcomeKey] : $0.stuckCPUs.map { UInt64($0) }
        })
      var options = SearchOptions()
      options.limits.states = statesMax
      let machine = Machine(scenario, identities: nil, foresight: foresight)
      let ending = strategy.search(machine, options).ending
      if !machine.outranForesight { return ending == .complete ? Set(outcomes.all) : nil }
      foresight?.look()
    }
  }
}
