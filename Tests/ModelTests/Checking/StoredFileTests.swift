// Requests and reports as files: reading returns the written value, and damage is an error.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces
import TestExpectations
import Testing

@Suite struct StoredFileTests {
  private static func model(_ name: String) throws -> Model {
    try #require(Catalogue.model(named: name))
  }

  private static func waiting(_ name: String, mustHappen: [ExpectedOutcome] = []) -> Model {
    Model(
      name: name, summary: "", scenario: "", expectation: .holds, mustHappen: mustHappen
    ) { _ in
      let scenario = Scenario()
      let word = scenario.word("word")
      scenario.cpu(
        "cpu",
        CPUOperation("run") { cpu in
          while try cpu.load(word, .relaxed) == 0, name == "spins" {}
        })
      return scenario
    }
  }

  /// A few reports of each verdict, each with its model.
  private static let reports: [(model: Model, report: CheckReport)] = {
    var reports: [(Model, CheckReport)] = []
    func add(_ model: Model?, _ change: (inout CheckOptions) -> Void = { _ in }) {
      guard let model else { return }
      var options = CheckOptions()
      change(&options)
      guard let report = try? model.check(options) else { return }
      reports.append((model, report))
    }
    for system in Catalogue.systems {
      for expectation in [true, false] {
        let model = system.models.first { ($0.expectation == .holds) == expectation }
        add(model) { $0.parameters = model?.instances.first ?? [:] }
      }
    }
    let large = Catalogue.model(named: "collapse-in-rcu-callback")
    add(large) { $0.limits.states = 2_000 }
    add(large) { $0.limits.depth = 20 }
    add(large) { $0.watch = { _ in false } }
    add(large) {
      $0.strategy = .random
      $0.limits.executions = 50
      $0.limits.seconds = 1e9
    }
    add(large) {
      $0.isExact = true
      $0.features = Architecture.v8_4.features
    }
    add(Catalogue.model(named: "shared-memcache")) { $0.takesCensus = true }
    add(waiting("spins"))
    add(waiting("idle", mustHappen: [ExpectedOutcome("run", "1")]))
    add(NotJudgedTests.careless())
    add(SampleTests.late(turns: 4))
    return reports
  }()

  @Test func thereAreAFewOfEachVerdict() {
    let reports = Self.reports.map(\.report)
    #expect(reports.count == 2 * Catalogue.systems.count + 10)
    #expect(reports.count { $0.verdict == .holds } > 10)
    #expect(reports.count { $0.verdict == .violated } > 10)
    #expect(reports.contains { $0.counterexample?.recording.loop != nil })
    #expect(reports.contains { $0.sampledExecutions != nil })
    #expect(reports.contains { $0.isVacuous })
    #expect(reports.contains { !$0.notJudged.isEmpty })
    #expect(reports.contains { !$0.synchronisingSteps.isEmpty })
    #expect(reports.contains { if case .incomplete(.spin) = $0.verdict { true } else { false } })
    for bound in [Bound.states, .depth, .interrupted, .executions] {
      #expect(reports.contains { $0.verdict == .incomplete(.bound(bound)) })
    }
  }

  @Test func reportsAreTheSameWhenReadAgain() throws {
    for (model, report) in Self.reports {
      let file = try StoredFile(report)
      let read = try StoredFile<CheckReport>(bytes: file.bytes)
      #expect(read.name == file.name)
      #expect(try StoredFile(read.value).bytes == file.bytes)
      let again = read.value
      #expect(again.text == report.text, "\(model.name)")
      #expect(try json(CheckDocument(again)) == json(CheckDocument(report)))
      #expect(again.counterexample == report.counterexample)
      #expect(again.counterexample?.recording == report.counterexample?.recording)
      #expect(again.verdict == report.verdict)
      #expect(again.statistics == report.statistics)
      #expect(again.coverage == report.coverage)
      #expect(again.limits == report.limits)
      #expect(again.checked == report.checked)
      #expect(again.synchronisingSteps == report.synchronisingSteps)
    }
  }

  @Test func pagesAreTheSame() throws {
    for (model, report) in Self.reports.filter({ $0.report.verdict == .violated }).prefix(4) {
      let again = try StoredFile<CheckReport>(bytes: StoredFile(report).bytes).value
      #expect(try again.page(of: model) == report.page(of: model))
    }
  }

  // MARK: Requests

  @Test func requestsAreNamedByTheirContents() throws {
    var options = CheckOptions()
    let first = try CheckRequest("m", options).contentName
    #expect(first == "f4873cb806e6a366")
    var names: Set<String> = [try CheckRequest("n", options).contentName]
    let step = try #require(WeakenedStep(text: "unmap/flush/no-tlbi"))
    let changes: [(inout CheckOptions) -> Void] = [
      { _ in }, { $0.parameters = ["a": 1] }, { $0.parameters = ["a": 2, "b": 1] },
      { $0.invariants = [] }, { $0.invariants = ["x"] }, { $0.features = Features() },
      { $0.memoryModel = .sequentialConsistency }, { $0.without = step }, { $0.takesCensus = true },
      { $0.judgesErrors = false },
      { $0.strategy = .source }, { $0.limits.preemptions = 2 }, { $0.limits.depth = 5 },
      { $0.limits.executions = 5 }, { $0.limits.states = 5 }, { $0.limits.seconds = 0.1 },
      { $0.limits.memoryBytes = 5 }, { $0.usesSymmetry = false }, { $0.seed = .max },
      { $0.priorityChanges = 3 }, { $0.jobs = 2 }, { $0.usesSamples = false },
      { $0.isExact = true }, { $0.minimises = false }, { $0.units = 2 },
      { $0.search.unitLength = 5 },
    ]
    for change in changes {
      options = CheckOptions()
      change(&options)
      let request = CheckRequest("m", options)
      let file = try StoredFile(request)
      #expect(names.insert(file.name).inserted, "\(request)")
      #expect(try StoredFile<CheckRequest>(bytes: file.bytes).value == request)
      #expect(try request.contentName == file.name)
    }
    // The session is no part of it.
    options = CheckOptions()
    options.watch = { _ in true }
    options.recordsPictures = true
    #expect(!names.insert(try CheckRequest("m", options).contentName).inserted)
  }

  @Test func bytesAreSorted() throws {
    var request = CheckRequest("model")
    for name in "hgfedcba" { request.scenario.parameters[String(name)] = 1 }
    let text = String(decoding: try StoredFile(request).bytes, as: UTF8.self)
    #expect(text.contains(#""parameters":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}"#))
    #expect(text.hasPrefix("gracewalk request 4 "))
  }

  // MARK: Damage

  private static func refusal(_ bytes: some Collection<UInt8>) -> String? {
    do throws(StoredFileError) {
      _ = try StoredFile<CheckReport>(bytes: bytes)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func damageIsSaidInALine() throws {
    let report = try Self.model("shared-memcache").check()
    let file = try StoredFile(report)
    let text = String(decoding: file.bytes, as: UTF8.self)
    let body = String(text.split(separator: "\n")[1])
    func refusal(_ text: String) -> String? { Self.refusal(Array(text.utf8)) }
    #expect(refusal("") == "the report is none")
    #expect(refusal("gracewalk request 1 0\n{}\n") == "the report is none")
    #expect(
      refusal(text.replacing("report 4 ", with: "report 5 "))
        == "the report has version '5'; this program reads version 4")
    #expect(
      refusal(String(text.dropLast()))
        == "the report is cut off, or has lines that do not belong there")
    #expect(
      refusal(text.replacing("holds", with: "folds")) == "the report does not fit its checksum")
    #expect(Self.refusal(file.bytes + [0xFF]) == "the report is not text in UTF-8")
    func json(_ text: String) -> String? {
      Self.refusal(StoredFile<CheckReport>.bytes(of: text))
    }
    #expect(json("[") == "the report makes no sense: The given data was not valid JSON.")
    #expect(json(String(repeating: "[", count: 100_000)) != nil)
    #expect(json(" \(body)") == "the report is written in another way than this program does")
    #expect(json(body.replacing("\"jobs\":1", with: "\"jobs\":1,\"jobs\":1")) != nil)
    #expect(
      json(body.replacing("\"jobs\":1", with: "\"jobs\":0")) == "the report makes no sense: 0 jobs")
    #expect(
      json(body.replacing("\"verdict\":{\"holds\":{}}", with: "\"verdict\":{}"))?
        .hasPrefix("the report makes no sense: verdict: ") == true)
    #expect(
      json(body.replacing("\"model\":\"shared", with: "\"model\":\"\\u001bshared"))
        == "the report has a control character")
    for count in 0..<file.bytes.count where count % 97 == 0 {
      #expect(Self.refusal(file.bytes[..<count]) != nil)
      var flipped = file.bytes
      flipped[count] ^= 4
      #expect(Self.refusal(flipped) != nil)
    }
  }

  /// No report says "holds" because of an omission, or despite a contradiction.
  @Test func nothingHoldsByOmission() throws {
    let wrong = try Self.model("shared-memcache-without-exchange").check()
    #expect(wrong.verdict == .violated)
    let body = String(
      decoding: try StoredFile(wrong).bytes, as: UTF8.self
    ).split(separator: "\n")[1]
    func json(_ text: some StringProtocol) -> String? {
      Self.refusal(StoredFile<CheckReport>.bytes(of: String(text)))
    }
    #expect(json(body) == nil)
    #expect(
      json(body.replacing("\"verdict\":{\"violated\":{}}", with: "\"verdict\":{\"holds\":{}}"))
        == "the report makes no sense: a counterexample, and not violated")
    #expect(
      json(body.replacing(",\"verdict\":{\"violated\":{}}", with: ""))
        == "the report makes no sense: verdict is missing")
    var sampled = CheckOptions()
    sampled.strategy = .random
    sampled.limits.executions = 10
    let samples = String(
      decoding: try StoredFile(try Self.model("shared-memcache").check(sampled)).bytes,
      as: UTF8.self
    ).split(separator: "\n")[1]
    let bound = "{\"incomplete\":{\"_0\":{\"bound\":{\"_0\":\"executions\"}}}}"
    #expect(samples.contains(bound))
    #expect(
      json(samples.replacing(bound, with: "{\"holds\":{}}"))
        == "the report makes no sense: holds, as far as samples show")
  }

  /// Changes or removes each value in turn: the result is an error, or a report that can be shown.
  @Test(.tags(.long), .unlessQuick) func everyReadReportCanBeShown() throws {
    var refused = 0
    var shown = 0
    let reports = Self.reports.map(\.report)
    let some = [
      reports.first { $0.verdict == .violated }, reports.first { $0.isVacuous },
      reports.first { $0.counterexample?.recording.loop != nil },
      reports.first { !$0.synchronisingSteps.isEmpty },
    ].compactMap(\.self)
    #expect(some.count == 4)
    for report in some {
      let body = String(
        decoding: try StoredFile(report).bytes, as: UTF8.self
      ).split(separator: "\n")[1]
      let whole = try JSONSerialization.jsonObject(with: Data(body.utf8))
      let mutants = Self.mutants(of: whole)
      for mutant in stride(from: 0, to: mutants.count, by: 5).map({ mutants[$0] }) {
        let data = try JSONSerialization.data(
          withJSONObject: mutant,
          options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
        let bytes = StoredFile<CheckReport>.bytes(of: String(decoding: data, as: UTF8.self))
        guard let read = try? StoredFile<CheckReport>(bytes: bytes).value else {
          refused += 1
          continue
        }
        shown += 1
        #expect(!read.text.isEmpty)
        #expect(try !json(CheckDocument(read)).isEmpty)
      }
    }
    #expect(refused > 500)
    #expect(shown > 20)
  }

  /// The value with one part changed.
  private static func mutants(of value: Any) -> [Any] {
    var mutants: [Any] = [NSNull(), -1, Int.max, 1e300, "", "x", [Any](), [String: Any]()]
    if let object = value as? [String: Any] {
      for key in object.keys.sorted() {
        var less = object
        less[key] = nil
        mutants.append(less)
        for mutant in self.mutants(of: object[key] ?? NSNull()) {
          var other = object
          other[key] = mutant
          mutants.append(other)
        }
      }
    } else if let array = value as? [Any] {
      for index in array.indices.prefix(2) {
        for mutant in self.mutants(of: array[index]) {
          var other = array
          other[index] = mutant
          mutants.append(other)
        }
      }
    }
    return mutants
  }
}
