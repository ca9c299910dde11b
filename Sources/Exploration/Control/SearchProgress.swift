// How far a running search is.

/// What a running search tells whoever watches it.
public struct SearchProgress: Sendable {
  public var statistics: Statistics
  public var depth: Int
  public var seconds: Double
  /// Held for states; 0 for a search that keeps none.
  public var bytes = 0
  /// How much of the run is done, from 0 to 1; nil if it is too early to say.
  ///
  /// The run ends with the search, or where it meets a bound on executions or states.
  public var fractionDone: Double?
  /// Whether the fraction is known and not estimated.
  public var isExact = false
  /// Seconds until the bound on them is met.
  public var secondsToBound: Double?

  /// Seconds until the run ends if it goes on as it did so far.
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
