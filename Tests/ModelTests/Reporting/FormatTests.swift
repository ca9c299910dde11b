// JUnit, SARIF and Mermaid: the properties that readers rely on, and text that looks like markup.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import TestExpectations
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Names and messages with characters that are special in each format.
enum Hostile {
  static let name = "a <b> & \"c\";#d\n%%{e}%% ]]>\u{1B}[31m\u{0}$$x$$ é🙂\r"

  private struct Never: QuiescenceInvariant {
    let id = "never"
    var statement: String { Hostile.name }
    var rationale: String { Hostile.name }
    var source: String { Hostile.name }
    var applicability: Applicability { .chosen("it is a test's") }
    func judgeEnd(of machine: Machine) -> Violation? {
      Violation(Hostile.name, details: [Hostile.name])
    }
  }

  static let model = Model(
    name: name, summary: name, scenario: name, omission: name, expectation: .violates(["never"])
  ) { _ in
    let scenario = Scenario()
    let word = scenario.word(name)
    scenario.cpus(
      [name + "0", name + "1"],
      CPUOperation(name) { cpu in try cpu.store(word, 1, .relaxed) })
    scenario.require(Never())
    return scenario
  }
}

@Suite struct FormatTests {
  private static func report(
    _ name: String, _ options: CheckOptions = CheckOptions()
  ) throws -> CheckReport {
    try #require(Catalogue.model(named: name)).check(options)
  }

  private static func trace(_ name: String) throws -> Trace {
    try #require(try report(name).counterexample)
  }

  // MARK: JUnit

  /// Elements as Foundation's parser sees them.
  private final class Elements: NSObject, XMLParserDelegate {
    struct Element {
      var path: String
      var attributes: [String: String]
      var text = ""
    }

    var all: [Element] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      let parent = open.last.map { all[$0].path + "/" } ?? ""
      open.append(all.count)
      all.append(Element(path: parent + name, attributes: attributes))
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      open.removeLast()
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let last = open.last { all[last].text += text }
    }

    static func parse(_ text: String) throws -> [Element] {
      let elements = Elements()
      let parser = XMLParser(data: Data(text.utf8))
      parser.delegate = elements
      try #require(parser.parse(), "\(String(describing: parser.parserError))")
      return elements.all
    }
  }

  private static let testcase = "testsuites/testsuite/testcase"

  @Test func junitOfAViolation() throws {
    let report = try Self.report("shared-memcache-without-exchange")
    let text = JUnitText(report, seconds: 61.0625, replayCommand: "gracewalk replay it").text
    let elements = try Elements.parse(text)
    #expect(
      elements[1].attributes == [
        "name": "shared-memcache-without-exchange", "tests": "9", "failures": "1", "errors": "0",
        "skipped": "8", "time": "61.063",
      ])
    let names = elements.filter { $0.path == Self.testcase }.map { $0.attributes["name"] }
    #expect(names == report.invariants)
    let failure = try #require(elements.first { $0.path == Self.testcase + "/failure" })
    #expect(
      failure.attributes == [
        "type": "no-table-linked-twice",
        "message": "vcpu 0 links table page boot.1 a second time, in root[0]",
      ])
    #expect(failure.text.contains("\n   2                                        load memcache"))
    #expect(failure.text.hasSuffix("\n\ngracewalk replay it"))
    #expect(elements.count { $0.path == Self.testcase + "/skipped" } == 8)
    #expect(!JUnitText(report).text.contains("time="))
  }

  @Test func junitOfOtherVerdicts() throws {
    let holds = try Elements.parse(JUnitText(try Self.report("shared-memcache")).text)
    #expect(holds.count == 2 + 9)
    var options = CheckOptions()
    options.limits.executions = 3
    let incomplete = try Elements.parse(
      JUnitText(try Self.report("collapse-in-rcu-callback", options)).text)
    let errors = incomplete.filter { $0.path == Self.testcase + "/error" }
    #expect(errors.count == incomplete.count { $0.path == Self.testcase })
    #expect(errors[0].attributes["message"]?.contains("raise --executions") == true)
  }

  /// A declared violation is a test that passes.
  @Test(.tags(.long), .unlessQuick) func junitOfTheCatalogue() throws {
    let checks = try CatalogueReports.declared(Memcache.models + Collapse.models, seconds: 0.25)
    let asDeclared = try Elements.parse(JUnitText(checks).text)
    let suites = asDeclared.filter { $0.path == "testsuites/testsuite" }
    #expect(
      suites.map { $0.attributes["name"] } == (Memcache.models + Collapse.models).map(\.name))
    #expect(asDeclared[0].attributes["tests"] == "\(checks.count)")
    #expect(asDeclared[0].attributes["failures"] == "0")
    #expect(suites[0].attributes["time"] == "0.250")

    let wrong = DeclaredCheck(parameters: [:], violated: nil)
    let broken = try Self.report("shared-memcache-without-exchange")
    let elements = try Elements.parse(JUnitText([JudgedCheck(wrong, broken)]).text)
    let failure = try #require(elements.first { $0.path == Self.testcase + "/failure" })
    #expect(
      failure.attributes["message"]?.hasPrefix("declared: holds; found: violated — no-table")
        == true)
    #expect(
      failure.text.hasSuffix(
        "gracewalk replay shared-memcache-without-exchange --schedule 0,1*4,0*3"))
  }

  @Test func junitOfAReplay() throws {
    let elements = try Elements.parse(JUnitText(try Self.trace("unmap-without-tlbi")).text)
    #expect(elements.map(\.path).suffix(2) == [Self.testcase, Self.testcase + "/failure"])
    #expect(elements[3].attributes["type"] == "no-reuse-while-cached")
  }

  /// Nothing that XML forbids is written, and markup characters survive a round trip.
  @Test func junitOfHostileNames() throws {
    let report = try Hostile.model.check()
    for text in [JUnitText(report).text, JUnitText(try #require(report.counterexample)).text] {
      let elements = try Elements.parse(text)
      let failure = try #require(elements.first { $0.path == Self.testcase + "/failure" })
      #expect(
        failure.attributes["message"]
          == "a <b> & \"c\";#d\\u{a}%%{e}%% ]]>\\u{1b}[31m\\u{0}$$x$$ é🙂\\u{d}")
    }
  }

  // MARK: SARIF

  /// The requirements of the SARIF 2.1.0 schema for the parts that are used.
  private struct SARIFRules {
    var complaints: [String] = []
    let document: [String: Any]

    static let levels: Set = ["none", "note", "warning", "error"]
    static let kinds: Set = ["notApplicable", "pass", "fail", "review", "open", "informational"]
    static let importances: Set = ["important", "essential", "unimportant"]
    /// The properties of each object; the schema allows no others.
    static let known: [String: Set<String>] = [
      "log": ["$schema", "version", "runs", "inlineExternalProperties", "properties"],
      "run": [
        "tool", "invocations", "originalUriBaseIds", "columnKind", "results", "artifacts",
      ],
      "driver": ["name", "version", "semanticVersion", "informationUri", "rules"],
      "rule": [
        "id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration",
      ],
      "result": [
        "ruleId", "ruleIndex", "kind", "level", "message", "locations", "codeFlows",
        "partialFingerprints", "suppressions", "properties",
      ],
      "location": ["id", "physicalLocation", "logicalLocations", "message"],
      "physicalLocation": ["artifactLocation", "region"],
      "artifactLocation": ["uri", "uriBaseId", "index", "description"],
      "threadFlowLocation": ["location", "executionOrder", "nestingLevel", "importance"],
      "suppression": ["kind", "status", "justification", "location"],
      "invocation": ["executionSuccessful", "exitCode", "toolExecutionNotifications"],
    ]

    init(_ log: SARIFLog) throws {
      let data = Data(try json(log).utf8)
      document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      object(document, "log")
      demand(document["version"] as? String == "2.1.0", "version is 2.1.0")
      demand((document["$schema"] as? String).flatMap { URL(string: $0) } != nil, "$schema: URI")
      for run in list(document["runs"]) { self.run(run) }
    }

    private mutating func demand(_ isMet: Bool, _ what: String) {
      if !isMet { complaints.append(what) }
    }

    private mutating func object(_ value: [String: Any], _ kind: String) {
      let others = Set(value.keys).subtracting(Self.known[kind] ?? [])
      demand(others.isEmpty, "\(kind) has \(others.sorted())")
    }

    private func list(_ value: Any?) -> [[String: Any]] { value as? [[String: Any]] ?? [] }

    private mutating func message(_ value: Any?, of what: String) {
      let text = (value as? [String: Any])?["text"] as? String
      demand(text?.isEmpty == false, "\(what) has a message with text")
    }

    private mutating func run(_ run: [String: Any]) {
      object(run, "run")
      let driver = (run["tool"] as? [String: Any])?["driver"] as? [String: Any] ?? [:]
      object(driver, "driver")
      demand(driver["name"] is String && driver["semanticVersion"] is String, "driver has a name")
      let rules = list(driver["rules"])
      for rule in rules {
        object(rule, "rule")
        demand((rule["id"] as? String)?.isEmpty == false, "rule has an id")
        for key in ["shortDescription", "fullDescription", "help"] { message(rule[key], of: key) }
      }
      demand(Set(rules.compactMap { $0["id"] as? String }).count == rules.count, "unique rules")
      for invocation in list(run["invocations"]) {
        object(invocation, "invocation")
        demand(invocation["executionSuccessful"] is Bool, "executionSuccessful is required")
      }
      let bases = run["originalUriBaseIds"] as? [String: Any] ?? [:]
      for result in list(run["results"]) { self.result(result, rules, Set(bases.keys)) }
    }

    private mutating func result(
      _ result: [String: Any], _ rules: [[String: Any]], _ bases: Set<String>
    ) {
      object(result, "result")
      message(result["message"], of: "result")
      let index = result["ruleIndex"] as? Int ?? -1
      demand(
        rules.indices.contains(index)
          && rules[index]["id"] as? String == result["ruleId"] as? String, "ruleIndex fits ruleId")
      demand(Self.kinds.contains(result["kind"] as? String ?? ""), "kind")
      demand(Self.levels.contains(result["level"] as? String ?? ""), "level")
      for suppression in list(result["suppressions"]) {
        object(suppression, "suppression")
        demand(suppression["kind"] as? String == "inSource", "suppression has a kind")
      }
      for location in list(result["locations"]) { self.location(location, bases) }
      demand(list(result["locations"]).count == 1, "one location")
      for flow in list(result["codeFlows"]) {
        let threads = list(flow["threadFlows"])
        demand(!threads.isEmpty, "threadFlows has one item at least")
        var order: [Int] = []
        for thread in threads {
          let steps = list(thread["locations"])
          demand(!steps.isEmpty, "locations of a threadFlow has one item at least")
          let own = steps.compactMap { $0["executionOrder"] as? Int }
          demand(own == own.sorted(), "a CPU's steps are in order")
          order += own
          for step in steps {
            object(step, "threadFlowLocation")
            demand(Self.importances.contains(step["importance"] as? String ?? ""), "importance")
            demand((step["nestingLevel"] as? Int ?? -1) >= 0, "nestingLevel")
            location(step["location"] as? [String: Any] ?? [:], bases)
          }
        }
        demand(order.sorted() == Array(1...max(order.count, 1)), "each step has its place")
      }
    }

    private mutating func location(_ location: [String: Any], _ bases: Set<String>) {
      object(location, "location")
      guard let physical = location["physicalLocation"] as? [String: Any] else { return }
      object(physical, "physicalLocation")
      let artifact = physical["artifactLocation"] as? [String: Any] ?? [:]
      object(artifact, "artifactLocation")
      let uri = artifact["uri"] as? String ?? "/"
      demand(!uri.hasPrefix("/") && URL(string: uri)?.scheme == nil, "\(uri) is relative")
      demand(bases.contains(artifact["uriBaseId"] as? String ?? ""), "uriBaseId is declared")
      let line = (physical["region"] as? [String: Any])?["startLine"] as? Int ?? 0
      demand(line >= 1, "startLine is 1 at least")
    }
  }

  private static let sarif = SARIFReport(version: "0.1.0") { Catalogue.path(ofFile: $0) }

  private static func first(_ log: SARIFLog) throws -> [String: Any] {
    let run = try #require((try SARIFRules(log).document["runs"] as? [[String: Any]])?.first)
    return try #require((run["results"] as? [[String: Any]])?.first)
  }

  @Test(.tags(.long), .unlessQuick) func sarifOfTheCatalogue() throws {
    let checks = try CatalogueReports.declared(Catalogue.models)
    let rules = try SARIFRules(Self.sarif.log(checks, exitStatus: 0))
    #expect(rules.complaints == [])
    let run = try #require((rules.document["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.count == checks.count { $0.declared.violated != nil })
    #expect(results.allSatisfy { $0["suppressions"] != nil })
    // Every step with a place has one in an existing folder.
    let text = try json(Self.sarif.log(checks, exitStatus: 0))
    #expect(!text.contains("\"MODULES\",") && !text.contains("\"GracewalkModels/"))
  }

  @Test func sarifOfACheckAndItsReplay() throws {
    let report = try Self.report("collapse-unlocked-descendants")
    let log = Self.sarif.log(report)
    #expect(try SARIFRules(log).complaints == [])
    let result = try Self.first(log)
    #expect(result["ruleId"] as? String == "no-leaked-table-page")
    #expect(result["suppressions"] == nil)
    let flows = try #require(result["codeFlows"] as? [[String: Any]])
    let threads = try #require(flows.first?["threadFlows"] as? [[String: Any]])
    let trace = try #require(report.counterexample)
    #expect(threads.compactMap { $0["id"] as? String } == trace.recording.cpus)
    let locations = try #require(result["locations"] as? [[String: Any]])
    let place = try #require(locations[0]["physicalLocation"] as? NSDictionary)
    let step = try #require(trace.recording.steps.last { $0.site.line > 0 })
    #expect(
      place == [
        "artifactLocation": [
          "uri": "models/Stage2/Stage2Table.swift", "uriBaseId": "SRCROOT",
        ], "region": ["startLine": step.site.line],
      ])
    #expect(try json(Self.sarif.log(trace)) == json(log))
  }

  @Test func sarifOfWhatHoldsIsEmptyAndOfWhatIsIncompleteFails() throws {
    let holds = Self.sarif.log(try Self.report("shared-memcache"))
    #expect(try SARIFRules(holds).complaints == [])
    #expect(try json(holds).contains("\"results\" : [\n\n      ]"))
    var options = CheckOptions()
    options.limits.executions = 3
    let incomplete = Self.sarif.log(try Self.report("collapse-in-rcu-callback", options))
    #expect(try SARIFRules(incomplete).complaints == [])
    #expect(try json(incomplete).contains("\"executionSuccessful\" : false"))
    #expect(try json(incomplete).contains("raise --executions"))
  }

  /// A model that is in no catalogue: its file is named as the compiler names it.
  @Test func sarifOfOtherModels() throws {
    let log = Self.sarif.log(try Hostile.model.check())
    #expect(try SARIFRules(log).complaints == [])
    let text = try json(log)
    #expect(text.contains("\"uri\" : \"ModelTests/FormatTests.swift\""))
    #expect(text.contains("\"uriBaseId\" : \"MODULES\""))
  }

  /// No two files have the same name, so the name identifies the path.
  @Test func everyFileOfTheModelsHasAPath() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let all = FileManager.default.enumerator(atPath: root.appendingPathComponent("models").path)
    let files = (all?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }
    #expect(files.count > 20)
    for file in files {
      let id = "GracewalkModels/\(URL(fileURLWithPath: file).lastPathComponent)"
      #expect(Catalogue.path(ofFile: id) == "models/\(file)")
    }
    #expect(Catalogue.path(ofFile: "Other/Collapse.swift") == nil)
    let gone = SourceFolder(file: "/nowhere/models/Catalogue.swift")
    #expect(gone.path(ofFile: "ModelTests/Catalogue.swift") == nil)
  }
}
