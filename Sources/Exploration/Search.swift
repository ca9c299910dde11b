// What every search has in common: how it ends, and when it must stop early.

import Support

/// How a search ended.
public enum Ending: Equatable, Sendable {
  /// Everything was explored.
  case complete
  /// An invariant failed at the end of the schedule.
  case violation
  /// The system could not go on at the end of the schedule.
  case halted
  /// A bound kept part of the executions away.
  case bounded(Bound)
  /// What was saved does not fit the system, so nothing was explored.
  case refused(CheckpointError)
}

/// What a search found.
public struct SearchResult: Sendable {
  public var ending: Ending
  public var statistics: Statistics
  /// Where it ended, for a violation or a halt.
  public var schedule: Schedule?
  /// Keys of the states in which no CPU was enabled, ascending; empty unless asked for.
  public var finalStates: [UInt64]

  public init(
    ending: Ending, statistics: Statistics, schedule: Schedule?, finalStates: [UInt64] = []
  ) {
    self.ending = ending
    self.statistics = statistics
    self.schedule = schedule
    self.finalStates = finalStates
  }
}

extension SearchResult {
  /// The result of a search that ended where these steps lead, which matters if it found something.
  init(
    _ ending: Ending, _ statistics: Statistics, finalStates: [UInt64],
    steps: @autoclosure () -> [Schedule.Step]
  ) {
    let isFound = ending == .violation || ending == .halted
    self.init(
      ending: ending, statistics: statistics, schedule: isFound ? Schedule(steps()) : nil,
      finalStates: Array(Set(finalStates)).sorted())
  }
}

/// What a running search tells whoever watches it.
public struct SearchProgress: Sendable {
  public var statistics: Statistics
  public var depth: Int
  public var seconds: Double
}

/// How to run a search.
public struct SearchOptions {
  public var limits = Limits()
  /// Keeps the key of every final state.
  public var collectsFinalStates = false
  /// Keeps states in full and compares them, where states are merged, instead of trusting hashes.
  public var isExact = false
  /// Seed of a search that samples.
  public var seed: UInt64 = 0
  /// Priority changes per execution, for a search that samples by priorities.
  public var priorityChanges = 2
  /// Called every few thousand transitions, sometimes twice; returns false to interrupt.
  public var watch: ((SearchProgress) -> Bool)?
  /// Transitions from one look at clock and watcher to the next: a power of two.
  public var watchPeriod = 4_096
  /// When and how to save the search; nil for never.
  public var checkpoints: Checkpoints?
  /// What an earlier search of the same system, with the same options, has saved.
  public var resume: CheckpointReader?

  public init(limits: Limits = Limits()) { self.limits = limits }
}

/// Stops a search at its limits, and has it saved when it is time.
///
/// Looks at the clock only every few thousand transitions.
final class Budget {
  let limits: Limits
  private let watch: ((SearchProgress) -> Bool)?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let periodMask: Int
  private let checkpointer: Checkpointer?
  private let resume: CheckpointReader?

  init(_ options: SearchOptions) {
    limits = options.limits
    watch = options.watch
    start = clock.now
    precondition(options.watchPeriod.nonzeroBitCount == 1, "the period is a power of two")
    periodMask = options.watchPeriod - 1
    checkpointer = options.checkpoints.map { Checkpointer($0) }
    resume = options.resume
  }

  /// Begins a search by looking at its first state, or goes on with what was saved; returns how
  /// the search ends, or nil if it goes on.
  func begin(
    _ search: any ResumableSearch, _ system: TransitionSystem, _ arrive: () -> Ending?
  ) -> Ending? {
    checkpointer?.watch(search, system)
    guard let resume else { return arrive() }
    do throws(CheckpointError) {
      try Checkpointer.restore(search, system, from: resume)
      return nil
    } catch {
      return .refused(error)
    }
  }

  /// The bound that is met, if any; what was found until then is saved.
  func exceeded(_ statistics: Statistics, depth: Int, bytes: Int = 0) -> Bound? {
    guard let bound = bound(statistics, depth, bytes) else { return nil }
    checkpointer?.save()
    return bound
  }

  @inline(__always)
  private func bound(_ statistics: Statistics, _ depth: Int, _ bytes: Int) -> Bound? {
    if let most = limits.memoryBytes, bytes > most { return .memory }
    if let executions = limits.executions,
      statistics.executions + statistics.blocked + statistics.truncated >= executions
    {
      return .executions
    }
    if let states = limits.states, statistics.states >= states { return .states }
    guard statistics.transitions & periodMask == 0 else { return nil }
    return slowlyExceeded(statistics, depth: depth)
  }

  private func slowlyExceeded(_ statistics: Statistics, depth: Int) -> Bound? {
    guard limits.seconds != nil || watch != nil || checkpointer != nil else { return nil }
    checkpointer?.saveIfDue()
    let elapsed = clock.now - start
    let seconds =
      Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    if let limit = limits.seconds, seconds >= limit { return .seconds }
    let progress = SearchProgress(statistics: statistics, depth: depth, seconds: seconds)
    if let watch, !watch(progress) { return .interrupted }
    return nil
  }
}
