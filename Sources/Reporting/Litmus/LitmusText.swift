// What a litmus test shows, in herd's lines; and many tests as a table.

import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine

/// A litmus test that was asked for: what was found, or why it could not be read.
package struct LitmusRow: Sendable {
  package var file: String
  package var result: Result<LitmusReport, LitmusError>
  package var seconds: Double?

  package init(_ file: String, _ result: Result<LitmusReport, LitmusError>, seconds: Double?) {
    self.file = file
    self.result = result
    self.seconds = seconds
  }
}

package struct LitmusText {
  private let style: Style

  package init(style: Style) { self.style = style }

  // MARK: One test

  /// The lines of herd, which scripts read, and then which executions they are about.
  package func lines(_ report: LitmusReport, seconds: Double?) -> [String] {
    let test = report.test
    let counts = "\(report.witnesses) \(report.others)"
    var lines = [
      "Test \(test.name) \(test.condition.quantifier.expectation)",
      "States \(report.states.count)",
    ]
    lines += report.states.map(report.text)
    lines += [
      coloured(report.answer), "Witnesses",
      "Positive: \(report.witnesses) Negative: \(report.others)",
    ]
    lines += report.flags.map { style.warning("Flag \($0)") }
    lines += [
      "Condition \(test.condition.text)",
      "Observation \(test.name) \(report.observation.rawValue) \(counts)", "",
    ]
    if let reason = report.reason {
      lines.append("  \(style.warning("incomplete")): \(reason)")
    }
    let statistics = report.statistics
    let states = statistics.states > 0 ? "\(counted(statistics.states, "state")), " : ""
    lines.append(
      "  \(test.dialect.text), \(counted(test.processes.count, "process", plural: "processes")), "
        + "\(report.memoryModel.text): \(states)"
        + counted(statistics.transitions, "transition"))
    if let seconds { lines.append("  \(milliseconds(seconds))") }
    return lines
  }

  private func coloured(_ answer: LitmusReport.Answer) -> String {
    switch answer {
    case .validated: style.good(answer.rawValue)
    case .refuted: style.bad(answer.rawValue)
    case .open: style.warning(answer.rawValue)
    }
  }

  private func milliseconds(_ seconds: Double) -> String {
    "\(Int((seconds * 1000).rounded())) ms"
  }

  // MARK: Many tests

  /// A line of the table.
  package func row(_ row: LitmusRow, width: Int) -> String {
    let file = row.file.padded(to: width)
    switch row.result {
    case .failure(let error):
      return "\(file)  \(style.warning("not read")): line \(error.line): \(error.message)"
    case .success(let report):
      let observation = report.observation.rawValue.padded(to: 9)
      let answer = report.answer.rawValue
      let gap = String(repeating: " ", count: max(0, 9 - answer.count))
      let time = row.seconds.map { milliseconds($0).leftPadded(to: 9) } ?? ""
      let finals = "\(counted(report.states.count, "final state"))".padded(to: 16)
      let flags = report.flags.isEmpty ? "" : "  \(style.warning("flagged"))"
      let reason = report.reason.map { "  \(style.warning("incomplete")): \($0)" } ?? ""
      return "\(file)  \(observation)  \(coloured(report.answer))\(gap)  \(finals)\(time)"
        + "\(flags)\(reason)"
    }
  }

  /// What the table comes to.
  package func summary(_ rows: [LitmusRow]) -> String {
    let reports = rows.compactMap { try? $0.result.get() }
    func count(_ answer: LitmusReport.Answer) -> Int {
      reports.count { $0.answer == answer }
    }
    var parts = [
      "\(grouped(count(.validated))) Ok", "\(grouped(count(.refuted))) No",
    ]
    if count(.open) > 0 { parts.append("\(grouped(count(.open))) undecided") }
    if reports.count < rows.count {
      parts.append("\(grouped(rows.count - reports.count)) not read")
    }
    return "\(counted(rows.count, "test")): \(parts.joined(separator: ", "))"
  }
}

/// A count with its noun, whose plural has another ending.
private func counted(_ number: Int, _ noun: String, plural: String) -> String {
  "\(grouped(number)) \(number == 1 ? noun : plural)"
}
