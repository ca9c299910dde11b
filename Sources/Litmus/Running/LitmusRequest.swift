// A litmus test as a value that one process can send to another.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine

/// The exploration of a litmus test, as a unit of work.
package struct LitmusRequest: WorkUnit {
  /// The contents of its file.
  private let text: String
  private let memoryModel: MemoryModel
  private let strategy: Strategy
  private let isExact: Bool
  private let limits: Limits
  private let hasETS2: Bool

  package init(_ text: String, _ options: LitmusOptions) {
    self.text = text
    memoryModel = options.memoryModel
    strategy = options.strategy
    isExact = options.isExact
    limits = options.limits
    hasETS2 = options.hasETS2
  }

  /// What was found; with the test, it makes the report.
  package struct Answer: Codable, Sendable {
    fileprivate var strategy: Strategy
    fileprivate var finals: [[UInt64]]
    fileprivate var flags: [String]
    fileprivate var reason: String?
    fileprivate var statistics: Statistics
  }

  package func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> Answer {
    let test: LitmusTest
    do throws(LitmusError) { test = try LitmusTest(reading: text) } catch {
      throw .badOptions("a litmus test cannot be read: \(error.line): \(error.message)")
    }
    var options = LitmusOptions()
    options.memoryModel = memoryModel
    options.strategy = strategy
    options.isExact = isExact
    options.limits = limits
    options.hasETS2 = hasETS2
    options.watch = context.watch
    let report = test.check(options)
    return Answer(
      strategy: report.strategy, finals: report.states.map(\.values), flags: report.flags,
      reason: report.reason, statistics: report.statistics)
  }

  package var isTimed: Bool { limits.seconds != nil }

  /// The report on the test that was sent.
  package func report(_ test: LitmusTest, _ answer: Answer) -> LitmusReport {
    var report = LitmusReport(test, answer.strategy, memoryModel)
    report.statistics = answer.statistics
    report.flags = answer.flags
    report.add(finals: answer.finals)
    report.reason = answer.reason
    return report
  }
}
