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
  /// What makes the states of the machine for weaker memory fewer.
  package var shortcuts = WeakShortcuts.all
  /// Rules that tests leave out.
  package var omittedRules: OmittedRules = []
  /// Whether walks that fault come after the accesses before them: FEAT_ETS2.
  package var hasETS2 = false
  /// Called now and then; returns false to interrupt.
  package var watch: ((SearchProgress) -> Bool)?

  package init() {}
}

extension LitmusTest {
  /// Explores the test.
  package func check(_ options: LitmusOptions = LitmusOptions()) -> LitmusReport {
    isForMachine(under: options.memoryModel) ? checkOnMachine(options) : checkWeakly(options)
  }

  private func isForMachine(under model: MemoryModel) -> Bool {
    model == .sequentialConsistency && !hasEntries
  }

  /// Throws if the test cannot be explored under a memory model.
  package func require(_ model: MemoryModel) throws(LitmusError) {
    if isForMachine(under: model) { return }
    if let refusal = WeakMachine.refusal(of: self, under: model) { throw LitmusError(1, refusal) }
  }

  /// Explores the test on the machine for models; sections of sleepable read-copy-update are locked
  /// operations there.
  package func checkOnMachine(_ options: LitmusOptions) -> LitmusReport {
    // What reduces relies on executions that end.
    let strategy = loops && options.strategy.isComplete ? .exhaustive : options.strategy
    let board = TestBoard()
    let machine = Machine(
      scenario(board, under: options.memoryModel), isExact: options.isExact)
    let result = strategy.search(machine, options.search)
    var report = LitmusReport(self, strategy, options.memoryModel)
    report.add(result, board)
    switch result.ending {
    case .halted: report.reason = machine.failure.map { machine.text(of: $0) } ?? "it was halted"
    case .violation: report.reason = machine.violation?.report.message ?? "something was violated"
    case .complete, .bounded, .refused: break
    }
    return report
  }

  /// Explores the test on the machine for weaker memory, whose steps have no footprints yet.
  package func checkWeakly(_ options: LitmusOptions) -> LitmusReport {
    let strategy = options.strategy.isComplete ? .exhaustive : options.strategy
    var report = LitmusReport(self, strategy, options.memoryModel)
    if let refusal = WeakMachine.refusal(of: self, under: options.memoryModel) {
      report.reason = refusal
      return report
    }
    let board = TestBoard()
    let machine = WeakMachine(
      self, under: options.memoryModel, board, options.shortcuts,
      hasETS2: options.hasETS2 || hasETS2, without: options.omittedRules)
    report.add(strategy.search(machine, options.search), board)
    if machine.hasMetCap {
      report.reason =
        "the cap of \(StoreOrder.entriesMax) pending stores of a process, or visible stores of a "
        + "word, was met"
    }
    return report
  }
}

extension LitmusOptions {
  fileprivate var search: SearchOptions {
    var search = SearchOptions(limits: limits)
    search.isExact = isExact
    search.watch = watch
    return search
  }
}

extension LitmusReport {
  /// Adds what a search has found.
  fileprivate mutating func add(_ result: SearchResult, _ board: TestBoard) {
    statistics = result.statistics
    flags = board.allFlags
    add(finals: board.allFinals)
    switch result.ending {
    case .complete: break
    case .bounded(let bound): reason = "the bound on \(bound.rawValue) was met"
    case .refused: reason = "what was saved does not fit"
    case .halted, .violation: reason = "it was halted"
    }
    if !strategy.isComplete, reason == nil { reason = "executions were sampled" }
  }
}
