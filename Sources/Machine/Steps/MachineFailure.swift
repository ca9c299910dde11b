// Reasons why a machine cannot go on that are no fault of the modelled protocol.

/// Something about the model that keeps it from being checked.
public enum MachineFailure: Equatable, Sendable {
  /// A CPU reads the same again and again and waits for nothing.
  case spin(cpu: Int, location: String)
  /// Model code did something else when it was run again with the same observations.
  case notDeterministic(cpu: Int, expected: String, actual: String)
  /// An operation threw an error of its own.
  case operationThrew(cpu: Int, error: String)
  /// A CPU reached a page that its owner has not made reachable.
  case unpublished(cpu: Int, page: String)
  /// A CPU reached a page that nobody has allocated.
  case wildPointer(cpu: Int, page: String)
  /// CPUs that are declared identical are not.
  case notIdentical(String)
  /// A fixed capacity is too small for the model.
  case capacity(String)
  /// A loop whose turns are forgotten breaks the rules for such loops.
  case badLoop(cpu: Int, String)
  /// The model's author made a mistake in using the machine: what, and where.
  case misuse(String)
  /// Two different things have one 64-bit key; only an exact machine looks for it.
  case collision(String)
}
