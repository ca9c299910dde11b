// The savings by symmetry on models with identical CPUs, and their reports.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct SymmetryCountTests {
  private static let counted: [(name: String, values: [String: Int])] = [
    ("fault-in-parallel", [:]), ("fault-in-parallel", ["levels": 3]), ("drop-last-reference", [:]),
  ]

  private static func key(_ name: String, _ values: [String: Int]) -> String {
    ([name] + values.map { "\($0)=\($1)" }).joined(separator: " ")
  }

  /// States with symmetry, the states that they represent, and states without symmetry.
  @Test(.tags(.long), .unlessQuick, arguments: counted)
  func counts(_ name: String, _ values: [String: Int]) throws {
    let report = try CatalogueReports.report(named: name, values)
    #expect(report.verdict == .holds)
    #expect(report.note == nil)
    var options = CheckOptions()
    options.parameters = values
    options.usesSymmetry = false
    let plain = try #require(Catalogue.model(named: name)).check(options)
    #expect(plain.verdict == .holds)
    #expect(plain.statistics.statesCovered == 0)
    try Counts("Symmetry").expect(
      [
        "states": report.statistics.states, "covered": report.statistics.statesCovered,
        "states without": plain.statistics.states,
      ], for: Self.key(name, values))
  }

  private static let mappers = 2...4

  /// One permutation per order of the mappers, and nearly as many states merged into one.
  @Test(.tags(.long), .unlessQuick, arguments: mappers)
  func identicalMappers(mappers: Int) throws {
    var options = SearchOptions()
    let plain = StatefulSearch(Machine(IdenticalMappers.scenario(mappers: mappers)), options).run()
    options.usesSymmetry = true
    let machine = Machine(IdenticalMappers.scenario(mappers: mappers))
    let symmetric = StatefulSearch(machine, options).run()
    #expect(symmetric.ending == .complete && plain.ending == .complete)
    try Counts("Symmetry").expect(
      ["states": symmetric.statistics.states, "states without": plain.statistics.states],
      for: "mappers=\(mappers)")
    #expect(machine.depth == 0)
    machine.audit()
    #expect(machine.failure == nil)
  }

  @Test func nothingElseIsRecorded() throws {
    try Counts("Symmetry").expectRows(
      for: Self.counted.map { Self.key($0.name, $0.values) }
        + Self.mappers.map { "mappers=\($0)" })
  }

  /// Every final state of the other search is represented by one of the symmetric search.
  @Test func finalStatesOfIdenticalMappersAgree() {
    var options = SearchOptions()
    options.collectsFinalStates = true
    let plain = StatefulSearch(Machine(IdenticalMappers.scenario(mappers: 3)), options).run()
    options.usesSymmetry = true
    let symmetric = StatefulSearch(Machine(IdenticalMappers.scenario(mappers: 3)), options).run()
    #expect(symmetric.finalStates == plain.finalStates)
    #expect(plain.finalStates.count == 153)
    #expect(symmetric.statistics.executions == 30)
  }

  @Test func reportsCountStatesBeforeMerging() throws {
    let report = try #require(Catalogue.model(named: "drop-last-reference")).check()
    let text = CheckText(report, width: 400).header.joined(separator: "\n")
    #expect(text.contains("1 execution, 8 states that represent 20, 10 transitions"))
    #expect(text.contains("identical CPUs exchanged)"))
    #expect(try json(CheckDocument(report)).contains("\"statesCovered\" : 20"))
    var options = CheckOptions()
    options.usesSymmetry = false
    let plain = try #require(Catalogue.model(named: "drop-last-reference")).check(options)
    #expect(!CheckText(plain, width: 400).header.joined().contains("identical"))
    #expect(try !json(CheckDocument(plain)).contains("statesCovered"))
  }

  // MARK: Where it is switched off

  /// Names the first CPU, so exchanging it is not allowed.
  private struct FirstIsLast: QuiescenceInvariant {
    let id = "first-is-last"
    let statement = "CPU 0 writes last."
    let rationale = ""
    let source = ""
    let applicability = Applicability.chosen("it is a test's")
    let word: Location
    func judgeEnd(of machine: Machine) -> Violation? { nil }
  }

  private func model(
    cpus: Int, tellsApart: Bool, _ body: @escaping @Sendable (VirtualCPU, Location) throws -> Void
  ) -> Model {
    Model(name: "model", summary: "", scenario: "", expectation: .holds) { _ in
      let scenario = Scenario()
      let word = scenario.word("word")
      scenario.cpus((0..<cpus).map { "cpu \($0)" }, CPUOperation("run") { try body($0, word) })
      if tellsApart { scenario.require(FirstIsLast(word: word)) }
      return scenario
    }
  }

  @Test func invariantsThatMayTellCPUsApartSwitchItOff() throws {
    let add = { @Sendable (cpu: VirtualCPU, word: Location) in
      _ = try cpu.fetchAdd(word, 1, .relaxed)
    }
    let told = try model(cpus: 3, tellsApart: true, add).check()
    #expect(told.note == "identical CPUs not exchanged: first-is-last may tell them apart")
    #expect(told.statistics.states == 8 && told.statistics.statesCovered == 0)
    let alike = try model(cpus: 3, tellsApart: false, add).check()
    #expect(alike.note == nil)
    #expect(alike.statistics.states == 4 && alike.statistics.statesCovered == 8)
    var options = CheckOptions()
    options.strategy = .exhaustive
    #expect(try model(cpus: 3, tellsApart: true, add).check(options).note == nil)
  }

  @Test func tooManyIdenticalCPUsAreSaidToBe() throws {
    let load = { @Sendable (cpu: VirtualCPU, word: Location) in
      _ = try cpu.load(word, .relaxed)
    }
    let report = try model(cpus: 6, tellsApart: false, load).check()
    #expect(
      report.note
        == "only 5 of 6 identical CPUs are exchanged: more than 120 orders would cost more than "
        + "they save")
  }

  @Test func codeThatTellsCPUsApartIsAModelsMistake() {
    let model = model(cpus: 2, tellsApart: false) { cpu, word in
      try cpu.store(word, UInt64(cpu.index), .relaxed)
    }
    #expect {
      try model.check()
    } throws: { error in
      guard case .badModel(let text)? = error as? CheckError else { return false }
      return text.hasPrefix("CPUs that are declared identical are not: cpu 0 does 'store word ← 0'")
    }
    var options = CheckOptions()
    options.usesSymmetry = false
    #expect(throws: Never.self) { try model.check(options) }
  }
}
