// Reports on model code that traps, or takes no action for a long time.

import GracewalkFibers

extension Machine {
  /// Starts reporting traps in model code, and code that takes no action for a long time, on
  /// standard error.
  ///
  /// Each call is paired with one of `endReports`.
  public static func beginReports() { CodeReports.begin() }

  public static func endReports() { CodeReports.end() }

  /// Called from a signal handler: lets the signal end the process if code never takes its next
  /// action.
  package static func endWhereStuck(by signal: Int32) { CodeReports.endWhereStuck(by: signal) }

  /// How long code may run without an action before it is reported.
  public static func setPatience(milliseconds: Int) {
    CodeReports.setPatience(milliseconds: milliseconds)
  }
}

extension Scenario {
  /// Sets the name of the scenario, and how to replay an execution of it.
  ///
  /// - Parameters:
  ///   - command: the text before and after the schedule in a command.
  ///   - call: the text before and after it in a test.
  package func setOrigin(
    model: String, command: (String, String), call: (String, String)
  ) {
    origin = CodeOrigin(model: model, command: command, call: call)
  }
}
