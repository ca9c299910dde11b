// The texts of progress and estimates.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import GracewalkReporting
import Testing

@Suite struct ProgressTests {
  private func line(
    seconds: Double = 12, done: Double? = nil, isExact: Bool = false, toBound: Double? = nil
  ) -> String {
    var statistics = Statistics()
    statistics.executions = 1_200
    statistics.states = 34_000
    statistics.transitions = 60_000
    var progress = SearchProgress(statistics: statistics, depth: 17, seconds: seconds)
    progress.fractionDone = done
    progress.isExact = isExact
    progress.secondsToBound = toBound
    return ProgressText.line("model", progress)
  }

  private let counts =
    "model: 1,200 executions, 34,000 states, depth 17, 5,000 transitions/s, 12 s"

  @Test func whatIsLeft() {
    #expect(line() == counts)
    #expect(line(done: 0.38) == "\(counts); about 40 % done, 20 s left")
    #expect(line(done: 0.034) == "\(counts); about 3 % done, 6 min left")
    #expect(line(done: 0.097) == "\(counts); about 10 % done, 2 min left")
    #expect(line(done: 0.004) == "\(counts); less than 1 % done")
    #expect(line(done: 0.96) == "\(counts); more than 95 % done, 1 s left")
    #expect(line(done: 0.38, isExact: true) == "\(counts); 38 % done, 20 s left")
  }

  @Test func theBoundOnSeconds() {
    #expect(line(toBound: 48) == "\(counts); stops in 48 s")
    #expect(line(done: 0.012, toBound: 48) == "\(counts); about 1 % done, stops in 48 s")
    #expect(line(done: 0.38, toBound: 48) == "\(counts); about 40 % done, 20 s left")
  }

  @Test func longTimes() {
    let left = { (hours: Double) in
      String(line(seconds: hours * 36, done: 0.01).split(separator: ",").last ?? "")
    }
    #expect(left(0.99 * 100 / 99 / 99) == " 36 s left")
    #expect(left(1) == " 59 min left")
    #expect(left(30) == " 30 h left")
    #expect(left(96) == " 4 days left")
    #expect(left(1_000_000) == " years left")
  }

  private func check(executions: Int) throws -> CheckReport {
    var options = CheckOptions()
    options.limits.executions = executions
    return try #require(Catalogue.model(named: "collapse-locked-descendants")).check(options)
  }

  /// The explored part of a bounded check depends only on its counts.
  @Test func incompleteReportsSayHowMuchIsExplored() throws {
    let report = try check(executions: 50)
    #expect(
      CheckText(report).verdict
        == "incomplete — the bound on executions was reached; about 40 % explored")
    #expect(CheckDocument(report).explored == 0.4084)
    #expect(try check(executions: 50).explored == report.explored)
    let early = try check(executions: 3)
    #expect(early.explored == nil)
    #expect(CheckText(early).verdict == "incomplete — the bound on executions was reached")
    #expect(CheckDocument(early).explored == nil)
  }
}
