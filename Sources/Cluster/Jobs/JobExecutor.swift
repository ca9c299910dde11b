// An executor whose units are done by jobs of a batch system, found again by their names.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkSupport

/// Submits units as array jobs, and gathers their answers from the shared folder.
///
/// It keeps nothing that the folder and the batch system do not know, so it may be killed at any
/// moment: the next one finds the answers, and the jobs that are under way. A unit may then be done
/// twice, and is still answered once, since its answer has its name.
package final class JobExecutor: Executor, @unchecked Sendable {
  let folder: WorkFolder
  let slurm: Slurm
  private let lock: CoordinatorLock
  /// Called with the state of things, about once a second.
  private let tell: @Sendable (ClusterStatus) -> Void
  private let complain: @Sendable (String) -> Void
  private let isInterrupted: @Sendable () -> Bool
  private let start = ContinuousClock.now
  private let state = Locked(State())

  private struct State {
    var status = ClusterStatus()
    var problem: FolderError?
    /// Distinguishes lists with the same units.
    var attempt = 0
    /// The lists for which jobs were submitted that wait, and whether any was alive lately.
    var waitingLists: [String] = []
    var hasWaitingJobs = false
  }

  /// Bundles for which there is no other limit.
  private static let bundlesUsual = 64
  /// Slurm's usual limit on the indices of an array.
  private static let bundlesMax = 1_000

  package var width: Int { 512 }

  /// Why the work cannot go on; nil if it can.
  package var problem: FolderError? { state.withLock { $0.problem } ?? folder.failure }

  package var status: ClusterStatus { state.withLock { $0.status } }

  /// - Parameters:
  ///   - isInterrupted: whether to stop, whatever the units are.
  ///   - complain: called with a line about what went wrong, and is tried again.
  ///   - tell: called with the state of things, about once a second.
  package init(
    _ folder: WorkFolder, _ options: JobOptions, _ lock: CoordinatorLock,
    isInterrupted: @escaping @Sendable () -> Bool,
    complain: @escaping @Sendable (String) -> Void,
    tell: @escaping @Sendable (ClusterStatus) -> Void
  ) throws(FolderError) {
    if let missing = Slurm.missing { throw FolderError("--cluster slurm: \(missing)") }
    self.folder = folder
    self.lock = lock
    self.tell = tell
    self.complain = complain
    self.isInterrupted = isInterrupted
    let id = StableHash.digits(AnswerFile.hash(Array(folder.path.utf8), from: 3))
    slurm = Slurm(prefix: "gw-\(id.prefix(8))-", options: options)
  }

  /// Ends the coordinator's work.
  package func finish() {
    update { $0.isOver = true }
    let lists = state.withLock { $0.waitingLists }
    if !lists.isEmpty {
      RoundOffer.withdraw(from: folder)
      slurm.cancel(lists)
    }
    lock.release()
  }

  func fail(_ error: FolderError) { state.withLock { $0.problem = $0.problem ?? error } }

  // MARK: Running

  package func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    guard !units.isEmpty else { return true }
    var work = JobWork(units.map { NamedUnit($0) })
    defer { slurm.cancel(work.listsInFlight) }
    folder.scan()
    if Unit.comesInRounds {
      work.polled(after: 1)
    } else {
      work.adopt(slurm.alive(), folder)
    }
    var next = 0
    var isFirst = true
    var pause = 0.02
    while true {
      if !isFirst { note(folder.scan(), in: &work) }
      for number in work.unanswered where folder.hasAnswer(to: work.units[number].name) {
        work.answer(number)
        pause = 0.02
      }
      if isFirst { update { $0.known += work.answeredCount } }
      while next < units.count, work.isAnswered(next) {
        guard let (result, seconds) = folder.result(of: Unit.self, named: work.units[next].name)
        else {
          work.reopen(next)
          break
        }
        next += 1
        guard take(WorkDone(number: next - 1, result: result, seconds: seconds)) else {
          count(work, isFirst: isFirst)
          return false
        }
        if case .success(let answer) = result, watch.isLast(answer) { return false }
      }
      count(work, isFirst: isFirst)
      isFirst = false
      if next == units.count { return true }
      if watch.isInterrupted() || isInterrupted() || problem != nil { return false }
      if let end = watch.end, end <= .now { return false }
      submit(&work, isRound: Unit.comesInRounds)
      if Unit.comesInRounds { submitUnwanted(&work) }
      poll(&work)
      lock.touch()
      Thread.sleep(forTimeInterval: pause)
      pause = min(pause * 1.3, Unit.comesInRounds ? 0.1 : 1)
    }
  }

  /// Notes what jobs say about the end of their bundles.
  private func note(_ abouts: [AnswerAbout], in work: inout JobWork) {
    for about in abouts {
      guard let list = about.list, let bundle = about.bundle else { continue }
      let left = work.end(
        JobElement(list: list, bundle: bundle), hasFailed: about.isLost == true)
      guard about.isLost == true, !left.isEmpty else { continue }
      state.withLock { $0.status.failed += 1 }
      report(
        "a job with \(Self.units(left)) was told to end before it had done any", left,
        "jobs need more time, or fewer signals", work)
    }
  }

  /// Submits what is neither answered nor under way.
  private func submit(_ work: inout JobWork, isRound: Bool) {
    let open = work.open
    guard !open.isEmpty, work.maySubmit else { return }
    let bundles = JobWork.divide(
      open, failures: { work.failures[$0, default: 0] },
      into: isRound
        ? Self.bundlesMax
        : min(slurm.options.arrayLimit.map { max($0, 1) } ?? Self.bundlesUsual, Self.bundlesMax))
    for start in stride(from: 0, to: bundles.count, by: Self.bundlesMax) {
      let part = Array(bundles[start..<min(start + Self.bundlesMax, bundles.count)])
      let attempt = state.withLock { state in
        state.attempt += 1
        return state.attempt
      }
      let list = BundleList(
        part.map {
          WorkBundle($0.map { work.units[$0] }, seconds: slurm.options.seconds, waits: isRound)
        },
        attempt: attempt &+ Int(getpid()) << 20)
      do throws(FolderError) {
        try list.write(to: folder)
        if isRound {
          try RoundOffer(list: list.name, count: part.count).announce(in: folder)
          if state.withLock({ $0.hasWaitingJobs }) {
            work.offered(list.name, part)
            continue
          }
        }
        try submit(list.name, Array(part.indices), isRound: isRound)
      } catch {
        return fail(error)
      }
      work.submitted(list.name, part)
    }
  }

  private func submit(_ list: String, _ bundles: [Int], isRound: Bool) throws(FolderError) {
    try slurm.submit(
      list, bundles: bundles, script: BundleList.script(list, folder),
      log: "\(folder.path)/logs/\(list)-%a")
    if !isRound { return }
    state.withLock { state in
      state.waitingLists.append(list)
      state.hasWaitingJobs = true
    }
  }

  /// Submits jobs for bundles that no waiting job has taken.
  private func submitUnwanted(_ work: inout JobWork) {
    let unwanted = Dictionary(grouping: work.noteTakers(folder)) { $0.list }
    for list in unwanted.keys.sorted() {
      do throws(FolderError) {
        try submit(list, (unwanted[list] ?? []).map(\.bundle), isRound: true)
      } catch {
        return fail(error)
      }
    }
  }

  /// Asks the batch system which jobs are left, and counts those that ended without a word.
  private func poll(_ work: inout JobWork) {
    guard work.isPollDue else { return }
    let alive = slurm.alive()
    state.withLock { $0.status.isAnswering = alive != nil }
    guard let alive else { return work.polled(after: 2) }
    work.polled(after: 1)
    state.withLock { state in
      let lists = Set(state.waitingLists)
      state.hasWaitingJobs = alive.running.union(alive.waiting).contains { lists.contains($0.list) }
    }
    for element in work.lost(alive) {
      // Its last words may have arrived meanwhile.
      note(folder.scan(), in: &work)
      for number in work.unanswered where folder.hasAnswer(to: work.units[number].name) {
        work.answer(number)
      }
      let job = work.job(of: element)
      let left = work.end(element, hasFailed: true)
      if left.isEmpty { continue }
      state.withLock { $0.status.failed += 1 }
      let log = folder.log(job.list, job.bundle)
      let text = Self.tail(of: log)
      if let line = text.split(separator: "\n").first(where: { $0.hasPrefix(Worker.refusal) }) {
        return fail(FolderError(String(line.dropFirst(Worker.refusal.count))))
      }
      let reason = text.isEmpty ? "its log '\(log)' is empty" : "its log ('\(log)') ends:\n\(text)"
      if folder.isFull {
        return fail(
          FolderError("the disk of '\(folder.path)' is full; nothing is lost: make room first"))
      }
      report("a job with \(Self.units(left)) has failed", left, reason, work)
    }
  }

  /// Says that a job has failed; it is run again, if it has not failed too often.
  private func report(_ what: String, _ left: [Int], _ reason: String, _ work: JobWork) {
    let tries = left.map { work.failures[$0, default: 0] }.max() ?? 0
    guard tries < slurm.options.tries else {
      return fail(FolderError("\(what) \(tries) times; \(reason)"))
    }
    complain("\(what), and is run again; \(reason)")
  }

  private static func units(_ units: [Int]) -> String {
    "\(units.count) \(units.count == 1 ? "unit" : "units")"
  }

  private static func tail(of log: String) -> String {
    let bytes = FolderFiles.bytes(of: log) ?? []
    return String(decoding: bytes.suffix(1_000), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func count(_ work: JobWork, isFirst: Bool) {
    let new = work.takeNew()
    update { status in
      status.done += isFirst ? 0 : new
      let left = work.units.count - work.answeredCount
      status.running = min(work.running, left)
      status.waiting = left - status.running
    }
  }

  private func update(_ body: (inout ClusterStatus) -> Void) {
    let status = state.withLock { state in
      body(&state.status)
      state.status.seconds = (ContinuousClock.now - start).inSeconds
      state.status.time = Clock.now
      return state.status
    }
    tell(status)
    status.write(to: folder)
  }
}
