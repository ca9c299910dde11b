// Leaving steps out one at a time: the list of steps, the failures without each, and their replays.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct AblationTests {
  /// A finding in a word, with the invariants that fail.
  private static func text(_ finding: AblationReport.Finding) -> String {
    switch finding {
    case .necessary(let violated, _): violated.joined(separator: " ")
    case .redundant: "redundant"
    case .inseparable: "inseparable"
    case .undecided: "undecided"
    case .notAsked: "not asked"
    }
  }

  /// The steps without the functions they are in, so that moving code does not affect this test.
  private static func findings(_ name: String) throws -> [String] {
    let report = try #require(Catalogue.model(named: name)).ablate()
    return report.rows.filter { $0.step.weakening.isDecidable }.map { row in
      "\(row.step.weakening.rawValue):\(row.step.operation): \(text(row.finding))"
    }
  }

  /// Why every entry of a subtree that is unlinked already is locked (RFC PATCH 09/17).
  @Test func whyLockTheDescendants() throws {
    #expect(
      try Self.findings("collapse-locked-descendants") == [
        "no-rcu-section:collapse: grace-period-safety",
        "no-rcu-section:look up: no-use-after-free grace-period-safety",
        "no-rcu-section:map: no-use-after-free grace-period-safety",
        "no-entry-lock:collapse: redundant",
        "plain-store:collapse: redundant",
        "no-check:collapse: redundant",
        "no-entry-lock:map: no-leaked-table-page",
        "plain-store:map: no-leaked-table-page",
        "no-check:map: no-leaked-table-page",
        "load-and-store:collapse: redundant",
        "no-put:collapse: references-match-entries",
        "load-and-store:collapse: redundant",
        "no-get:collapse: references-match-entries",
        "load-and-store:map: redundant",
        "no-get:map: redundant",
        "load-and-store:map: redundant",
        "no-put:map: no-leaked-table-page",
        "no-wait:collapse: no-leaked-table-page",
        "no-entry-lock:collapse: no-leaked-table-page",
        "plain-store:collapse: no-leaked-table-page",
        "no-check:collapse: no-leaked-table-page",
        "load-and-store:collapse: redundant",
        "no-put:collapse: no-leaked-table-page",
        "call-at-once:collapse: no-use-after-free grace-period-safety",
      ])
  }

  /// Two reasons for the barrier at teardown, and a variant for each.
  @Test func whyTheBarrier() throws {
    func barrier(_ name: String) throws -> [String] {
      try Self.findings(name).filter { $0.hasPrefix("no-rcu-barrier") }
    }
    #expect(
      try barrier("teardown-with-barrier") == [
        "no-rcu-barrier:destroy: teardown-order no-page-outlives-vm"
      ])
    #expect(
      try barrier("teardown-barrier-last") == ["no-rcu-barrier:destroy: no-page-outlives-vm"])
    #expect(try barrier("teardown-self-sufficient-callback").isEmpty)
  }

  /// Steps that a sibling removes: the correct model, the step, and the sibling.
  static let removed: [(model: String, step: String, sibling: String)] = [
    ("collapse-locked-descendants", "no-entry-lock:collapse", "collapse-unlocked-descendants"),
    ("collapse-locked-descendants", "no-rcu-section:look-up", "collapse-without-rcu"),
    ("collapse-locked-descendants", "call-at-once:collapse", "collapse-without-rcu"),
    ("collapse-in-rcu-callback", "call-at-once:collapse", "collapse-free-at-once"),
    ("fault-in-parallel", "plain-store:map", "fault-without-compare-exchange"),
    ("fault-in-parallel", "no-get:map", "fault-without-get-page"),
    ("unmap-under-write-lock", "read-lock-only:unmap", "unmap-under-read-lock"),
    ("shared-memcache", "load-and-store:fault", "shared-memcache-without-exchange"),
    ("unmap-and-free", "no-tlbi:unmap", "unmap-without-tlbi"),
    ("unmap-and-free", "no-dsb:unmap", "unmap-tlbi-before-dsb"),
    ("unmap-and-free", "no-dsb:unmap", "unmap-without-final-dsb"),
    ("unmap-and-free", "local-tlbi:unmap", "unmap-tlbi-local"),
    ("unmap-flushed-by-another", "no-wait:flush", "unmap-flushed-by-another-too-early"),
    ("remap-page", "no-entry-lock:migrate", "remap-without-break"),
    ("remap-page", "no-tlbi:migrate", "remap-make-before-tlbi"),
    ("fast-permission-fault", "no-tlbi:write", "fast-permission-fault-without-tlbi"),
    ("fast-access-fault", "plain-store:write", "fast-access-fault-without-compare-exchange"),
    ("fast-access-fault", "no-rcu-section:write", "fast-access-fault-without-rcu"),
    ("ipi-before-free", "no-mask:map", "ipi-before-free-without-masking"),
    ("ipi-before-free", "no-ipi:collapse", "ipi-before-free-without-waiting"),
    ("walk-references", "get-from-zero:map", "walk-references-plain-increment"),
    ("walk-references", "no-reread:map", "walk-references-without-recheck"),
    ("teardown-with-barrier", "no-rcu-barrier:destroy", "teardown-without-barrier"),
    ("teardown-barrier-last", "no-rcu-barrier:destroy", "teardown-pages-outlive"),
    ("reverse-map-fault", "no-wait:harvest", "reverse-map-without-flush"),
    ("reverse-map-shrink", "no-synchronize:shrink", "reverse-map-shrink-at-once"),
    ("reverse-map-shrink", "no-rcu-section:harvest", "reverse-map-outside-section"),
    ("dirty-log", "no-tlbi:enable", "dirty-log-without-tlbi"),
    ("dirty-log", "no-dsb:enable", "dirty-log-tlbi-before-dsb"),
    ("dirty-log", "local-tlbi:enable", "dirty-log-tlbi-local"),
    ("hardware-dirty-log", "no-tlbi:harvest", "hardware-dirty-log-without-tlbi"),
    ("hardware-dirty-log", "local-tlbi:harvest", "hardware-dirty-log-tlbi-local"),
    ("hardware-dirty-log", "load-and-store:harvest", "hardware-dirty-log-plain-store"),
    ("lazy-collapse", "no-tlbi:write", "lazy-collapse-without-tlbi"),
    ("lazy-collapse", "leaf-tlbi:write", "lazy-collapse-tlbi-last-level"),
    ("unmap-memslot", "no-tlbi:unmap-memslot", "unmap-memslot-without-tlbi"),
    ("unmap-memslot", "leaf-tlbi:unmap-memslot", "unmap-memslot-tlbi-last-level"),
    ("unmap-memslot", "read-lock-only:unmap-memslot", "unmap-memslot-under-read-lock"),
    ("host-donate", "no-break:donate", "host-donate-in-place"),
    ("host-donate", "no-tlbi:donate", "host-donate-without-tlbi"),
    ("host-donate", "no-dsb:donate", "host-donate-without-dsb-before-tlbi"),
    ("host-donate", "local-tlbi:donate", "host-donate-tlbi-local"),
    ("host-reclaim", "no-tlbi:reclaim", "host-reclaim-without-guest-flush"),
    ("host-reclaim", "leaf-tlbi:reclaim", "host-coalesce-tlbi-last-level"),
    ("host-donate-write-locked", "read-lock-only:donate", "host-donate-read-locked"),
  ]

  /// A step that a sibling removes is not redundant, and the same invariants fail as for the
  /// sibling.
  @Test(arguments: removed)
  func removedStepsAreNecessary(model name: String, step prefix: String, sibling: String) throws {
    let model = try #require(Catalogue.model(named: name))
    guard case .violates(let declared) = try #require(Catalogue.model(named: sibling)).expectation
    else { return #expect(Bool(false), "\(sibling) is declared to hold") }
    var census = CheckOptions()
    census.takesCensus = true
    let steps = try model.check(census).synchronisingSteps.filter {
      "\($0.weakening.rawValue):\($0.operation.replacing(" ", with: "-"))" == prefix
    }
    #expect(!steps.isEmpty)
    let failing = try model.ablate(only: steps).rows.flatMap { row -> [String] in
      if case .necessary(let violated, _) = row.finding { violated } else { [] }
    }
    #expect(failing.contains { declared.contains($0) })
  }

  static let correct = Catalogue.models.filter { $0.expectation == .holds }

  /// Every step is classified, and every counterexample replays on a fresh machine.
  @Test(arguments: correct)
  func counterexamplesReplay(_ model: Model) throws {
    let report = try model.ablate()
    #expect(report.isComplete)
    for row in report.rows {
      guard case .necessary(let violated, let trace) = row.finding else { continue }
      guard case .violated(let id, _) = trace.recording.end else {
        Issue.record("\(row.step.text): its counterexample shows nothing")
        continue
      }
      #expect(violated.contains(id))
      #expect(trace.without == row.step)
      let file = try TraceFile(text: TraceFile(trace).text)
      #expect(file.without == row.step)
      let values = Dictionary(uniqueKeysWithValues: file.parameters.map { ($0.name, $0.value) })
      let scenario = try model.scenario(
        parameters: values, invariants: file.invariants, features: file.features,
        without: file.without)
      #expect(try Recording(file.schedule, of: scenario) == trace.recording)
    }
  }

  /// Weakened code is code like any other: all searches agree on it.
  ///
  /// The steps that a CPU left out are part of its state, so merging states must not lose them.
  @Test(arguments: [
    "fault-in-parallel", "unmap-under-write-lock", "shared-memcache", "teardown-with-barrier",
    "unmap-flushed-by-another", "hardware-dirty-log", "reverse-map-shrink",
  ])
  func searchesAgreeOnWeakenedModels(name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    var options = CheckOptions()
    options.takesCensus = true
    options.minimises = false
    let steps = try model.check(options).synchronisingSteps.filter(\.weakening.isDecidable)
    options.takesCensus = false
    options.limits.states = 300_000
    for step in steps {
      options.without = step
      options.strategy = .stateful
      let merged = try model.check(options)
      options.strategy = .exhaustive
      let all = try model.check(options)
      if case .incomplete = all.verdict { continue }
      #expect(merged.verdict == all.verdict, "\(step.text)")
      guard all.verdict == .holds else { continue }
      options.isExact = true
      let exact = try model.check(options)
      options.isExact = false
      #expect(exact.statistics == all.statistics, "\(step.text)")
    }
  }

  /// A saved search resumes without the same step, and not without another.
  @Test func checkpointsKeepWhatIsLeftOut() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = try #require(Catalogue.model(named: "collapse-in-rcu-callback"))
    var options = CheckOptions()
    options.takesCensus = true
    let steps = try model.check(options).synchronisingSteps
    options.takesCensus = false
    options.without = steps.first { $0.weakening == .plainStore }
    #expect(options.without != nil)
    let whole = try model.check(options)
    #expect(whole.verdict == .holds)

    options.limits.executions = 30
    options.checkpoints = CheckpointFile(path: path)
    #expect(try model.check(options).verdict == .incomplete(.bound(.executions)))
    options.resume = try Checkpoint(path: path)
    options.checkpoints = nil
    let step = options.without
    options.without = nil
    #expect(
      throws: CheckError.badCheckpoint(
        "'\(path)' is of another check: expected without 'nothing', found "
          + "'\(try #require(step).text)'; ask for the check that was saved, or begin again "
          + "without --resume")
    ) { try model.check(options) }
    options.without = step
    options.limits.executions = nil
    options.resume = try Checkpoint(path: path)
    #expect(try model.check(options).statistics == whole.statistics)
  }

  /// The page of such a trace says what was left out.
  @Test func pagesShowTheOmission() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache"))
    var options = CheckOptions()
    options.recordsPictures = true
    options.without = try #require(
      try model.ablate().rows.first { if case .necessary = $0.finding { true } else { false } }
    ).step
    let trace = try #require(try model.check(options).counterexample)
    let step = try #require(trace.without)
    #expect(HTMLPage(trace, of: model).text.contains("</b> \(step.sentence).</p>"))
    let command = TraceText(trace).replayCommand(namesInvariants: false)
    #expect(command.contains(" --without \(step.text) "))
  }

  @Test func stepsAreReadAsWritten() throws {
    let step = WeakenedStep(.noTLBI, in: "unmap memslot", label: "flush(_:of:)", ordinal: 2)
    #expect(step.text == "unmap-memslot/flush/no-tlbi.2")
    #expect(step.sentence == "unmap memslot in flush (place 2), without the TLBI")
    #expect(WeakenedStep(text: step.text) == step)
    for text in ["unmap/no-tlbi", "unmap/flush/no-tlbi", "unmap/no-tlbi.1", "a-b/_c/no-dsb.12#3"] {
      #expect(WeakenedStep(text: text)?.text == text)
    }
    for text in [
      "", "/", ".", "no-tlbi", "unmap/", "/no-tlbi", "unmap//no-tlbi", "a/b/c/no-tlbi",
      "unmap/no-such", "unmap/no-tlbi.", "unmap/no-tlbi.0", "unmap/no-tlbi.-1",
      "unmap/no-tlbi.007", "unmap/no-tlbi.1.2", "unmap/no-tlbi.x", "unmap/f()/no-tlbi",
      "unmap/f g/no-tlbi", "unmap/unmap/no-tlbi", "unmap/no-tlbi.99999999999999999999",
      "no-tlbi:unmap@GracewalkModels/Flush.swift:33",
    ] {
      #expect(WeakenedStep(text: text) == nil, "\(text)")
    }
  }

  @Test func anUnknownStepIsNamed() throws {
    let model = try #require(Catalogue.model(named: "unmap-and-free"))
    for step in [
      WeakenedStep(.noTLBI, in: "unmap", label: "nowhere"), WeakenedStep(.noTLBI, in: "map"),
      WeakenedStep(.noTLBI, in: "unmap", ordinal: 2),
    ] {
      #expect(throws: CheckError.unknownStep(step)) {
        var options = CheckOptions()
        options.without = step
        return try model.check(options)
      }
      #expect(throws: AblationError.self) { try model.ablate(only: [step]) }
    }
  }

  @Test func brokenModelsAreRefused() throws {
    let model = try #require(Catalogue.model(named: "unmap-without-tlbi"))
    #expect {
      try model.ablate()
    } throws: { error in
      if case AblationError.broken(let report) = error {
        report.verdict == .violated
      } else {
        false
      }
    }
  }

  /// The census does not change the explored executions.
  @Test(arguments: ["collapse-in-rcu-callback", "unmap-and-free", "fault-until-mapped"])
  func censusIsOnlyWatching(name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    var options = CheckOptions()
    let plain = try model.check(options)
    options.takesCensus = true
    let watched = try model.check(options)
    #expect(watched.statistics == plain.statistics && plain.synchronisingSteps.isEmpty)
    options.jobs = 2
    #expect(try model.check(options).synchronisingSteps == watched.synchronisingSteps)
  }
}

/// Orderings left out one at a time, under memory models that can tell.
@Suite struct OrderingAblationTests {
  /// Two CPUs that must not both find the other's flag down.
  private let flags = Model(
    name: "flags", summary: "one looks up", scenario: "Two CPUs.", expectation: .holds
  ) { _ in
    let scenario = Scenario()
    let words = [scenario.word("x"), scenario.word("y")]
    let missed = [scenario.word("x missed"), scenario.word("y missed")]
    for number in 0..<2 {
      scenario.cpu("cpu \(number)", runs: "raise") { cpu in
        try cpu.store(words[number], 1, .release)
        try cpu.fence(.sequentiallyConsistent)
        let other = try cpu.load(words[1 - number], .acquire)
        if other == 0 { try cpu.store(missed[number], 1, .relaxed) }
      }
    }
    scenario.atEnd("somebody sees a flag") { machine in
      missed.contains { machine.value(of: $0) == 0 }
    }
    return scenario
  }

  private func findings(_ model: Model, under memory: MemoryModel) throws -> [String] {
    var options = CheckOptions()
    options.memoryModel = memory
    return try model.ablate(options).rows.map { row in
      let finding =
        switch row.finding {
        case .necessary(_, let trace): "necessary, \(trace.memoryModel)"
        case .redundant: "redundant"
        case .notAsked: "not asked"
        case .inseparable, .undecided: "?"
        }
      return "\(row.step.weakening.rawValue) \(row.step.ordinal ?? 0): \(finding)"
    }
  }

  @Test func aFullFenceDrainsTheBuffer() throws {
    #expect(
      try findings(flags, under: .totalStoreOrder) == [
        "relaxed 1: redundant",
        "relaxed 2: necessary, TSO",
        "relaxed 3: redundant",
      ])
    #expect(
      try findings(flags, under: .sequentialConsistency) == [
        "relaxed 1: not asked", "relaxed 2: not asked", "relaxed 3: not asked",
      ])
  }
}
