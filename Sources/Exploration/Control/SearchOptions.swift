// The options of all searches.

/// How to run a search.
public struct SearchOptions {
  public var limits = Limits()
  /// Keeps the key of every final state.
  public var collectsFinalStates = false
  /// Stores merged states in full and compares them, instead of trusting hashes.
  public var isExact = false
  /// Merges states that differ only by an exchange of identical CPUs; only the stateful search does
  /// so.
  public var usesSymmetry = false
  /// Takes a state for a finished one if they differ only in words that nobody reads any more; only
  /// the stateful search does so, and not if it is divided into units.
  public var matchesStates = true
  /// Seed of a search that samples.
  public var seed: UInt64 = 0
  /// Priority changes per execution, for a search that samples by priorities.
  public var priorityChanges = 2
  /// Called every few thousand transitions, sometimes twice; returns false to interrupt.
  public var watch: ((SearchProgress) -> Bool)?
  /// Transitions between two checks of the clock and the observer: a power of two.
  public var watchPeriod = 4_096
  /// When and how to save the search; nil for never.
  public var checkpoints: Checkpoints?
  /// A saved search of the same system, with the same options, to resume.
  public var resume: CheckpointReader?
  /// When the seconds of a bound began; nil for the start of the search.
  package var start: ContinuousClock.Instant?
  /// Plays long rounds of a divided search in other processes; nil for none.
  package var distantRounds: DistantRounds?

  public init(limits: Limits = Limits()) { self.limits = limits }
}
