// One litmus test explored: all its final states, and the answer to its question.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine

/// How to explore litmus tests.
package struct LitmusOptions {
  package var memoryModel = MemoryModel.standard
  package var strategy = Strategy.stateful
  package var isExact = false
  package var limits = Limits()
  /// Called now and then; returns false to interrupt.
  package var watch: ((SearchProgress) -> Bool)?

  package init() {}
}

extension LitmusTest {
  /// Explores the test.
  package func check(_ options: LitmusOptions = LitmusOptions()) -> LitmusReport {
    // What reduces relies on executions that end.
    let strategy = loops && options.strategy.isComplete ? .exhaustive : options.strategy
    let board = TestBoard()
    let machine = Machine(
      scenario(board, under: options.memoryModel), isExact: options.isExact)
    var search = SearchOptions(limits: options.limits)
    search.isExact = options.isExact
    search.watch = options.watch
    let result = strategy.search(machine, search)
    var report = LitmusReport(self, strategy, options.memoryModel)
    report.statistics = result.statistics
    report.flags = board.allFlags
    report.add(finals: board.allFinals)
    switch result.ending {
    case .complete: break
    case .bounded(let bound): report.reason = "the bound on \(bound.rawValue) was met"
    case .halted: report.reason = machine.failure.map { machine.text(of: $0) } ?? "it was halted"
    case .violation: report.reason = machine.violation?.report.message ?? "something was violated"
    case .refused: report.reason = "what was saved does not fit"
    }
    if !strategy.isComplete, report.reason == nil { report.reason = "executions were sampled" }
    return report
  }
}
