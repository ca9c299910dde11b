// Reasons why a machine cannot continue, other than a violation.

/// A problem of the model that prevents a check.
public enum MachineFailure: Equatable, Sendable {
  /// A CPU reads the same values again and again instead of waiting.
  case spin(cpu: Int, location: String)
  /// Model code behaved differently when it was run again with the same observations.
  case notDeterministic(cpu: Int, expected: String, actual: String)
  /// An operation threw an error of its own.
  case operationThrew(cpu: Int, error: String)
  /// A CPU reached a page that its owner has not made reachable.
  case unpublished(cpu: Int, page: String)
  /// A CPU accessed a page that was never allocated.
  case wildPointer(cpu: Int, page: String)
  /// CPUs declared identical are not.
  case notIdentical(String)
  /// A fixed capacity is too small for the model.
  case capacity(String)
  /// The memory model kept more stores apart than there is room for, so not all of the model can be
  /// explored.
  case cap(String)
  /// A loop whose turns are forgotten breaks the rules for such loops.
  case badLoop(cpu: Int, String)
  /// A mistake of the model's author in using the API, with its place.
  case misuse(String)
  /// Two different values have the same 64-bit key; only an exact machine detects it.
  case collision(String)
}
