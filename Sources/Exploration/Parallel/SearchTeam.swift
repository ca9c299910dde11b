// The state shared by the threads of one search: tasks, states, summaries, counts, and its end.

import Dispatch
import GracewalkSupport
import Synchronization

/// Numbers that all members of a team read and write.
struct TeamSignals: ~Copyable {
  /// Threads without a task.
  let hungry = Atomic<Int>(0)
  /// Tasks that no thread has taken yet.
  let queued = Atomic<Int>(0)
  let stopped = Atomic<Bool>(false)

  @inline(__always)
  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Whether a thread waits for a task.
  @inline(__always)
  var wantsTask: Bool { hungry.load(ordering: .relaxed) > queued.load(ordering: .relaxed) }
}

/// Threads that explore one system together, each on a copy of its own.
///
/// A thread without work is hungry. Exploring threads poll for hungry ones and give them parts of
/// their stacks. A thread that must wait for such a part runs other threads' tasks meanwhile.
final class SearchTeam: @unchecked Sendable {
  private struct State {
    var tasks: [SharedTask] = []
    /// Only one thread holds a member at a time.
    var idleMembers: [StatefulSearch] = []
    /// Per member, its counts at its latest report.
    var counts: [Statistics] = []
    var ending: (Ending, Schedule?)?
    /// The explored part at the latest report of the first member.
    var part = LentPart()

    mutating func takeCounts(of member: StatefulSearch) {
      guard let number = member.membership?.number else { return }
      counts[number] = member.statistics
    }
  }

  let states = SharedStates()
  let summaries = SharedSummaries()
  private let state = Locked(State())
  private let budget: Locked<Budget>
  /// The signals that members poll.
  let signals: UnsafeMutablePointer<TeamSignals>
  private let makeMember: @Sendable (SearchTeam, Int) -> StatefulSearch

  /// - Parameter makeMember: makes a search on a fresh system, given the team and its number in it.
  init(
    _ options: SearchOptions, makeMember: @escaping @Sendable (SearchTeam, Int) -> StatefulSearch
  ) {
    budget = Locked(Budget(options))
    signals = .allocate(capacity: 1)
    signals.initialize(to: TeamSignals())
    self.makeMember = makeMember
  }

  deinit {
    signals.deinitialize(count: 1)
    signals.deallocate()
    states.deallocate()
  }

  // MARK: Ending

  var isStopped: Bool { signals.pointee.isStopped }

  /// Ends the whole search, unless it ended already.
  func stop(_ ending: Ending, _ schedule: Schedule? = nil) {
    state.withLock { if $0.ending == nil { $0.ending = (ending, schedule) } }
    signals.pointee.stopped.store(true, ordering: .releasing)
  }

  /// Records a member's counts, and stops all members if a limit is reached.
  func report(_ statistics: Statistics, of member: Int, depth: Int) {
    let (total, part) = state.withLock { state in
      state.counts[member] = statistics
      return (state.counts.total, state.part)
    }
    let bytes = states.bytes + summaries.bytes
    // An observer may be slow, for example if it samples; other threads need not wait for it.
    let bound = budget.withLockIfAvailable {
      $0.exceededNow(total, depth: depth, bytes: bytes, explored: part.explored)
    }
    if case .some(.some(let bound)) = bound { stop(.bounded(bound)) }
  }

  /// Records the explored part, as the first member estimates it.
  func note(_ part: LentPart) { state.withLock { $0.part = part } }

  // MARK: Tasks

  /// Queues a task for the first thread that takes it.
  func give(_ task: SharedTask) {
    state.withLock { $0.tasks.append(task) }
    signals.pointee.queued.wrappingAdd(1, ordering: .releasing)
  }

  private func takeTask() -> SharedTask? {
    guard signals.pointee.queued.load(ordering: .acquiring) > 0 else { return nil }
    return state.withLock { state in
      guard !state.tasks.isEmpty else { return nil }
      signals.pointee.queued.wrappingSubtract(1, ordering: .relaxed)
      return state.tasks.removeFirst()
    }
  }

  /// Runs tasks until a condition holds or the search has ended.
  func work(until hasHappened: () -> Bool) {
    while !hasHappened() && !isStopped {
      if let task = takeTask() {
        carryOut(task)
        continue
      }
      signals.pointee.hungry.wrappingAdd(1, ordering: .relaxed)
      while !hasHappened() && !isStopped && signals.pointee.queued.load(ordering: .acquiring) == 0 {
        pause(microseconds: 50)
      }
      signals.pointee.hungry.wrappingSubtract(1, ordering: .relaxed)
    }
  }

  private func carryOut(_ task: SharedTask) {
    let member = takeMember()
    member.carryOut(task)
    state.withLock { state in
      state.takeCounts(of: member)
      state.idleMembers.append(member)
    }
    task.isDone.store(true, ordering: .releasing)
  }

  private func takeMember() -> StatefulSearch {
    if let member = state.withLock({ $0.idleMembers.popLast() }) { return member }
    let number = state.withLock { state in
      state.counts.append(Statistics())
      return state.counts.count - 1
    }
    return makeMember(self, number)
  }

  // MARK: The whole

  /// Runs the search on `jobs` threads, including the calling one.
  func run(jobs: Int) -> SearchResult {
    // One thread uses it, then this one when all are done.
    nonisolated(unsafe) let first = takeMember()
    DispatchQueue.concurrentPerform(iterations: jobs) { index in
      if index == 0 {
        stop(first.runAsFirst())
      } else {
        work { false }
      }
    }
    return state.withLock { state in
      state.takeCounts(of: first)
      var ending = state.ending ?? (.complete, nil)
      let total = state.counts.total
      if ending.0 == .complete, total.truncated > 0 { ending.0 = .bounded(.depth) }
      let searches = [first] + state.idleMembers
      // Members refer to their team, so a team that kept them would leak.
      state.idleMembers = []
      var explored: Double?
      if case .bounded = ending.0 { explored = first.explored }
      let finals = searches.flatMap(\.finalStates)
      return SearchResult(
        ending: ending.0, statistics: total, schedule: ending.1,
        finalStates: Array(Set(finals)).sorted(), explored: explored)
    }
  }
}

extension [Statistics] {
  /// The sum of all counts.
  var total: Statistics {
    reduce(into: Statistics()) { total, part in
      total.executions += part.executions
      total.blocked += part.blocked
      total.truncated += part.truncated
      total.states += part.states
      total.statesCovered += part.statesCovered
      total.collisions += part.collisions
      total.transitions += part.transitions
      total.depthMax = Swift.max(total.depthMax, part.depthMax)
    }
  }
}
