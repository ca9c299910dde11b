// What a check reports of its progress on the way, compared with what it was in the end.

import GracewalkExploration
import GracewalkMachine

/// The estimates of a complete search while it ran.
package struct EstimatedRun: Equatable, Codable, Sendable {
  /// The number of transitions at which the search is asked; a power of two.
  private static let period = 256

  package var model: String
  package var transitions: Int
  /// For each tenth of the transitions but the last, the error of the progress that was reported
  /// last, in points; nil if there was none yet.
  package var errors: [Double?]

  /// The mean error where something was reported.
  package var mean: Double {
    let known = errors.compactMap { $0.map(abs) }
    return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
  }

  /// Nil unless the stateful search explores everything.
  package init?(_ model: Model, _ declared: DeclaredCheck) throws(CheckError) {
    let check = declared.options()
    let plan = SearchPlan(check, try model.scenario(check.scenario))
    guard plan.strategy == .stateful, !plan.mayRepeat else { return nil }
    var samples: [(transitions: Int, done: Double?)] = []
    var options = SearchOptions(limits: plan.limits)
    options.usesSymmetry = plan.usesSymmetry
    options.watchPeriod = Self.period
    options.watch = { progress in
      samples.append((progress.statistics.transitions, progress.fractionDone))
      return true
    }
    let result = plan.strategy.search(Machine(model.freshScenario(check.scenario)), options)
    guard result.ending == .complete else { return nil }
    self.model = model.name
    let all = result.statistics.transitions
    transitions = all
    errors = (1..<10).map { tenth in
      let last = samples.last { $0.transitions * 10 <= tenth * all }
      return last?.done.map { ($0 - Double(tenth) / 10) * 100 }
    }
  }
}
