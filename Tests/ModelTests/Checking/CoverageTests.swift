// The coverage of checks: equal in every search, and marked as incomplete if it is.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct CoverageTests {
  static let correct = Catalogue.models.filter { $0.expectation == .holds }

  private func lines(_ report: CheckReport) -> [String] {
    CheckText(report, width: 1_000).header.filter {
      $0.hasPrefix("  outcomes") || $0.hasPrefix("  entries")
    }
  }

  /// Every class of executions is visited by every complete search, so all cover the same.
  @Test(.tags(.long), .unlessQuick, arguments: correct)
  func searchesAgree(_ model: Model) throws {
    // Three levels take long without states, or without reduction.
    var options = CheckOptions()
    if model.name.hasPrefix("collapse") { options.parameters["levels"] = 2 }
    let expected = try CatalogueReports.report(model, options.parameters)
    #expect(expected.verdict == .holds)
    // Larger ones are too much for a search without reduction in a test.
    if expected.statistics.states > 7_000 { return }
    // With memory management units there are too many executions to run each.
    let hasHardware = model.build(model.values()).hasHardware
    let reduced = hasHardware ? [] : Strategy.reduced
    let isWeak = expected.memoryModel != .sequentialConsistency
    for strategy in reduced + [.exhaustive] where !isWeak || strategy != .optimal {
      options.strategy = strategy
      #expect(try model.check(options).coverage == expected.coverage, "\(strategy)")
    }
    options.strategy = .stateful
    options.usesSymmetry = false
    #expect(try model.check(options).coverage == expected.coverage)
    options.isExact = true
    #expect(try model.check(options).coverage == expected.coverage)
  }

  @Test(.tags(.long), .unlessQuick, arguments: correct)
  func threadsAgree(_ model: Model) throws {
    var options = CheckOptions()
    if model.name.hasPrefix("collapse") { options.parameters["levels"] = 2 }
    let expected = try CatalogueReports.report(model, options.parameters)
    if expected.statistics.states > 7_000 { return }
    options.jobs = 2
    #expect(try model.check(options).coverage == expected.coverage)
  }

  @Test func collapse() throws {
    let model = try #require(Catalogue.model(named: "collapse-locked-descendants"))
    #expect(
      lines(try model.check()) == [
        "  outcomes: collapse 0x0: done · map 0x0: done, already, retry · "
          + "look up 0x2: retry, mapped",
        "  entries: level 0: locked→block, table→locked · level 1: invalid→locked, locked→table, "
          + "table→locked · level 2: invalid→locked, locked→page, page→locked",
      ])
  }

  /// Each of three vCPUs may be the last; with symmetry only one of them need be.
  @Test func identicalCPUsAreUnited() throws {
    let model = try #require(Catalogue.model(named: "drop-last-reference"))
    let report = try model.check()
    #expect(
      report.coverage.operations == [
        Coverage.Operation(
          cpus: ["vcpu 0", "vcpu 1", "vcpu 2"], name: "drop",
          outcomes: [
            Coverage.Outcome(code: 0, text: "dropped"), Coverage.Outcome(code: 1, text: "freed"),
          ])
      ])
    #expect(report.coverage.levels.isEmpty)
  }

  @Test func incompleteChecksSaySo() throws {
    let model = try #require(Catalogue.model(named: "collapse-locked-descendants"))
    var options = CheckOptions()
    options.limits.executions = 1
    let cut = try model.check(options)
    #expect(
      lines(cut) == [
        "  outcomes so far: collapse 0x0: done · map 0x0: already · look up 0x2: mapped",
        "  entries so far: level 0: locked→block, table→locked · level 1: invalid→locked, "
          + "table→locked · level 2: invalid→locked, page→locked",
      ])
    // An unfinished search concludes nothing from outcomes that did not happen.
    #expect(cut.vacuous.isEmpty && cut.exitStatus == 3)
    let sibling = try #require(Catalogue.model(named: "fault-without-get-page"))
    let violated = try sibling.check()
    #expect(lines(violated).allSatisfy { $0.contains(" so far: ") })
    #expect(try json(CheckDocument(violated)).contains("\"complete\" : false"))
  }

  /// The coverage of an earlier session is kept by the next.
  @Test(arguments: Strategy.reduced + [.exhaustive])
  func savedChecksKeepTheirCoverage(_ strategy: Strategy) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("saved").path
    let model = try #require(Catalogue.model(named: "unmap-under-write-lock"))
    var options = CheckOptions()
    options.strategy = strategy
    options.invariants = ["no-leaked-table-page"]
    let expected = try model.check(options)
    // The last executions alone do not cover everything.
    options.limits.executions = expected.statistics.executions - 1
    options.checkpoints = CheckpointFile(path: path)
    #expect(try model.check(options).exitStatus == 3)
    options.limits = Limits()
    options.checkpoints = nil
    options.resume = try Checkpoint(path: path)
    let report = try model.check(options)
    #expect(report.verdict == .holds)
    #expect(report.statistics == expected.statistics)
    #expect(report.coverage == expected.coverage)
  }

  // MARK: What must happen

  /// Two vCPUs install the same table; in the broken model a lock serialises them, so that the race
  /// is never shown.
  private func double(isLocked: Bool) -> Model {
    Model(
      name: "double", summary: "", scenario: "", expectation: .holds,
      mustHappen: [
        ExpectedOutcome("install", "true"), ExpectedOutcome("install", "false"),
        ExpectedOutcome("install", "maybe") { values, _ in values.values.count > 0 },
      ]
    ) { _ in
      let scenario = Scenario()
      let root = scenario.rootTable()
      let lock = scenario.spinLock("lock")
      for cpu in 0..<2 {
        scenario.cpu(
          "cpu \(cpu)",
          CPUOperation("install") { cpu -> any OperationResult in
            if isLocked { try cpu.lock(lock) }
            let old = try cpu.load(root[0], .relaxed)
            let won = try cpu.compareExchange(
              root[0], expected: old, desired: old + 2, .acquireRelease)
            if isLocked { try cpu.unlock(lock) }
            return won.exchanged
          })
      }
      return scenario
    }
  }

  @Test func outcomesThatNeverHappenAreNamed() throws {
    let report = try double(isLocked: true).check()
    let missing = [ExpectedOutcome("install", "false")]
    #expect(report.verdict == .incomplete(.vacuous(missing)))
    #expect(report.isVacuous && report.coversAll && report.exitStatus == 3)
    let text = CheckText(report).header
    #expect(
      text.contains {
        $0.hasPrefix("incomplete — nothing is violated in any interleaving of 2 CPUs")
      })
    #expect(text.joined(separator: " ").contains("but install never returns false"))
    #expect(
      text.contains { $0.hasPrefix("  vacuous: a declared outcome (mustHappen) never happens") })
    #expect(text.contains { $0.hasPrefix("  outcomes: install: true") })
    let document = try json(CheckDocument(report))
    #expect(document.contains("\"outcome\" : \"false\""))
    #expect(document.contains("\"verdict\" : \"incomplete\""))
    #expect(document.contains("\"complete\" : true"))

    let full = try double(isLocked: false).check()
    #expect(full.verdict == .holds && !full.isVacuous && full.exitStatus == 0)
    #expect(!CheckText(full).header.contains { $0.contains("vacuous") })
    #expect(!(try json(CheckDocument(full)).contains("vacuous\"")))
  }

  /// An outcome that needs certain parameters is required only with those.
  @Test func outcomesMayDependOnParameters() throws {
    let expected = [
      ExpectedOutcome("run", "2") { values, _ in values["most"] == 2 },
      ExpectedOutcome("run", "9") { _, features in features.hardwareAccessFlag },
    ]
    let model = Model(
      name: "counts", summary: "", scenario: "",
      parameters: [Parameter("most", "", 1...2, standard: 1)],
      expectation: .holds, mustHappen: expected
    ) { values in
      let scenario = Scenario()
      scenario.cpu("cpu", CPUOperation("run") { cpu in try cpu.choose(values["most"]) })
      return scenario
    }
    #expect(try model.check().vacuous.isEmpty)
    var options = CheckOptions()
    options.parameters = ["most": 2]
    #expect(try model.check(options).vacuous.map(\.result) == ["2"])
    options.features = Architecture.v8_1.features
    #expect(try model.check(options).vacuous.map(\.result) == ["2", "9"])
  }

  @Test func everyCorrectModelSaysWhatMustHappen() {
    for model in Self.correct { #expect(!model.mustHappen.isEmpty, "\(model.name)") }
  }

  /// Nothing happens between the two ends; both are recorded.
  @Test func operationsWithoutActionsEnd() throws {
    let model = Model(name: "idle", summary: "", scenario: "", expectation: .holds) { _ in
      let scenario = Scenario()
      let word = scenario.word("word")
      scenario.cpu(
        "cpu", CPUOperation("first") { _ -> any OperationResult in 1 },
        CPUOperation("second") { _ -> any OperationResult in 2 },
        CPUOperation("third") { cpu in try cpu.store(word, 1, .relaxed) })
      return scenario
    }
    let operations = try model.check().coverage.operations
    #expect(operations.map(\.name) == ["first", "second", "third"])
    #expect(operations.map { $0.outcomes.map(\.text) } == [["1"], ["2"], [nil]])
    #expect(lines(try model.check()) == ["  outcomes: first: 1 · second: 2"])
  }
}
