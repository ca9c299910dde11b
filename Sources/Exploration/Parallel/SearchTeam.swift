// What the threads of one search share: tasks, states, summaries, counts, and how it ends.

import Dispatch
import GracewalkSupport
import Synchronization

/// Numbers that all members of a team read and write.
struct TeamSignals: ~Copyable {
  /// Threads without a task.
  let hungry = Atomic<Int>(0)
  /// Tasks that nobody has taken yet.
  let queued = Atomic<Int>(0)
  let stopped = Atomic<Bool>(false)

  @inline(__always)
  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// Whether somebody waits for a task.
  @inline(__always)
  var wantsTask: Bool { hungry.load(ordering: .relaxed) > queued.load(ordering: .relaxed) }
}

/// Threads that explore one system together, each on a copy of its own.
///
/// Whoever has nothing to do is hungry; whoever explores looks now and then whether somebody is,
/// and gives a part of its stack away. Whoever cannot go on before such a part is done carries out
/// tasks of others meanwhile.
final class SearchTeam: @unchecked Sendable {
  private struct State {
    var tasks: [SharedTask] = []
    /// Only one thread holds a member at a time.
    var idleMembers: [StatefulSearch] = []
    /// Per member, what it had counted when it last said.
    var counts: [Statistics] = []
    var ending: (Ending, Schedule?)?
    /// How much was explored when the member that began last said.
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
  /// What members look at all the time.
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

  /// Takes note of what a member has counted and stops everybody if a limit is met.
  func report(_ statistics: Statistics, of member: Int, depth: Int) {
    let (total, part) = state.withLock { state in
      state.counts[member] = statistics
      return (state.counts.total, state.part)
    }
    let bytes = states.bytes + summaries.bytes
    // Whoever watches may take long, as one that samples does; the others need not wait for it.
    let bound = budget.withLockIfAvailable {
      $0.exceededNow(total, depth: depth, bytes: bytes, explored: part.explored)
    }
    if case .some(.some(let bound)) = bound { stop(.bounded(bound)) }
  }

  /// Takes note of how much is explored, as the member that began sees it.
  func note(_ part: LentPart) { state.withLock { $0.part = part } }

  // MARK: Tasks

  /// Hands a task over to whoever takes it first.
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

  /// Carries out tasks until something has happened, or everything has ended.
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

  /// Runs the search on so many threads, the calling one included.
  func run(jobs: Int) -> SearchResult {
    // One thread uses it, and this one once all are done.
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
      // Members know their team, so a team that kept them would never be freed, nor would they.
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
  /// All counts added up.
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
