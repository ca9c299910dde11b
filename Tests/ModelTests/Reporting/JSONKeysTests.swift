// Docs/Formats.md lists exactly the keys of each JSON document.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct JSONKeysTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The keys in the table below a heading.
  private static func documented(_ heading: String) throws -> [String] {
    let url = root.appendingPathComponent("Docs/Formats.md")
    let lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
    let start = try #require(lines.firstIndex(of: "### \(heading)"))
    let section = lines[(start + 1)...].prefix { !$0.hasPrefix("#") }
    return section.filter { $0.hasPrefix("| `") }.map { line in
      String(line.dropFirst(3).prefix { $0 != "`" })
    }
  }

  /// Objects whose keys are names, and parts that have a table of their own.
  private static let maps: Set = [
    "parameters", "rows[].parameters", "rows[].verdicts", "programs[].verdicts",
    "models[].parameters",
    "models[].notRequired", "programs[].under",
  ]
  private static let parts: Set = [
    "counterexample.steps[]", "steps[]", "checks[].check", "failures[]", "incomplete[]",
    "findings[].calls[]",
  ]

  /// The paths of all values; empty values reveal no keys.
  private static func paths(_ value: Any, _ path: String = "") -> Set<String> {
    if parts.contains(path) { return [path] }
    if let array = value as? [Any] {
      return array.reduce(into: []) { $0.formUnion(paths($1, "\(path)[]")) }
    }
    guard let object = value as? [String: Any] else { return [path] }
    if maps.contains(path) { return object.isEmpty ? [] : ["\(path).*"] }
    return object.reduce(into: []) { all, item in
      all.formUnion(paths(item.value, path.isEmpty ? item.key : "\(path).\(item.key)"))
    }
  }

  private static func object(_ document: some Encodable) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(try json(document).utf8))
  }

  private func expect(
    _ documents: [Any], match heading: String, without: (String) -> Bool = { _ in false }
  ) throws {
    let written = documents.reduce(into: Set<String>()) { $0.formUnion(Self.paths($1)) }
    let documented = try Self.documented(heading)
    #expect(documented.count == Set(documented).count)
    #expect(written.sorted() == documented.filter { !without($0) }.sorted())
    for case let document as [String: Any] in documents where heading != "Steps" {
      #expect(document["format"] as? String == heading)
    }
  }

  private static func vacuousModel() -> Model {
    Model(
      name: "idle", summary: "", scenario: "", expectation: .holds,
      mustHappen: [ExpectedOutcome("run", "1")]
    ) { _ in
      let scenario = Scenario()
      scenario.cpu("cpu", CPUOperation("run") { _ in 0 })
      return scenario
    }
  }

  /// Reports of every form.
  private static let checks: [JudgedCheck] = {
    var checks: [JudgedCheck] = []
    checks = (try? CatalogueReports.declared(Catalogue.models, seconds: 0.5)) ?? []
    let vacuous = vacuousModel()
    for declared in vacuous.declaredChecks {
      guard let report = try? vacuous.check(declared.options()) else { continue }
      checks.append(JudgedCheck(declared, report, seconds: 0.5))
    }
    let large = Catalogue.model(named: "collapse-in-rcu-callback")
    var bounded = CheckOptions()
    bounded.limits.states = 4_200
    var exact = CheckOptions()
    exact.isExact = true
    exact.features = Architecture.v8_4.features
    for options in [bounded, exact] {
      guard let report = try? large?.check(options) else { continue }
      checks.append(JudgedCheck(DeclaredCheck(parameters: [:], violated: nil), report))
    }
    if let report = try? NotJudgedTests.careless().check() {
      checks.append(JudgedCheck(DeclaredCheck(), report))
    }
    if let report = try? SampleTests.late(turns: 4).check() {
      checks.append(JudgedCheck(DeclaredCheck(violated: "progress"), report))
    }
    return checks
  }()

  /// Declared verdicts under memory models other than a scenario's own.
  private static let otherCount = Catalogue.models.reduce(0) { count, model in
    count + model.declaredChecks.count { $0.memoryModel != nil }
  }

  @Test func check() throws {
    #expect(Self.checks.count == CatalogueCase.all.count + Self.otherCount + 5)
    let documents = try Self.checks.map { item in
      try Self.object(CheckDocument(item.report, seconds: item.seconds))
    }
    try expect(documents, match: "gracewalk check 1")
  }

  @Test func catalogue() throws {
    let document = try Self.object(CatalogueDocument(Self.checks))
    try expect([document], match: "gracewalk catalogue 1")
    let object = try #require(document as? [String: Any])
    #expect(object["asDeclared"] as? Int == CatalogueCase.all.count + Self.otherCount + 3)
  }

  @Test func replayAndSteps() throws {
    let traces = Self.checks.compactMap(\.report.counterexample)
    #expect(traces.count > 50)
    let ablation = try #require(Catalogue.model(named: "shared-memcache")).ablate()
    let weakened = ablation.rows.compactMap { row -> Trace? in
      if case .necessary(_, let trace) = row.finding { trace } else { nil }
    }
    #expect(!weakened.isEmpty)
    let documents = try (traces + weakened).map { try Self.object(ReplayDocument($0)) }
    try expect(documents, match: "gracewalk replay 1")
    let steps = documents.compactMap { ($0 as? [String: Any])?["steps"] as? [Any] }
    try expect(steps.flatMap { $0 }, match: "Steps")
  }

  /// A replay and a check list the same steps.
  @Test func stepsAreTheSame() throws {
    let item = try #require(Self.checks.first { $0.report.counterexample != nil })
    let trace = try #require(item.report.counterexample)
    let check = try #require(try Self.object(CheckDocument(item.report)) as? [String: Any])
    let counterexample = try #require(check["counterexample"] as? [String: Any])
    let replay = try #require(try Self.object(ReplayDocument(trace)) as? [String: Any])
    let ours = try #require(replay["steps"] as? NSArray)
    #expect(ours.isEqual(to: try #require(counterexample["steps"] as? [Any])))
    #expect(ours.count == trace.recording.steps.count)
    #expect(replay["end"] as? String == "violated")
    #expect(replay["schedule"] as? String == trace.recording.schedule.text)
  }

  @Test func litmusTests() throws {
    let texts = [
      "C a\n{}\nP0(int *x) { WRITE_ONCE(*x, 1); rcu_read_unlock(); }\nexists (x=1)", "C b\n",
    ]
    var bounded = LitmusOptions()
    bounded.limits.states = 1
    let rows = [LitmusOptions(), bounded].flatMap { options in
      texts.map { text in
        do throws(LitmusError) {
          let report = try LitmusTest(reading: text).check(options)
          return LitmusRow("a.litmus", .success(report), seconds: 1)
        } catch {
          return LitmusRow("b.litmus", .failure(error), seconds: nil)
        }
      }
    }
    let document = LitmusDocument(rows, under: .standard)
    try expect([try Self.object(document)], match: "gracewalk litmus 1")
  }

  @Test func matrix() throws {
    let smaller = Model(
      name: "smaller", summary: "", scenario: "",
      parameters: [Parameter("count", "of nothing", 1...2, standard: 2)], expectation: .holds,
      instancesUnder: [.armv8: [["count": 1]]]
    ) { _ in MatrixTests.doubles[0].build(ParameterValues([])) }
    var document = MatrixDocument(try MatrixTests.matrix(MatrixTests.doubles + [smaller]))
    var program = MatrixDocument.Program(program: "counter", declared: ["race"])
    program.verdicts["as it is"] = "race"
    document.programs = [program]
    try expect([try Self.object(document)], match: "gracewalk matrix 1")
  }

  @Test func ablation() throws {
    let documents = try ["reverse-map-fault", "unmap-and-free", "collapse-in-rcu-callback"].map {
      let report = try #require(Catalogue.model(named: $0)).ablate()
      return try Self.object(AblationDocument(report))
    }
    try expect(documents, match: "gracewalk ablation 1")
  }

  @Test func sweep() throws {
    var limits = Limits()
    limits.states = 40
    var sweeps = [SweepOptions(), SweepOptions(), SweepOptions()]
    sweeps[1].limits = limits
    sweeps[2].isInterrupted = { true }
    let documents = try sweeps.flatMap { options in
      try ["fault-in-parallel", "fault-without-compare-exchange"].map { name in
        let report = try #require(Catalogue.model(named: name)).sweep(options)
        return try Self.object(SweepDocument(report, seconds: 0.5))
      }
    }
    try expect(documents, match: "gracewalk sweep 1")
  }

  @Test func list() throws {
    let output = try CommandTests.outcome("list", "--format", "json").output
    let document = try JSONSerialization.jsonObject(with: Data(output.utf8))
    try expect([document], match: "gracewalk list 1")
  }

  @Test func bench() throws {
    let words =
      CommandTests.hasSpin ? ["--spin", "2", "--rounds", "1"] : ["page-table(2)"]
    let outputs = try [["page-table(2)"], words].map { words in
      let output = try CommandTests.outcome(["bench"] + words + ["--format", "json"]).output
      return try JSONSerialization.jsonObject(with: Data(output.utf8))
    }
    // A comparison alone is a document of its own, which is also part of the long benchmark.
    let whole: [Any] =
      CommandTests.hasSpin ? [["format": "gracewalk bench 1", "spin": outputs[1]]] : []
    try expect([outputs[0]] + whole, match: "gracewalk bench 1") {
      !CommandTests.hasSpin && $0.hasPrefix("spin.")
    }
  }
}
