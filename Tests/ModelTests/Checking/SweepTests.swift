// Sweeps: their combinations, their coverage, and the smallest failure.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct SweepTests {
  static let systems = Catalogue.models.filter { $0.vocabulary != nil }

  private func sweep(
    _ name: String, _ cpus: Int, _ operations: Int, findsAll: Bool = false, jobs: Int = 1
  ) throws -> SweepReport {
    var options = SweepOptions()
    options.cpus = cpus
    options.operations = operations
    options.findsAll = findsAll
    options.jobs = jobs
    return try #require(Catalogue.model(named: name)).sweep(options)
  }

  // MARK: What must be found, and what must hold

  @Test func theLeakIsFoundWithoutBeingToldTheScenario() throws {
    for (cpus, operations) in [(2, 1), (3, 1), (2, 2)] {
      let report = try sweep("collapse-unlocked-descendants", cpus, operations)
      #expect(report.verdict == .violated)
      let failure = try #require(report.failures.first)
      #expect(report.failures.count == 1)
      #expect(failure.report.violatedInvariant == "no-leaked-table-page")
      #expect(failure.report.model == "collapse-unlocked-descendants/map-0x0/collapse-0x0")
      let trace = try #require(failure.report.counterexample)
      #expect(trace.isMinimal && trace.recording.preemptions.count == 1)
      #expect(trace.recording.visibleSteps == 30)
      let model = try #require(Catalogue.model(named: trace.model))
      let file = try TraceFile(text: TraceFile(trace).text)
      #expect(try Recording(file.schedule, of: try model.scenario()) == trace.recording)
    }
  }

  @Test(arguments: [
    (3, 1, 399, 119, 2_356, 123_648, 135_285), (2, 2, 3_192, 1_652, 48_432, 3_252_547, 3_662_202),
  ])
  func callbacksHoldInEveryCombination(
    cpus: Int, operations: Int, assignments: Int, combinations: Int, executions: Int, states: Int,
    transitions: Int
  ) throws {
    let report = try sweep("collapse-in-rcu-callback", cpus, operations, jobs: 2)
    #expect(report.verdict == .holds)
    #expect(report.assignments == assignments)
    #expect(report.combinations == combinations && report.explored == combinations)
    #expect(report.withoutSymmetries == combinations && report.left == 0)
    #expect(report.statistics.executions == executions)
    #expect(report.statistics.states == states)
    #expect(report.statistics.transitions == transitions)
  }

  /// Of the correct models, only one fails in a sweep: see the test below.
  @Test(arguments: systems.filter { $0.expectation == .holds })
  func correctModelsHold(_ model: Model) throws {
    var options = SweepOptions()
    options.findsAll = true
    let report = try model.sweep(options)
    let failing = report.failures.map(\.report.model)
    let known = "collapse-locked-descendants"
    #expect(failing == (model.name == known ? ["\(known)/unmap-0x2/collapse-0x0"] : []))
    #expect(report.explored + failing.count == report.combinations)
  }

  /// The smallest combination of at most two CPUs with two operations each.
  ///
  /// The first is correct for parallel faults: an unmapping in parallel may drop the last reference
  /// to an unlinked table, and free it at once.
  @Test(arguments: [
    ("collapse-locked-descendants", "unmap-0x2/collapse-0x0", "grace-period-safety"),
    ("collapse-free-at-once", "map-0x0/collapse-0x0", "grace-period-safety"),
    ("collapse-without-rcu", "map-0x0/collapse-0x0", "no-use-after-free"),
    ("collapse-waits-in-section", "collapse-0x0", "grace-period-safety"),
    ("fault-without-compare-exchange", "map-0x0/map-0x0", "references-match-entries"),
    ("fault-without-get-page", "map-0x0", "references-match-entries"),
    ("fault-keeps-entry-locked", "map-0x0", "no-entry-left-locked"),
    ("unmap-under-read-lock", "map-0x0/unmap-0x0", "no-use-after-free"),
    ("unmap-frees-before-unlink", "unmap-0x0", "no-freed-page-reachable"),
    ("unmap-releases-as-reader", "unmap-0x0", "locks-held-by-releaser"),
    ("walk-references-naive", "map-0x0/unmap-0x0", "no-use-after-free"),
    ("walk-references-plain-increment", "map-0x0/unmap-0x0", "pages-accounted-for"),
    (
      "walk-references-without-recheck", "map-0x0,map-0x0/unmap-0x0,map-0x0", "pages-accounted-for"
    ),
    ("walk-references-without-pool", "map-0x0/unmap-0x0", "no-use-after-free"),
    ("walk-references-without-freezing", "map-0x0/unmap-0x0", "pages-accounted-for"),
    ("unmap-without-tlbi", "read-0x0,unmap-0x0", "no-reuse-while-cached"),
    ("unmap-tlbi-before-dsb", "read-0x0,unmap-0x0", "no-reuse-while-cached"),
    ("unmap-without-final-dsb", "read-0x0,unmap-0x0", "no-reuse-while-cached"),
    ("unmap-tlbi-local", "read-0x0/unmap-0x0", "no-reuse-while-cached"),
    ("unmap-tlbi-wrong-level", "read-0x0,unmap-0x0", "no-reuse-while-cached"),
    ("fault-until-mapped-keeps-entry-locked", "touch-0x0", "no-entry-left-locked"),
    ("swap-two-entries-in-any-order", "swap-0-1/swap-1-0", "progress"),
    ("swap-two-entries-keeping-the-first", "swap-0-1/swap-0-1", "progress"),
    ("mremap-flush-after-unlock", "read-0,move-0/truncate-1", "no-reuse-while-cached"),
    ("split-loser-forgets", "unmap-0/unmap-1", "no-stale-use-after-dsb"),
    ("split-without-bbm", "dma-0,unmap-0", "break-before-make"),
  ])
  func smallestThatFails(name: String, combination: String, invariant: String) throws {
    let report = try sweep(name, 2, 2)
    #expect(report.failures.map(\.report.model) == ["\(name)/\(combination)"])
    #expect(report.failures.first?.report.violatedInvariant == invariant)
  }

  // MARK: What is reported

  /// Each combination has the same verdict when checked by itself, in any order.
  @Test func allThatContainNoOther() throws {
    let name = "swap-two-entries-in-any-order"
    let model = try #require(Catalogue.model(named: name))
    let report = try sweep(name, 2, 2, findsAll: true)
    // Without any symmetry, all combinations are checked.
    let all = CombinationSpace(vocabularySize: 4, cpusMax: 2, operationsMax: 2).combinations
    var options = CheckOptions()
    options.minimises = false
    let failing = try all.filter { combination in
      try #require(model.model(of: combination)).check(options).verdict == .violated
    }
    let least = failing.filter { one in
      !failing.contains { $0 != one && one.contains($0) }
    }
    let exchange = { (combination: Combination) in
      Combination(combination.sequences.map { $0.map { [1, 0, 3, 2][$0] } })
    }
    let found = report.failures.map(\.combination)
    #expect(Set(found + found.map(exchange)) == Set(least))
    #expect(found == found.sorted())
    #expect(report.left == 0 && report.incomplete.isEmpty)
    #expect(report.explored + found.count + report.containFailing == report.combinations)
  }

  @Test(arguments: [false, true])
  func threadsReportTheSame(findsAll: Bool) throws {
    let texts = try [1, 2, 5].map { jobs in
      try json(
        SweepDocument(
          try sweep("swap-two-entries-keeping-the-first", 2, 2, findsAll: findsAll, jobs: jobs)))
    }
    #expect(Set(texts).count == 1)
  }

  /// One combination has more states than the bound; the others are still covered.
  @Test func bounds() throws {
    let model = try #require(Catalogue.model(named: "fault-in-parallel"))
    var options = SweepOptions()
    options.limits.states = 210
    let report = try model.sweep(options)
    #expect(report.verdict == .incomplete && report.stopped == nil && report.left == 0)
    #expect(report.incomplete.map(\.model) == ["fault-in-parallel/map-0x0/map-0x1"])
    #expect(report.explored == 10 && report.combinations == 11)
  }

  /// The time is up, or Ctrl-C was pressed, during a search long enough to poll.
  @Test func stopping() throws {
    let model = try #require(Catalogue.model(named: "collapse-in-rcu-callback"))
    var options = SweepOptions()
    options.cpus = 3
    options.limits.seconds = 1e-9
    let late = try model.sweep(options)
    #expect(late.verdict == .incomplete && late.stopped == .seconds)
    #expect(late.failures.isEmpty && late.left > 0)
    options.limits.seconds = nil
    options.isInterrupted = { true }
    let interrupted = try model.sweep(options)
    #expect(interrupted.verdict == .incomplete && interrupted.stopped == .interrupted)
    #expect(interrupted.failures.isEmpty && interrupted.left > 0)
  }

  @Test func impossibleSweepsAreRefused() throws {
    let model = try #require(Catalogue.model(named: "fault-in-parallel"))
    func error(_ cpus: Int, _ operations: Int, _ model: Model) throws -> SweepError? {
      var options = SweepOptions()
      (options.cpus, options.operations) = (cpus, operations)
      return #expect(throws: SweepError.self) { try model.sweep(options) }
    }
    // C(72 + 4, 4) − 1, and more than fit.
    #expect(try error(4, 2, model) == .tooMany(count: 1_282_974, vocabularySize: 8))
    #expect(try error(30, 30, model) == .tooMany(count: nil, vocabularySize: 8))
    let swap = try #require(Catalogue.model(named: "swap-two-entries"))
    #expect(try error(9, 1, swap) == .tooLarge)
    let other = try #require(Catalogue.model(named: "shared-memcache"))
    #expect(try error(1, 1, other) == .noVocabulary)
  }
}
