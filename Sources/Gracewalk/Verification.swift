// Models in a user's tests: an expectation that throws an error with the full explanation.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

extension Model {
  /// Checks that the model has the verdict it declares, at each of its instances.
  ///
  /// A model that is declared to hold must hold, and its declared outcomes must happen. A model
  /// that is declared to violate invariants must violate each of them when it is the only one
  /// required. A model that holds must require every invariant that applies to its code, or have an
  /// `Exemption`.
  ///
  ///     @Test func tablesAreInstalledOnce() throws {
  ///       try model.verify()
  ///     }
  ///
  /// - Parameter options: how to search; parameters and invariants come from the declaration.
  /// - Returns: the reports, one for each instance and declared violation.
  /// - Throws: `VerificationFailure`, whose description has the trace and the line that replays it;
  ///   `CheckError` if the model's code breaks the rules.
  @discardableResult
  public func verify(_ options: CheckOptions = CheckOptions()) throws -> [CheckReport] {
    try declaredChecks.map { declared in
      let judged = JudgedCheck(declared, try check(declared.options(options)))
      guard judged.isAsDeclared, judged.report.notJudged.isEmpty else {
        throw VerificationFailure(judged)
      }
      return judged.report
    }
  }

  /// Replays one execution, such as one that a failure of `verify` shows.
  ///
  ///     print(try model.replay("0,1*4,0*3"))
  ///     #expect(try model.replay("0,1*4,0*3").violation == nil)
  ///
  /// - Parameters:
  ///   - schedule: which CPU takes each step: `0*4,1` is CPU 0 four times, then CPU 1.
  ///   - parameters: values for the model's parameters; others have their default values.
  ///   - invariants: ids of the only invariants to require; nil for all of the model's.
  /// - Returns: the trace; its description is a table of its steps.
  /// - Throws: `ReplayFailure` if the schedule does not fit the model, `CheckError` if the other
  ///   arguments do not.
  public func replay(
    _ schedule: String, parameters: [String: Int] = [:], invariants: [String]? = nil
  ) throws -> Trace {
    let scenario = try scenario(parameters: parameters, invariants: invariants)
    guard let steps = Schedule(text: schedule) else {
      throw ReplayFailure(
        "'\(schedule.excerpt())' is not a schedule; steps are given as in 0*4,1,2:1 (CPU, *times, "
          + ":choice), and the part that repeats forever at the end, as in 0*4,(1,2)")
    }
    let recording: Recording
    do throws(RecordingError) {
      recording = try Recording(steps, of: scenario)
    } catch {
      throw ReplayFailure("the schedule does not fit \(name): \(error.text(for: scenario))")
    }
    return Trace(
      scenario: checked(scenario, values(parameters)), foundBy: "replay", isMinimal: false,
      recording: recording)
  }
}

/// A model's verdict is not the declared one, or the model leaves out an invariant that applies.
public struct VerificationFailure: Error, CustomStringConvertible {
  public let check: JudgedCheck

  init(_ check: JudgedCheck) { self.check = check }

  public var description: String {
    let text = CheckText(check.report, showsSources: true)
    let what =
      check.isAsDeclared
      ? "which is right, but some invariants that apply are not judged; require them, or say in an "
        + "Exemption why they need not hold:"
      : "found otherwise:"
    var lines = ["declared: \(check.declared.verdict); \(what)"] + text.header
    guard let trace = check.report.counterexample else {
      return lines.joined(separator: "\n")
    }
    lines += [""] + text.body + ["", "To see this execution again, in a test of this model:"]
    return (lines + ["  print(try model.\(call(for: trace)))"]).joined(separator: "\n")
  }

  private func call(for trace: Trace) -> String {
    var arguments = ["\"\(trace.recording.schedule.text)\""]
    if !trace.parameters.isEmpty {
      let values = trace.parameters.map { "\"\($0.name)\": \($0.value)" }
      arguments.append("parameters: [\(values.joined(separator: ", "))]")
    }
    if let id = check.declared.violated { arguments.append("invariants: [\"\(id)\"]") }
    return "replay(\(arguments.joined(separator: ", ")))"
  }
}

/// A malformed schedule, or one that does not fit the model.
public struct ReplayFailure: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
