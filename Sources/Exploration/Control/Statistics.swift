// The counts of a search; none of them depends on the clock.

/// Counts of one search.
public struct Statistics: Equatable, Codable, Sendable {
  /// Executions that ran until no CPU was enabled, or to a violation.
  public var executions = 0
  /// Executions stopped because every enabled CPU was asleep: redundant work.
  public var blocked = 0
  /// Executions cut by the depth bound.
  public var truncated = 0
  /// Steps taken, including repeated ones.
  public var transitions = 0
  /// Distinct states; 0 for a search that does not merge states.
  public var states = 0
  /// Different states that had the same key; only an exact search finds them.
  public var collisions = 0
  /// The states before merging those that differ by an exchange of identical CPUs; 0 without
  /// symmetry.
  public var statesCovered = 0
  /// Steps in the longest execution.
  public var depthMax = 0

  public init() {}

  /// Executions that have ended in any way.
  public var executionsBegun: Int { executions + blocked + truncated }

  /// Adds the counts of another part of the search.
  mutating func add(_ part: Statistics) {
    executions += part.executions
    blocked += part.blocked
    truncated += part.truncated
    transitions += part.transitions
    states += part.states
    statesCovered += part.statesCovered
    collisions += part.collisions
    depthMax = max(depthMax, part.depthMax)
  }

  /// Counts a state that a search has come to.
  mutating func add(isEnd: Bool, isTruncated: Bool) {
    if isEnd { executions += 1 }
    if isTruncated { truncated += 1 }
  }
}
