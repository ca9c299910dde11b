// Ways to make a long check shorter, shown while it runs and in its report.

import GracewalkExploration
import GracewalkMachine

extension Model {
  /// Ways to make a check with these options shorter if it is long, the most effective first.
  ///
  /// - Throws: `CheckError` if the options do not fit the model.
  public func speedHints(_ options: CheckOptions = CheckOptions()) throws(CheckError) -> [String] {
    let scenario = try scenario(options.scenario)
    return SearchPlan(options, scenario).speedHints(for: scenario)
  }
}

extension CheckReport {
  /// Transitions from which a check counts as long.
  public static let longTransitions = 1_000_000

  /// True if the check took long, or would have without a bound.
  var isLong: Bool {
    if case .incomplete(.bound(let bound)) = verdict {
      return bound != .depth && bound != .preemptions
    }
    return statistics.transitions >= Self.longTransitions
  }
}

extension SearchPlan {
  /// Ways to make a search of the scenario shorter.
  func speedHints(for scenario: Scenario) -> [String] {
    guard strategy.isComplete else { return [] }
    return [
      featureHint(scenario), reductionHint(scenario), symmetryHint(scenario), threadHint,
    ].compactMap(\.self)
  }

  private func featureHint(_ scenario: Scenario) -> String? {
    guard scenario.hasHardware, !scenario.features.enhancedTranslationSynchronisation else {
      return nil
    }
    var features = scenario.features
    features.enhancedTranslationSynchronisation = true
    return "without FEAT_ETS2 each MMU may miss a new entry once, at up to 84 times the states; "
      + "CPUs from Armv8.8 on have it: \(features.options)"
  }

  private func reductionHint(_ scenario: Scenario) -> String? {
    let states = scenario.invariants.filter(\.needsEveryState).map(\.id)
    if !states.isEmpty {
      let others = scenario.invariants.filter { !$0.needsEveryState }.map(\.id)
      let also = others.isEmpty ? "" : "; check the others without it, with --invariant ID for each"
      return "nothing is reduced, since \(states.joined(separator: " and ")) "
        + "\(states.count == 1 ? "is" : "are") about every state\(also)"
    }
    if mayRepeat {
      return "where CPUs may repeat (mayRepeat), less is reduced"
        + (mayDivide ? "" : " and one thread searches")
        + "; a loop of two or three turns takes less, where livelocks are not the question"
    }
    if limits.preemptions != nil {
      return "nothing is reduced, since preemptions are bounded; without --preemptions it is"
    }
    return strategy == .stateful ? nil : "--mode stateful reduces and merges states, too"
  }

  private func symmetryHint(_ scenario: Scenario) -> String? {
    guard !usesSymmetry, strategy == .stateful, !mayRepeat else { return nil }
    if !scenario.identicalCPUs.isEmpty {
      if isExact { return "identical CPUs are not exchanged with --exact; without it they are" }
      return scenario.symmetryNote ?? "identical CPUs are not exchanged: symmetry is switched off"
    }
    guard !scenario.hasHardware else { return nil }
    for (index, program) in scenario.programs.enumerated() {
      let names = program.operations.map(\.name)
      let twin = scenario.programs[(index + 1)...].first { $0.operations.map(\.name) == names }
      guard let twin, !names.isEmpty else { continue }
      return "if \(program.name) and \(twin.name) run the same code, declare them identical "
        + "(Scenario.cpus), and states that differ by an exchange of them count as one"
    }
    return nil
  }

  private var threadHint: String? {
    guard strategy.mergesStates, mayDivide, jobs == 1 else { return nil }
    return "--jobs 2 searches with two threads"
  }
}
