// What every search can be told.

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
