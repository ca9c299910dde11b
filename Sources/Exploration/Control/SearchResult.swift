// What every search comes to: how it ended, what it counted, and where it found something.

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
