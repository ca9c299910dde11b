// The choice of the search: with the scenario, it determines the report.

import GracewalkExploration

/// How to search, and how far.
public struct SearchChoice: Hashable, Codable, Sendable {
  public var strategy = Strategy.stateful
  public var limits = Limits()
  /// Whether the stateful search merges states that differ only by an exchange of identical CPUs.
  public var usesSymmetry = true
  /// Seed of a search that samples.
  public var seed: UInt64 = 0
  /// Priority changes per execution, for `pct`.
  public var priorityChanges = 2
  /// Threads of a stateful search.
  public var jobs = 1
  /// Whether a long search also samples executions, for at most a tenth of its steps: it may find a
  /// violation sooner, and has the same verdict.
  public var usesSamples = true
  /// Whether states are kept and compared in full, for a search that merges states.
  public var isExact = false
  /// Whether to search for the simplest counterexample once one is found.
  public var minimises = true
  /// Units into which a long stateful search is divided, for several machines; 1 for none.
  ///
  /// Counts depend on it, and not on how many machines there are.
  public var units = 1
  /// Transitions of a unit, after which it is divided again; nil for ever more of them.
  public var unitLength: Int?

  public static let unitsMax = 4_096
  public static let unitLengthMax = 1 << 40

  public init() {}
}
