// How far a running search is.

/// The progress report of a running search.
public struct SearchProgress: Sendable {
  public var statistics: Statistics
  public var depth: Int
  public var seconds: Double
  /// Bytes used for states; 0 for a search that stores none.
  public var bytes = 0
  /// The part of the run that is done, from 0 to 1; nil if it is too early to tell.
  ///
  /// The run ends with the search, or at a bound on executions or states.
  public var fractionDone: Double?
  /// Whether the fraction is exact, not estimated.
  public var isExact = false
  /// Seconds until the time bound is reached.
  public var secondsToBound: Double?

  /// Estimated seconds until the run ends at its present pace.
  public var secondsLeft: Double? {
    guard let fractionDone, fractionDone > 0 else { return nil }
    return seconds * (1 - fractionDone) / fractionDone
  }

  public init(statistics: Statistics, depth: Int, seconds: Double) {
    self.statistics = statistics
    self.depth = depth
    self.seconds = seconds
  }
}
