// What symmetry saves on models with identical CPUs, and what reports say of it.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import Testing

@Suite struct SymmetryCountTests {
  struct Counts: Sendable {
    var model: String
    var levels: Int?
    var states: Int
    /// What the states stand for.
    var covered: Int
    var statesWithout: Int
  }

  @Test(arguments: [
    Counts(
      model: "fault-in-parallel", states: 6_503, covered: 12_890, statesWithout: 12_952),
    Counts(
      model: "fault-in-parallel", levels: 3, states: 26_245, covered: 52_303,
      statesWithout: 52_855),
    Counts(model: "drop-last-reference", states: 11, covered: 32, statesWithout: 24),
  ])
  func counts(_ expected: Counts) throws {
    let model = try #require(Catalogue.model(named: expected.model))
    var options = CheckOptions()
    if let levels = expected.levels { options.parameters["levels"] = levels }
    let report = try model.check(options)
    #expect(report.verdict == .holds)
    #expect(report.note == nil)
    #expect(report.statistics.states == expected.states)
    #expect(report.statistics.statesCovered == expected.covered)
    options.usesSymmetry = false
    let plain = try model.check(options)
    #expect(plain.verdict == .holds)
    #expect(plain.statistics.states == expected.statesWithout)
    #expect(plain.statistics.statesCovered == 0)
  }

  /// As many permutations as mappers have orders, and nearly as many states in one.
  @Test(arguments: [(2, 656, 1_211), (3, 2_818, 13_314), (4, 8_809, 130_920)])
  func identicalMappers(mappers: Int, states: Int, statesWithout: Int) {
    var options = SearchOptions()
    let plain = StatefulSearch(Machine(IdenticalMappers.scenario(mappers: mappers)), options).run()
    options.usesSymmetry = true
    let machine = Machine(IdenticalMappers.scenario(mappers: mappers))
    let symmetric = StatefulSearch(machine, options).run()
    #expect(symmetric.ending == .complete && plain.ending == .complete)
    #expect(symmetric.statistics.states == states)
    #expect(plain.statistics.states == statesWithout)
    #expect(machine.depth == 0)
    machine.audit()
    #expect(machine.failure == nil)
  }

  /// Every final state that the other search finds is one that a symmetric one stands for.
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

  @Test func reportsSayWhatStatesStandFor() throws {
    let report = try #require(Catalogue.model(named: "drop-last-reference")).check()
    let text = CheckText(report, width: 400).header.joined(separator: "\n")
    #expect(text.contains("1 execution, 11 states that stand for 32, 18 transitions"))
    #expect(text.contains("identical CPUs exchanged)"))
    #expect(try json(CheckDocument(report)).contains("\"statesCovered\" : 32"))
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
      _ = try cpu.fetchAdd(1, to: word, .relaxed)
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
      try cpu.store(UInt64(cpu.index), to: word, .relaxed)
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
