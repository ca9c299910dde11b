// The result of every search: its end, its counts, and the schedule of a violation.

/// How a search ended.
public enum Ending: Equatable, Sendable {
  /// Everything was explored.
  case complete
  /// An invariant failed at the end of the schedule.
  case violation
  /// The system could not continue at the end of the schedule.
  case halted
  /// A bound excluded some executions.
  case bounded(Bound)
  /// The checkpoint does not fit the system, so nothing was explored.
  case refused(CheckpointError)
}

extension StepOutcome {
  /// The end of a search at such an outcome; nil to continue.
  var ending: Ending? {
    switch self {
    case .clean: nil
    case .violation: .violation
    case .halted: .halted
    }
  }
}

/// The result of a search.
public struct SearchResult: Sendable {
  public var ending: Ending
  public var statistics: Statistics
  /// The schedule of a violation or a halt.
  public var schedule: Schedule?
  /// Keys of the states in which no CPU was enabled, ascending; empty unless requested.
  public var finalStates: [UInt64]
  /// The estimated part explored, from 0 to 1, for a depth-first search that a bound ended.
  ///
  /// It depends only on counts, not on the clock.
  public var explored: Double?
  /// Whether no simpler schedule exists; set only for one that repeats.
  public var isSimplest = false
  /// Set if sampling found the violation, not the search itself.
  public var sample: SamplingPhases.Finding?
  /// How often members of a team have finished a state that another had in the same round; nil if
  /// the search was not divided.
  package var statesTwice: Int?

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
  /// The result of a search that ended after these steps, which are kept only if it found
  /// something.
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
