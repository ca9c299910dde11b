// What is said of a model's code when it traps, or takes no action for long.

import GracewalkFibers

extension Machine {
  /// Has traps in model code, and code that takes no action for long, reported on standard error
  /// until `endReports`, which is called as often.
  public static func beginReports() { CodeReports.begin() }

  public static func endReports() { CodeReports.end() }

  /// Lets a signal end the process where code never goes on to its next action; for its handler.
  package static func endWhereStuck(by signal: Int32) { CodeReports.endWhereStuck(by: signal) }

  /// How long code may run without an action before somebody says so.
  public static func setPatience(milliseconds: Int) {
    CodeReports.setPatience(milliseconds: milliseconds)
  }
}

extension Scenario {
  /// Says what the scenario is called, and how an execution of it is run again.
  ///
  /// - Parameters:
  ///   - command: what comes before and after the schedule in a command.
  ///   - call: the same in a test.
  package func setOrigin(
    model: String, command: (String, String), call: (String, String)
  ) {
    origin = CodeOrigin(model: model, command: command, call: call)
  }
}
