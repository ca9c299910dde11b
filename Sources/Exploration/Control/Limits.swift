// Every bound of a search, and the name of the one that ended it.

/// Bounds on a search; `nil` means unbounded.
public struct Limits: Hashable, Codable, Sendable {
  /// Preemptions per execution.
  public var preemptions: Int?
  /// Steps per execution.
  public var depth: Int
  /// Executions, complete and blocked together.
  public var executions: Int?
  /// Distinct states, for a search that merges them.
  public var states: Int?
  /// Wall-clock seconds.
  public var seconds: Double?
  /// Bytes for stored states.
  public var memoryBytes: Int?

  public static let defaultDepth = 10_000

  public init(
    preemptions: Int? = nil, depth: Int = Limits.defaultDepth, executions: Int? = nil,
    states: Int? = nil, seconds: Double? = nil, memoryBytes: Int? = nil
  ) {
    self.preemptions = preemptions
    self.depth = depth
    self.executions = executions
    self.states = states
    self.seconds = seconds
    self.memoryBytes = memoryBytes
  }

  /// Whether a bound may cut executions short, so that states after the cut are missed.
  package var cutExecutions: Bool { preemptions != nil || depth < Limits.defaultDepth }
}

/// The bound that ended a search, or cut executions short, before everything was explored.
public enum Bound: String, Codable, Equatable, Sendable {
  case preemptions, depth, executions, states, seconds, interrupted
  case memory = "max-memory"
}
