// The matrix of verdicts, and the effect of architecture features on it.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import TestExpectations
import Testing

/// Fails at the end if the MMU has, or lacks, a feature.
private struct Wants: QuiescenceInvariant {
  let id: String
  var statement: String { id }
  var rationale: String { "" }
  var source: String { "" }
  var applicability: Applicability { .chosen("it is a test's") }
  let isMet: @Sendable (Features) -> Bool

  func judgeEnd(of machine: Machine) -> Violation? {
    isMet(machine.scenario.features) ? nil : Violation("the MMU is of no use")
  }
}

@Suite struct MatrixTests {
  /// A model whose verdicts depend only on the features.
  static func double(
    _ name: String, violates: [String] = [], own: Features = Features(), spins: Bool = false,
    _ wants: [(String, @Sendable (Features) -> Bool)]
  ) -> Model {
    Model(
      name: name, summary: "", scenario: "",
      expectation: violates.isEmpty ? .holds : .violates(violates)
    ) { _ in
      let scenario = Scenario()
      scenario.features = own
      let root = scenario.rootTable()
      let word = scenario.word("word")
      scenario.cpu(
        "cpu", mmu: MMU(root),
        CPUOperation("run") { cpu in
          while try cpu.load(word, .relaxed) == 0, spins {}
        })
      for (id, isMet) in wants { scenario.require(Wants(id: id, isMet: isMet)) }
      return scenario
    }
  }

  private static let flag: @Sendable (Features) -> Bool = { $0.hardwareAccessFlag }
  private static let anything: @Sendable (Features) -> Bool = { _ in true }
  private static let nothing: @Sendable (Features) -> Bool = { _ in false }

  static let doubles = [
    double("same-everywhere", [("wants-anything", anything)]),
    double("needs-access-flag", violates: ["wants-flag"], [("wants-flag", flag)]),
    double(
      "asks-for-access-flag", own: Architecture.v8_1.features,
      [("wants-flag", flag), ("wants-anything", anything)]),
    double("declared-to-hold", [("wants-flag", flag), ("wants-nothing", nothing)]),
    double("declared-to-fail", violates: ["wants-anything"], [("wants-anything", anything)]),
    double("spins", spins: true, [("wants-anything", anything)]),
  ]

  static func matrix(_ models: [Model]) throws -> VerdictMatrix {
    try VerdictMatrix(of: models) { model, options throws(CheckError) in
      try model.check(options)
    }
  }

  @Test func verdictsFollowFeatures() throws {
    let matrix = try Self.matrix(Self.doubles)
    #expect(
      matrix.invariants == [
        "progress", "operations-do-not-throw", "wants-anything", "wants-flag", "wants-nothing",
      ])
    let flag = matrix.entries[1].rows
    #expect(flag.map(\.architecture) == Architecture.all + [nil, nil])
    #expect(flag.map(\.memoryModel) == [nil, nil, nil, nil, .totalStoreOrder, .armv8])
    // The features of the model itself, none, under other memory models.
    #expect(
      flag.map { $0.cells[3] } == [.violated, .holds, .holds, .holds, .violated, .violated])
    #expect(flag.allSatisfy { $0.cells[0] == .holds && $0.cells[2] == .notRequired })
    #expect(
      matrix.entries.map(\.disagreement) == [
        nil, nil, nil, "declared to hold, but violates wants-flag, wants-nothing",
        "declared to violate wants-anything, which holds",
        "incomplete: progress, operations-do-not-throw, wants-anything",
      ])
    #expect(!matrix.isAsDeclared)
  }

  /// Store buffering: one of two CPUs sees the other's store, unless stores may wait in buffers.
  static func storeBuffering(
    own: MemoryModel = .standard, violates: [String] = [],
    under verdicts: [MemoryModel: GracewalkChecking.Expectation] = [:]
  ) -> Model {
    Model(
      name: "store-buffering", summary: "", scenario: "",
      expectation: violates.isEmpty ? .holds : .violates(violates), under: verdicts
    ) { _ in
      let scenario = Scenario()
      scenario.memoryModel = own
      let words = [scenario.word("x"), scenario.word("y")]
      let seen = [scenario.word("seen by a"), scenario.word("seen by b")]
      for (number, name) in ["a", "b"].enumerated() {
        scenario.cpu(
          name,
          CPUOperation("run") { cpu in
            try cpu.store(words[number], 1, .relaxed)
            let found: UInt64 = try cpu.load(words[1 - number], .relaxed)
            try cpu.store(seen[number], found + 1, .relaxed)
          })
      }
      scenario.atEnd("One sees the other") { machine in
        seen.contains { machine.value(of: $0) == 2 }
      }
      return scenario
    }
  }

  /// A declared verdict is one under every memory model for which no other is declared.
  @Test func memoryModelsHaveRows() throws {
    let broken = GracewalkChecking.Expectation.violates(["one-sees-the-other"])
    let declared = Self.storeBuffering(under: [.totalStoreOrder: broken, .armv8: broken])
    let matrix = try Self.matrix([
      declared, Self.storeBuffering(), Self.storeBuffering(under: [.totalStoreOrder: broken]),
    ])
    for entry in matrix.entries {
      #expect(entry.rows.map(\.memoryModel) == MemoryModel.allCases)
      #expect(entry.rows.map { $0.cells.last } == [.holds, .violated, .violated])
    }
    #expect(
      matrix.entries.map(\.disagreement) == [
        nil, "under x86-TSO declared to hold, but violates one-sees-the-other",
        "under Armv8 without load buffering declared to hold, but violates one-sees-the-other",
      ])
    let one = try VerdictMatrix(of: [declared], under: [.totalStoreOrder]) {
      model, options throws(CheckError) in try model.check(options)
    }
    #expect(one.entries[0].rows == [matrix.entries[0].rows[1]])
  }

  /// Nothing is declared for a stronger memory model by what happens under the model's own.
  @Test(
    arguments: [
      ([], nil),
      (["one-sees-the-other"], nil),
      ([], "under sequential consistency declared to violate one-sees-the-other, which holds"),
    ] as [([String], String?)])
  func ownMemoryModelNeedNotHaveARow(own: [String], disagreement: String?) throws {
    let stronger: [MemoryModel: GracewalkChecking.Expectation] =
      disagreement == nil
      ? [:] : [.sequentialConsistency: .violates(["one-sees-the-other"])]
    let model = Self.storeBuffering(own: .totalStoreOrder, violates: own, under: stronger)
    let matrix = try VerdictMatrix(of: [model], under: [.sequentialConsistency]) {
      model, options throws(CheckError) in try model.check(options)
    }
    #expect(matrix.entries[0].rows.map { $0.cells.last } == [.holds])
    #expect(matrix.entries[0].disagreement == disagreement)
  }

  /// Each cell has the verdict of a check of its invariant alone; the command's test covers the
  /// catalogue.
  @Test(.tags(.long), .unlessQuick) func cellsAreChecksAlone() throws {
    // One system without hardware, and one with.
    let models = Teardown.models + Unmap.models
    let memoryModels: [MemoryModel] = [.sequentialConsistency, .totalStoreOrder]
    let matrix = try VerdictMatrix(of: models, under: memoryModels) {
      model, options throws(CheckError) in try model.check(options)
    }
    #expect(matrix.isAsDeclared)
    #expect(
      matrix.entries.map(\.rows.count) == models.map { $0.largestScenario.hasHardware ? 5 : 2 })
    for (model, entry) in zip(models, matrix.entries) {
      for row in entry.rows {
        for (id, cell) in zip(matrix.invariants, row.cells) where cell != .notRequired {
          var options = CheckOptions()
          options.invariants = [id]
          options.features = row.architecture?.features
          options.memoryModel = row.memoryModel
          options.parameters = model.largestInstance
          options.minimises = false
          // A sibling need not have the declared outcomes of its correct model.
          let report = try model.check(options)
          let isRight = cell == .holds ? report.coversAll : report.verdict == .violated
          #expect(isRight, "\(model.name) \(id)")
        }
      }
    }
  }

  // MARK: Features elsewhere

  @Test func scopesNameFeaturesWhereTheyMatter() throws {
    var options = CheckOptions()
    options.features = Architecture.v8_4.features
    let report = try Self.doubles[0].check(options)
    #expect(
      report.scope == "1 CPU, 1 operation each, 2-level tables of 2 entries, 1 MMU, Armv8.4-A, "
        + "sequential consistency")
    #expect(report.note == nil)
    let other = try #require(Catalogue.model(named: "shared-memcache")).check(options)
    #expect(other.scope.hasSuffix("2-level tables of 2 entries, sequential consistency"))
    #expect(other.note?.contains("change nothing: no MMU takes part") == true)
  }

  /// A violation found with some features is replayed with those, and not with others.
  @Test func tracesKeepFeatures() throws {
    let model = Self.double("no-dirty-state", [("wants-clean", { !$0.hardwareDirtyState })])
    #expect(try model.check().verdict == .holds)
    var options = CheckOptions()
    options.features = Architecture.v8_1.features
    let trace = try #require(try model.check(options).counterexample)
    let file = try TraceFile(text: TraceFile(trace).text)
    #expect(file.features == Architecture.v8_1.features)
    #expect(file.text.contains("\nfeatures: bbm=0 haf=1 hd=1 range=0 ets=0\n"))
    let again = try Recording(file.schedule, of: model.scenario(features: file.features))
    #expect(again == trace.recording)
    #expect(try Recording(file.schedule, of: model.scenario()).end == .complete)
    #expect(
      TraceText(trace).replayCommand(namesInvariants: false, namesFeatures: true)
        .hasPrefix("gracewalk replay no-dirty-state --architecture armv8.1 --schedule"))
  }

  @Test func checkpointsKeepFeatures() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let model = try #require(Catalogue.model(named: "collapse-in-rcu-callback"))
    var options = CheckOptions()
    options.limits.executions = 3
    options.checkpoints = CheckpointFile(path: path)
    options.features = Architecture.v8_1.features
    _ = try model.check(options)
    options.resume = try Checkpoint(path: path)
    options.features = nil
    #expect(
      throws: CheckError.badCheckpoint(
        "'\(path)' is of another check: expected features 'bbm=0 haf=0 hd=0 range=0 ets=0', "
          + "found 'bbm=0 haf=1 hd=1 range=0 ets=0'; ask for the check that was saved, or begin "
          + "again without --resume")
    ) { try model.check(options) }
  }
}
