// Verdicts as JUnit XML, for continuous integration: suites of test cases, failures with traces.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// A report that build servers show as tests.
///
/// JUnit XML has no standard; this is the subset that common readers support. Times are the only
/// values that differ between two runs.
public struct JUnitText {
  var suites: [Suite]

  struct Suite {
    var name: String
    var cases: [Case]
    var seconds: Double?
  }

  struct Case {
    var name: String
    var suite: String
    var outcome: Outcome
    var seconds: Double?
  }

  enum Outcome {
    case passed
    /// The judged invariant fails.
    case failed(type: String, message: String, text: String)
    /// There should be a verdict, but there is none.
    case error(type: String, message: String, text: String)
    /// Not judged.
    case skipped(message: String)
  }

  /// A check of one model: a test case for each invariant that is required.
  ///
  /// - Parameter replayCommand: the command that replays the counterexample.
  public init(_ report: CheckReport, seconds: Double? = nil, replayCommand: String? = nil) {
    let name = Self.name(report.model, report.parameters.values)
    let text = Self.text(of: report, replayCommand)
    var cases = report.invariants.map { id in
      Case(name: id, suite: name, outcome: Self.outcome(of: id, report, text))
    }
    if let missing = report.vacuousText {
      let outcome = Outcome.error(type: "vacuous", message: missing, text: text)
      cases.append(Case(name: "must-happen", suite: name, outcome: outcome))
    }
    cases += report.notJudged.map { item in
      let message = "not judged: it is for \(item.appliesTo), and the model does not require it"
      return Case(name: item.invariant, suite: name, outcome: .skipped(message: message))
    }
    suites = [Suite(name: name, cases: cases, seconds: seconds)]
  }

  /// The catalogue: a suite for each model, a test case for each verdict that it declares.
  public init(_ checks: [JudgedCheck]) {
    suites = []
    for check in checks {
      let model = check.report.model
      if suites.last?.name != model { suites.append(Suite(name: model, cases: [])) }
      let name = Self.name(check.declared.verdict, check.report.parameters.values)
      suites[suites.count - 1].cases.append(
        Case(name: name, suite: model, outcome: Self.outcome(of: check), seconds: check.seconds))
      if let seconds = check.seconds {
        suites[suites.count - 1].seconds = (suites[suites.count - 1].seconds ?? 0) + seconds
      }
    }
  }

  /// A replay: one test case, which passes if nothing fails in this execution.
  public init(_ trace: Trace) {
    let name = Self.name(trace.model, trace.parameters)
    var outcome = Outcome.passed
    if let (id, violation) = trace.violation {
      let text = TraceText(trace)
      let lines = text.body + ["", text.replayCommand(namesInvariants: true, namesFeatures: true)]
      outcome = .failed(
        type: id, message: violation.message, text: lines.joined(separator: "\n"))
    }
    let item = Case(
      name: "replay \(trace.recording.schedule.text)", suite: name, outcome: outcome)
    suites = [Suite(name: name, cases: [item])]
  }

  private static func name(_ name: String, _ values: [(name: String, value: Int)]) -> String {
    name + parameterText(values)
  }

  private static func text(of report: CheckReport, _ replayCommand: String?) -> String {
    let text = CheckText(report)
    return (text.header + [""] + text.body + (replayCommand.map { ["", $0] } ?? []))
      .joined(separator: "\n")
  }

  /// A search ends with the first violation, so the other invariants are not judged.
  private static func outcome(of id: String, _ report: CheckReport, _ text: String) -> Outcome {
    switch report.verdict {
    case .holds, .incomplete(.vacuous): return .passed
    case .incomplete:
      return .error(type: "incomplete", message: report.advice ?? "incomplete", text: text)
    case .violated:
      guard id == report.violatedInvariant,
        case .violated(_, let violation) = report.counterexample?.recording.end
      else {
        let violated = report.violatedInvariant ?? ""
        return .skipped(message: "not judged: the check ended where \(violated) failed")
      }
      return .failed(type: id, message: violation.message, text: text)
    }
  }

  private static func outcome(of check: JudgedCheck) -> Outcome {
    guard !check.isAsDeclared else { return .passed }
    let report = check.report
    let command = report.counterexample.map {
      TraceText($0).replayCommand(namesInvariants: check.declared.violated != nil)
    }
    let text = Self.text(of: report, command)
    let message = "declared: \(check.declared.verdict); found: \(CheckText(report).verdict)"
    return report.exitStatus == 3
      ? .error(type: "incomplete", message: message, text: text)
      : .failed(type: report.violatedInvariant ?? "holds", message: message, text: text)
  }

  public var text: String {
    let total = counts(of: suites.flatMap(\.cases))
    let root = XMLElementText(
      name: "testsuites",
      attributes: [("name", "gracewalk")] + total + time(suites.compactMap(\.seconds)),
      children: suites.map(element))
    let lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"] + root.lines()
    return lines.joined(separator: "\n") + "\n"
  }

  private func element(_ suite: Suite) -> XMLElementText {
    XMLElementText(
      name: "testsuite",
      attributes: [("name", suite.name)] + counts(of: suite.cases)
        + time(suite.seconds.map { [$0] } ?? []),
      children: suite.cases.map(element))
  }

  private func element(_ item: Case) -> XMLElementText {
    let children: [XMLElementText] =
      switch item.outcome {
      case .passed: []
      case .failed(let type, let message, let text): [problem("failure", type, message, text)]
      case .error(let type, let message, let text): [problem("error", type, message, text)]
      case .skipped(let message):
        [XMLElementText(name: "skipped", attributes: [("message", message)])]
      }
    return XMLElementText(
      name: "testcase",
      attributes: [("name", item.name), ("classname", "gracewalk.\(item.suite)")]
        + time(item.seconds.map { [$0] } ?? []),
      children: children)
  }

  private func problem(
    _ name: String, _ type: String, _ message: String, _ text: String
  ) -> XMLElementText {
    XMLElementText(name: name, attributes: [("message", message), ("type", type)], text: text)
  }

  private func counts(of cases: [Case]) -> [(name: String, value: String)] {
    var (failures, errors, skipped) = (0, 0, 0)
    for item in cases {
      switch item.outcome {
      case .passed: continue
      case .failed: failures += 1
      case .error: errors += 1
      case .skipped: skipped += 1
      }
    }
    return [
      ("tests", "\(cases.count)"), ("failures", "\(failures)"), ("errors", "\(errors)"),
      ("skipped", "\(skipped)"),
    ]
  }

  /// In milliseconds, without an exponent, which some readers reject.
  private func time(_ seconds: [Double]) -> [(name: String, value: String)] {
    guard !seconds.isEmpty else { return [] }
    let milliseconds = Int((seconds.reduce(0, +) * 1000).rounded())
    let digits = String(milliseconds % 1000)
    let fraction = String(repeating: "0", count: 3 - digits.count) + digits
    return [("time", "\(milliseconds / 1000).\(fraction)")]
  }
}
