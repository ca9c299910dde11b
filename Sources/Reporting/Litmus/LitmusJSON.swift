// Litmus tests as JSON, for other programs.

import GracewalkChecking
import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine

/// What became of litmus tests.
package struct LitmusDocument: Encodable, Sendable {
  struct Counts: Encodable, Sendable {
    var states: Int
    var transitions: Int
    var executions: Int
  }

  struct State: Encodable, Sendable {
    var values: [String]
    var witness: Bool
  }

  struct Problem: Encodable, Sendable {
    var line: Int
    var message: String
  }

  struct Test: Encodable, Sendable {
    var file: String
    /// Why it could not be read; nothing else is known of it then.
    var notRead: Problem?
    var name: String?
    var dialect: String?
    var processes: Int?
    var search: String?
    var condition: String?
    /// What the values of states are of, in the same order.
    var observables: [String]?
    var states: [State]?
    var positive: Int?
    var negative: Int?
    var observation: String?
    var answer: String?
    var flags: [String]?
    var reason: String?
    var counts: Counts?
    var seconds: Double?
  }

  var format = "gracewalk litmus 1"
  var memory: String
  var tests: [Test]

  package init(_ rows: [LitmusRow], under model: MemoryModel) {
    memory = model.rawValue
    tests = rows.map { row in
      switch row.result {
      case .failure(let error):
        Test(file: row.file, notRead: Problem(line: error.line, message: error.message))
      case .success(let report): Self.test(row.file, report, row.seconds)
      }
    }
  }

  private static func test(_ file: String, _ report: LitmusReport, _ seconds: Double?) -> Test {
    let test = report.test
    let statistics = report.statistics
    return Test(
      file: file, name: test.name, dialect: test.dialect.rawValue,
      processes: test.processes.count, search: report.strategy.rawValue,
      condition: test.condition.text, observables: test.condition.observables.map(\.text),
      states: report.states.map { state in
        State(values: state.values.map(test.text), witness: state.isWitness)
      },
      positive: report.witnesses, negative: report.others,
      observation: report.observation.rawValue, answer: report.answer.rawValue,
      flags: report.flags.isEmpty ? nil : report.flags, reason: report.reason,
      counts: Counts(
        states: statistics.states, transitions: statistics.transitions,
        executions: statistics.executions),
      seconds: seconds)
  }
}
