// The catalogue under x86-TSO and Armv8: a verdict that is not declared is the model's own.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct MemoryModelTests {
  /// Models of most systems whose checks are short under Armv8, too; `gracewalk check --memory`
  /// checks all of them.
  private static let sample = [
    "collapse-in-rcu-callback", "collapse-without-rcu", "unmap-under-write-lock",
    "unmap-under-read-lock", "unmap-frees-before-unlink", "shared-memcache",
    "shared-memcache-without-exchange", "drop-last-reference", "drop-last-reference-tested-later",
    "unmap-and-free", "unmap-tlbi-before-dsb", "unmap-without-final-dsb", "remap-without-break",
    "fast-access-fault-without-compare-exchange", "fast-access-fault-without-rcu",
    "ipi-before-free-masked-sender", "teardown-with-barrier", "teardown-without-barrier",
    "reverse-map-without-removal", "reverse-map-outside-section", "publish-table",
    "publish-table-without-release", "flush-after-zap", "flush-after-zap-without-barrier",
    "host-donate-in-place", "host-donate-read-locked",
    "dirty-log-without-tlbi", "dirty-log-without-mark", "switch-mm-orders-mark",
    "switch-mm-without-flushes",
  ]

  @Test(.tags(.long), .unlessQuick, arguments: sample, [MemoryModel.totalStoreOrder, .armv8])
  func verdictsAreAsDeclared(_ name: String, _ memoryModel: MemoryModel) throws {
    let model = try #require(Catalogue.model(named: name))
    for declared in model.declaredChecks(under: memoryModel) {
      var options = declared.options()
      options.minimises = false
      let report = try model.check(options)
      #expect(declared.isMet(by: report), "\(declared)")
      #expect(report.memoryModel == memoryModel)
      try Counts("MemoryModels").expect(
        [
          "states": report.statistics.states, "transitions": report.statistics.transitions,
        ], for: Self.name(model, declared))
    }
  }

  @Test func nothingElseIsRecorded() throws {
    let names = try Self.sample.flatMap { name in
      let model = try #require(Catalogue.model(named: name))
      return [MemoryModel.totalStoreOrder, .armv8].flatMap { memoryModel in
        model.declaredChecks(under: memoryModel).map { Self.name(model, $0) }
      }
    }
    try Counts("MemoryModels").expectRows(for: names)
  }

  private static func name(_ model: Model, _ declared: DeclaredCheck) -> String {
    let values = model.values(declared.parameters).values.map { "\($0.name)=\($0.value)" }
    return ([model.name] + values + [declared.memoryModel?.rawValue ?? "", declared.verdict])
      .joined(separator: " ")
  }

  /// The values of a model's parameters; no turns of a loop mean that it has no end.
  private func sizes(_ model: Model, _ instance: [String: Int]?) -> [Int] {
    model.values(instance ?? [:]).values.map {
      $0.name == "turns" && $0.value == 0 ? .max : $0.value
    }
  }

  /// A smaller size for a memory model is one of the sizes that are checked elsewhere, or a smaller
  /// one that `--set` may ask for.
  @Test func smallerSizesAreSmaller() {
    let models = Catalogue.models.filter { !$0.otherInstances.isEmpty }
    #expect(
      models.map(\.name) == [
        "collapse-locked-descendants", "swap-two-entries", "fast-access-fault", "ipi-before-free",
        "walk-references", "walk-references-without-recheck", "lazy-collapse",
      ])
    for model in models {
      for (_, instances) in model.otherInstances {
        let largest = sizes(model, model.instances.last)
        let smaller = sizes(model, instances.last)
        #expect(zip(largest, smaller).allSatisfy { $1 <= $0 })
        #expect(zip(largest, smaller).contains { $1 < $0 })
      }
    }
  }
}

/// Every search, and every way to run the standard one, says the same.
@Suite(.tags(.long), .unlessQuick) struct WeakMemorySearchTests {
  private static let models = [
    "drop-last-reference", "publish-table", "publish-table-without-release",
    "unmap-under-write-lock",
  ]
  private static let weak = [MemoryModel.totalStoreOrder, .armv8]

  private func report(
    _ name: String, _ model: MemoryModel, _ change: (inout CheckOptions) throws -> Void = { _ in }
  ) throws -> CheckReport {
    var options = CheckOptions()
    options.memoryModel = model
    options.usesSymmetry = false
    options.minimises = false
    try change(&options)
    return try #require(Catalogue.model(named: name)).check(options)
  }

  @Test(arguments: models, weak)
  func everySearchAgrees(name: String, model: MemoryModel) throws {
    let expected = try report(name, model) { $0.strategy = .exhaustive }
    for strategy in Strategy.reduced where strategy != .optimal {
      let found = try report(name, model) { $0.strategy = strategy }
      #expect(found.verdict == expected.verdict, "\(strategy)")
      #expect(found.violatedInvariant == expected.violatedInvariant, "\(strategy)")
      if expected.verdict == .holds { #expect(found.coverage == expected.coverage, "\(strategy)") }
    }
    let exchanged = try report(name, model) { $0.usesSymmetry = true }
    #expect(exchanged.verdict == expected.verdict)
  }

  @Test(arguments: models, weak)
  func everyWayToRunTheStandardSearchAgrees(name: String, model: MemoryModel) throws {
    let expected = try report(name, model)
    let exact = try report(name, model) { $0.isExact = true }
    #expect(exact.verdict == expected.verdict)
    #expect(exact.violatedInvariant == expected.violatedInvariant)
    #expect(exact.isExact && exact.statistics.collisions == 0)
    let divided = try report(name, model) { $0.jobs = 2 }
    #expect(divided.verdict == expected.verdict)
    #expect(divided.statistics == expected.statistics)
    guard expected.verdict == .holds else { return }

    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let cut = try report(name, model) {
      $0.limits.states = expected.statistics.states / 2
      $0.checkpoints = CheckpointFile(path: path)
    }
    #expect(cut.exitStatus == 3)
    let resumed = try report(name, model) { $0.resume = try Checkpoint(path: path) }
    #expect(resumed.verdict == .holds)
    #expect(resumed.coverage == expected.coverage)
  }
}
