// Litmus tests as JUnit XML, for continuous integration.

import GracewalkLitmus
import GracewalkMachine

extension JUnitText {
  /// Litmus tests: one suite, with a test case for each, which fails if the answer is `No`.
  package init(_ rows: [LitmusRow], under model: MemoryModel) {
    let name = "litmus --memory \(model.rawValue)"
    let cases = rows.map { row in
      Case(name: row.file, suite: name, outcome: Self.outcome(of: row), seconds: row.seconds)
    }
    let seconds = rows.compactMap(\.seconds)
    suites = [
      Suite(name: name, cases: cases, seconds: seconds.isEmpty ? nil : seconds.reduce(0, +))
    ]
  }

  private static func outcome(of row: LitmusRow) -> Outcome {
    switch row.result {
    case .failure(let error):
      let message = "line \(error.line): \(error.message)"
      return .error(type: "not-read", message: message, text: "\(row.file): \(message)")
    case .success(let report):
      let text = LitmusText(style: .plain).lines(report, seconds: nil).joined(separator: "\n")
      let message = "\(report.observation.rawValue): \(report.test.condition.text)"
      switch report.answer {
      case .validated: return .passed
      case .refuted: return .failed(type: report.answer.rawValue, message: message, text: text)
      case .open:
        return .error(type: "incomplete", message: report.reason ?? message, text: text)
      }
    }
  }
}
