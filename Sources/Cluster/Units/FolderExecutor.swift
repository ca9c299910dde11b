// An executor that looks for answers in a folder first, and keeps those that it finds itself.

import Foundation
import GracewalkChecking
import GracewalkSupport

/// Threads of this process, with the answers of earlier runs.
package struct FolderExecutor: Executor {
  private let folder: WorkFolder
  private let threads: ThreadExecutor
  private let keeps: Bool

  package var width: Int { threads.width }

  /// - Parameter keeps: whether to keep new answers in the folder.
  package init(_ folder: WorkFolder, _ threads: ThreadExecutor, keeps: Bool) {
    self.folder = folder
    self.threads = threads
    self.keeps = keeps
  }

  package func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    let names = units.map { NamedUnit($0).name }
    var known: [Int: WorkDone<Unit>] = [:]
    var end = units.count
    for number in units.indices {
      guard let (result, seconds) = folder.result(of: Unit.self, named: names[number]) else {
        continue
      }
      known[number] = WorkDone(number: number, result: result, seconds: seconds)
      if case .success(let answer) = result, watch.isLast(answer) {
        end = number + 1
        break
      }
    }
    let missing = (0..<end).filter { known[$0] == nil }
    var next = 0
    func deliver(upTo end: Int) -> Bool {
      while next < end {
        guard let done = known.removeValue(forKey: next), take(done) else { return false }
        next += 1
      }
      return true
    }
    var kept = KeptAnswers(folder, keeps: keeps)
    defer { kept.flush() }
    var inner = watch
    inner.begin = { watch.begin(missing[$0]) }
    let isWhole = threads.run(missing.map { units[$0] }, inner) { done in
      let number = missing[done.number]
      guard deliver(upTo: number) else { return false }
      kept.add(done, units[number], names[number])
      next = number + 1
      return take(
        WorkDone(
          number: number, result: done.result, seconds: done.seconds, isCut: done.isCut))
    }
    return isWhole && deliver(upTo: end) && end == units.count
  }
}

/// Answers on their way to a file.
struct KeptAnswers {
  private let folder: WorkFolder
  private let keeps: Bool
  private(set) var answers: [StoredAnswer] = []
  private var due = ContinuousClock.now + .seconds(10)
  private var number = 0

  init(_ folder: WorkFolder, keeps: Bool) {
    self.folder = folder
    self.keeps = keeps
  }

  /// Adds an answer, unless it may differ the next time.
  mutating func add<Unit: WorkUnit>(_ done: WorkDone<Unit>, _ unit: Unit, _ name: String) {
    guard keeps, done.isFinal(for: unit) else { return }
    let end = Clock.now
    answers.append(
      StoredAnswer(
        name: name, start: end - done.seconds, end: end,
        json: AnswerFile.json(Outcome(done.result))))
    if due <= .now { flush() }
  }

  /// Writes what has been added to a file of its own; a failure is the folder's.
  mutating func flush() {
    guard !answers.isEmpty else { return }
    number += 1
    let name = "\(Host.name)-\(getpid())-\(UInt64(Clock.now * 1_000))-\(number)"
    try? folder.keep(answers, AnswerAbout(), as: name)
    answers = []
    due = .now + .seconds(10)
  }
}
