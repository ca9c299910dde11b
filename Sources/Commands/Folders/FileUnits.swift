// A unit of work for each file that can be read, with rows in the order of the files.

import GracewalkChecking
import GracewalkExploration

/// Files, each with its unit or the reason why it cannot be read.
struct FileUnits<Unit: WorkUnit, Problem: Error> where Unit.Progress == SearchProgress {
  enum Outcome {
    case unreadable(Problem)
    case done(WorkDone<Unit>)
  }

  let files: [String]
  let units: [Result<Unit, Problem>]

  /// Runs all units.
  ///
  /// - Parameter show: called for each file in order, with its number; returns false to stop.
  func run(by executor: any Executor, show: (Int, Outcome) -> Bool) {
    var readable: [Int] = []
    var requests: [Unit] = []
    for case (let number, .success(let request)) in units.enumerated() {
      readable.append(number)
      requests.append(request)
    }
    let names = readable.map { files[$0] }
    var watch = WorkWatch<Unit>()
    watch.isInterrupted = { Terminal.isInterrupted }
    watch.begin = { Terminal.watch(names[$0]) }
    var next = 0
    /// Shows the files before one that cannot be read.
    func showUnreadable(upTo end: Int) {
      while next < end, case .failure(let problem) = units[next] {
        _ = show(next, .unreadable(problem))
        next += 1
      }
    }
    let isWhole = executor.run(requests, watch) { done in
      Terminal.clearProgress()
      showUnreadable(upTo: readable[done.number])
      next += 1
      return show(readable[done.number], .done(done))
    }
    if isWhole { showUnreadable(upTo: files.count) }
  }
}
