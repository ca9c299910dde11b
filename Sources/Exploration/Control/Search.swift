// What every search has in common: how it ends, and when it must stop early.

import GracewalkSupport

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

extension StepOutcome {
  /// How a search ends where this is met; nil if it goes on.
  var ending: Ending? {
    switch self {
    case .clean: nil
    case .violation: .violation
    case .halted: .halted
    }
  }
}

/// What a search found.
public struct SearchResult: Sendable {
  public var ending: Ending
  public var statistics: Statistics
  /// Where it ended, for a violation or a halt.
  public var schedule: Schedule?
  /// Keys of the states in which no CPU was enabled, ascending; empty unless asked for.
  public var finalStates: [UInt64]
  /// How much is explored, from 0 to 1: an estimate, for a depth-first search that met a bound.
  ///
  /// It follows from the counts alone, not from the clock.
  public var explored: Double?
  /// Whether no simpler schedule does: said only of one that repeats.
  public var isSimplest = false
  /// Set if it was not the search itself that found the violation, but a sample on its side.
  public var sample: SamplingPhases.Finding?

  public init(
    ending: Ending, statistics: Statistics, schedule: Schedule?, finalStates: [UInt64] = [],
    explored: Double? = nil
  ) {
    self.ending = ending
    self.statistics = statistics
    self.schedule = schedule
    self.finalStates = finalStates
    self.explored = explored
  }
}

extension SearchResult {
  /// The result of a search that ended where these steps lead, which matters if it found something.
  init(
    _ ending: Ending, _ statistics: Statistics, finalStates: [UInt64], explored: Double?,
    steps: @autoclosure () -> [Schedule.Step]
  ) {
    let isFound = ending == .violation || ending == .halted
    var isBounded = false
    if case .bounded = ending { isBounded = true }
    self.init(
      ending: ending, statistics: statistics, schedule: isFound ? Schedule(steps()) : nil,
      finalStates: Array(Set(finalStates)).sorted(), explored: isBounded ? explored : nil)
  }
}

/// How to run a search.
public struct SearchOptions {
  public var limits = Limits()
  /// Keeps the key of every final state.
  public var collectsFinalStates = false
  /// Keeps states in full and compares them, where states are merged, instead of trusting hashes.
  public var isExact = false
  /// Takes states that differ only by an exchange of identical CPUs for one; the stateful search
  /// alone does so.
  public var usesSymmetry = false
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
  private var forecast = Forecast()
  /// Transitions between two looks at the clock.
  static let period = 4_096
  private let periodMask: Int
  private let checkpointer: Checkpointer?
  private let resume: CheckpointReader?

  init(_ options: SearchOptions) {
    limits = options.limits
    watch = options.watch
    start = clock.now
    demand(options.watchPeriod.nonzeroBitCount == 1, "the period is a power of two")
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
    if let stop = system.judgeStart().ending { return stop }
    guard let resume else { return arrive() }
    do throws(CheckpointError) {
      try Checkpointer.restore(search, system, from: resume)
      return nil
    } catch {
      return .refused(error)
    }
  }

  /// The bound that is met, if any; what was found until then is saved.
  ///
  /// - Parameter explored: how much is explored, as the search's stack says; asked for only when
  ///   somebody watches. Nil for a search that has no end of its own.
  func exceeded(
    _ statistics: Statistics, depth: Int, bytes: Int = 0, explored: @autoclosure () -> Double?
  ) -> Bound? {
    guard let bound = bound(statistics, depth, bytes, explored) else { return nil }
    checkpointer?.save()
    return bound
  }

  @inline(__always)
  private func bound(
    _ statistics: Statistics, _ depth: Int, _ bytes: Int, _ explored: () -> Double?
  ) -> Bound? {
    if let most = limits.memoryBytes, bytes > most { return .memory }
    if let executions = limits.executions, statistics.executionsBegun >= executions {
      return .executions
    }
    if let states = limits.states, statistics.states >= states { return .states }
    guard statistics.transitions & periodMask == 0 else { return nil }
    return slowlyExceeded(statistics, depth: depth, bytes: bytes, explored)
  }

  /// The bound that is met, if any; looks at the clock, too.
  func exceededNow(
    _ statistics: Statistics, depth: Int, bytes: Int, explored: Double?
  ) -> Bound? {
    exceeded(statistics, depth: depth, bytes: bytes, explored: explored)
      ?? slowlyExceeded(statistics, depth: depth, bytes: bytes) { explored }
  }

  private func slowlyExceeded(
    _ statistics: Statistics, depth: Int, bytes: Int, _ explored: () -> Double?
  ) -> Bound? {
    guard limits.seconds != nil || watch != nil || checkpointer != nil else { return nil }
    checkpointer?.saveIfDue()
    let seconds = (clock.now - start).inSeconds
    if let limit = limits.seconds, seconds >= limit { return .seconds }
    guard let watch else { return nil }
    var progress = SearchProgress(statistics: statistics, depth: depth, seconds: seconds)
    progress.bytes = bytes
    progress.secondsToBound = limits.seconds.map { $0 - seconds }
    let explored = explored()
    progress.isExact = explored == nil
    progress.fractionDone = [
      explored.flatMap { forecast.done($0, after: statistics.transitions) },
      limits.executions.map { Double(statistics.executionsBegun) / Double($0) },
      limits.states.map { Double(statistics.states) / Double($0) },
    ].compactMap(\.self).max()
    return watch(progress) ? nil : .interrupted
  }
}
