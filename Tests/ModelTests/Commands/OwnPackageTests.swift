// A user's package: all commands, readable reports, and invariants of its own.

import Foundation
import Gracewalk
import GracewalkModels
import GracewalkReporting
import Testing

/// A user's rule about two words.
struct ProtectedStaysReadOnly: QuiescenceInvariant {
  let entry: Location
  let mark: Location
  let id = "protected-stays-read-only"
  let statement = "At the end, no entry that is marked as protected is writable."
  let rationale = "Whoever marked it waits for the fault that a write would bring."
  let source = "a mail of one's own"
  let applicability = Applicability.chosen("it is about words of this model")

  func judgeEnd(of machine: Machine) -> Violation? {
    guard machine.value(of: mark) == 1, machine.value(of: entry) == 1 else { return nil }
    return Violation("a protected entry is writable")
  }
}

@Suite struct OwnPackageTests {
  /// A fault that checked before the protection writes after it, and then does something else.
  static let protect = Model(
    name: "own-protect", summary: "a fault races with a protection",
    scenario: "A fault makes an entry writable while another CPU protects it.",
    omission: "looking again", expectation: .violates(["protected-stays-read-only"])
  ) { _ in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let entry = scenario.word("entry")
    let mark = scenario.word("mark")
    let count = scenario.word("count")
    scenario.cpu(
      "faulter",
      CPUOperation("fault") { cpu in
        guard try cpu.load(mark, .relaxed) == 0 else { return }
        try cpu.store(entry, 1, .relaxed)
        try cpu.store(count, 1, .relaxed)
      })
    scenario.cpu(
      "protector",
      CPUOperation("protect") { cpu in
        try cpu.store(mark, 1, .relaxed)
        try cpu.store(entry, 0, .relaxed)
        try cpu.store(count, 2, .relaxed)
      })
    scenario.require([ProtectedStaysReadOnly(entry: entry, mark: mark)])
    return scenario
  }

  private static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  @Test func allCommandsTakeItsModels() throws {
    let run = { (words: [String]) in Gracewalk.run(words, models: [Self.protect]) }
    #expect(run(["check"]) == 0)
    #expect(run(["check", "own-protect"]) == 1)
    #expect(run(["list"]) == 0)
    #expect(run(["replay", "own-protect", "--schedule", "0,1*3,0*2"]) == 1)
    // A failure before the first step is replayed with this command.
    #expect(run(["replay", "own-protect", "--schedule", ""]) == 0)
    #expect(run(["ablate", "own-protect"]) == 2)
    #expect(run(["check", "collapse-unlocked-descendants"]) == 2)
    #expect(run(["check", "--catalogue"]) == 2)
    try Self.inFolder { folder in
      let page = folder.appendingPathComponent("race.html").path
      let trace = folder.appendingPathComponent("race.trace").path
      #expect(run(["check", "own-protect", "--html", page, "--trace", trace]) == 1)
      #expect(run(["replay", trace]) == 1)
      let text = try String(contentsOfFile: page, encoding: .utf8)
      #expect(text.contains("How it happens"))
      #expect(run(["document", folder.path]) == 0)
    }
  }

  @Test func theCatalogueIsThereOnRequest() {
    let run = { (words: [String]) in
      Gracewalk.run(words, models: [Self.protect], catalogue: [Catalogue.systems[7]])
    }
    #expect(run(["check", "retry-no-such-model"]) == 2)
    #expect(run(["check", Catalogue.systems[7].models[0].name]) != 2)
    #expect(run(["check", "--catalogue"]) == 0)
  }

  @Test func anInvariantOfOnesOwnIsExplained() throws {
    let report = try Self.protect.check()
    let invariant = ProtectedStaysReadOnly(
      entry: Scenario(geometry: Geometry(levels: 2, entries: 2)).word("a"),
      mark: Scenario(geometry: Geometry(levels: 2, entries: 2)).word("b"))
    #expect(report.text.contains("must hold: \(invariant.statement)"))
    #expect("\(report)" == report.text)
    let page = try #require(try report.page(of: Self.protect))
    for text in [invariant.statement, invariant.rationale, invariant.source.escapedForHTML] {
      #expect(page.contains(text))
    }
    let document = try json(CheckDocument(report, seconds: 0))
    #expect(document.contains(invariant.statement) && document.contains(invariant.rationale))
  }

  @Test func theStoryFollowsInspectedWords() throws {
    var options = CheckOptions()
    options.recordsPictures = true
    let trace = try #require(try Self.protect.check(options).counterexample)
    #expect(trace.recording.inspected.map(\.name) == ["mark", "entry"])
    let told = TraceMoments(trace).moments.filter(\.isKey).compactMap { $0.step?.action }
    #expect(told.contains("store mark ← 1"))
    #expect(told.contains("store entry ← 1"))
  }

  @Test func stepsSayWhereTheyStand() throws {
    let trace = try #require(try Self.protect.check().counterexample)
    let site = try #require(trace.recording.steps.first?.site)
    let wide = TraceText(trace, width: 120, showsSources: true).body
    #expect(wide.contains { $0.hasSuffix(" OwnPackageTests.swift:\(site.line)") })
    let narrow = TraceText(trace, width: 70, showsSources: true).body
    #expect(narrow.contains("in the source"))
    #expect(narrow.allSatisfy { $0.count <= 70 })
    #expect(trace.description == wide.joined(separator: "\n"))
  }

  @Test func initWritesAPackageOnce() throws {
    let executable = CommandTests.executable
    try Self.inFolder { folder in
      let command = CommandTests()
      let first = try command.run(["init", "my-checks"], in: folder)
      #expect(first.status == 0, "\(first.error)")
      #expect(first.output.contains("swift run -c release my-checks check\n"))
      let manifest = try String(
        contentsOf: folder.appendingPathComponent("my-checks/Package.swift"), encoding: .utf8)
      #expect(manifest.contains("name: \"my-checks\""))
      let again = try command.run(["init", "my-checks"], in: folder)
      #expect(again.status == 2)
      #expect(again.error.contains("'my-checks' is not empty"))
      let badName = try command.run(["init", "1+1"], in: folder)
      #expect(badName.status == 2)
      let badPlace = try command.run(["init", "a", "--gracewalk", "/nowhere"], in: folder)
      #expect(badPlace.status == 2)
    }
    #expect(executable.lastPathComponent == "gracewalk")
  }
}

extension String {
  fileprivate var escapedForHTML: String { replacing("'", with: "&#39;") }
}
