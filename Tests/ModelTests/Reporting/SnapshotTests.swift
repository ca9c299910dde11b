// User-visible output, kept as files: UPDATE_EXPECTATIONS=1 rewrites them, and the run fails once.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct SnapshotTests {
  private func expect(_ text: String, matches name: String, file: String = #filePath) throws {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
      .appendingPathComponent("Snapshots")
    try Expectations.expect(text, matches: folder.appendingPathComponent("\(name).txt"))
  }

  private func report(_ name: String) throws -> CheckReport {
    try #require(Catalogue.model(named: name)).check()
  }

  @Test(arguments: [
    "collapse-unlocked-descendants", "shared-memcache-without-exchange",
    "drop-last-reference-tested-later", "unmap-under-write-lock", "collapse-waits-in-section",
    "swap-two-entries-in-any-order",
  ])
  func checkText(_ name: String) throws {
    let text = CheckText(try report(name))
    let lines = text.header + [""] + text.body
    try expect(lines.joined(separator: "\n") + "\n", matches: name)
  }

  @Test func narrowTerminal() throws {
    let text = CheckText(try report("shared-memcache-without-exchange"), width: 60)
    try expect(text.body.joined(separator: "\n") + "\n", matches: "narrow")
  }

  @Test func matrix() throws {
    let models = Memcache.models + References.models + MatrixTests.doubles
    let text = MatrixText(try MatrixTests.matrix(models)).lines.joined(separator: "\n")
    try expect(text + "\n", matches: "matrix")
  }

  @Test func matrixJSON() throws {
    let models = Memcache.models + [MatrixTests.doubles[1]]
    let document = MatrixDocument(try MatrixTests.matrix(models))
    try expect(try json(document) + "\n", matches: "matrix-json")
  }

  /// The smallest failing combination with its counterexample, and all that contain no other.
  @Test(arguments: [
    ("sweep", "walk-references-without-recheck"), ("sweep-all", "swap-two-entries-in-any-order"),
  ])
  func sweep(snapshot: String, name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    var options = SweepOptions()
    options.operations = 2
    options.findsAll = snapshot == "sweep-all"
    let text = SweepText(try model.sweep(options))
    let lines = text.header + [""] + text.body
    try expect(lines.joined(separator: "\n") + "\n", matches: snapshot)
  }

  @Test func sweepJSON() throws {
    let model = try #require(Catalogue.model(named: "fault-in-parallel"))
    var options = SweepOptions()
    options.limits.states = 210
    try expect(try json(SweepDocument(try model.sweep(options))) + "\n", matches: "sweep-json")
  }

  @Test(arguments: ["teardown-with-barrier", "reverse-map-fault"])
  func ablation(_ name: String) throws {
    let report = try #require(Catalogue.model(named: name)).ablate()
    let lines = AblationText(report, width: 100).lines
    try expect(lines.joined(separator: "\n") + "\n", matches: "ablate-\(name)")
  }

  @Test func checkJSON() throws {
    let document = CheckDocument(try report("shared-memcache-without-exchange"))
    try expect(try json(document) + "\n", matches: "json")
  }
}
