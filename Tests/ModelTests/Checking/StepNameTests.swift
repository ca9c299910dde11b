// Steps are named by operation, function and number: a line that is added changes none of them.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import TestExpectations
import Testing

@Suite struct StepNameTests {
  private static func census(
    _ model: Model, _ change: (inout CheckOptions) -> Void = { _ in }
  ) throws -> CheckReport {
    var options = CheckOptions()
    options.takesCensus = true
    change(&options)
    return try model.check(options)
  }

  private static func names(
    _ model: Model, _ change: (inout CheckOptions) -> Void = { _ in }
  ) throws -> [String] {
    try census(model, change).synchronisingSteps.map(\.text)
  }

  /// A model whose first CPU does this, while the other looks at the word.
  private static func model(
    _ operation: @escaping @Sendable (Word<UInt64>, Word<UInt64>) -> CPUOperation
  ) -> Model {
    Model(
      name: "words", summary: "adds to words", scenario: "Two CPUs add.", expectation: .holds
    ) { _ in
      let scenario = Scenario()
      let (one, two) = (scenario.word("one"), scenario.word("two"))
      scenario.cpu("adder", operation(one, two))
      scenario.cpu("other", runs: "look") { cpu -> any OperationResult in
        try cpu.load(one, .relaxed) + cpu.load(two, .relaxed)
      }
      return scenario
    }
  }

  /// A function that the closure of an operation is in is no part of a name, and one that it calls
  /// is; what is several times in a function has a number, in the order of the source.
  @Test func namesSayWhereAStepIs() throws {
    @Sendable func addToBoth(_ cpu: VirtualCPU, _ words: [Word<UInt64>], isTurned: Bool) throws {
      if isTurned { _ = try cpu.fetchAdd(words[1], 1, .relaxed) }
      _ = try cpu.fetchAdd(words[0], 1, .relaxed)
    }
    let model = Self.model { one, two in
      CPUOperation("add 0x0") { cpu in
        _ = try cpu.fetchAdd(one, 1, .relaxed)
        _ = try cpu.fetchAdd(two, 1, .relaxed, label: "the second one")
        try addToBoth(cpu, [one, two], isTurned: try cpu.choose(2) == 1)
      }
    }
    let names = [
      "add/addToBoth/load-and-store.1", "add/addToBoth/load-and-store.2", "add/load-and-store",
      "add/the-second-one/load-and-store",
    ]
    #expect(try Self.names(model).sorted() == names)
    #expect(try Self.names(model) { $0.strategy = .exhaustive }.sorted() == names)
    #expect(try Self.names(model) { $0.strategy = .optimal }.sorted() == names)
    #expect(try Self.names(model) { $0.jobs = 2 }.sorted() == names)
  }

  /// A number means one place, no number all places that are called so.
  @Test func aNameWithoutANumberIsAllOfItsPlaces() throws {
    let model = Self.model { one, two in
      CPUOperation("add") { cpu in
        _ = try cpu.fetchAdd(one, 1, .relaxed)
        _ = try cpu.fetchAdd(two, 1, .relaxed)
      }
    }
    func actions(_ name: String, _ schedule: String) throws -> [String] {
      let step = try #require(WeakenedStep(text: name))
      let recording = try Recording(
        try #require(Schedule(text: schedule)), of: try model.scenario(without: step))
      return recording.steps.filter { $0.cpu == 0 }.map { String($0.action.prefix(5)) }
    }
    let first = try actions("add/load-and-store.1", "0*3,1*2")
    #expect(first == ["load ", "store", "add t"])
    #expect(try actions("add/load-and-store.2", "0*3,1*2") == ["add o", "load ", "store"])
    #expect(try actions("add/load-and-store", "0*4,1*2") == ["load ", "store", "load ", "store"])
    let rows = try model.ablate(only: [#require(WeakenedStep(text: "add/load-and-store"))]).rows
    #expect(rows.map(\.sites.count) == [2])
    #expect(try model.ablate().rows.map(\.sites.count) == [1, 1])
  }

  /// Where no read of a loop is taken again, the loop is said to spin, and the check ends.
  @Test func aLoopThatReadsNothingAnyMoreEnds() throws {
    let model = Model(
      name: "loop", summary: "looks until it is so", scenario: "One CPU.", expectation: .holds
    ) { _ in
      let scenario = Scenario()
      let two = scenario.word("two")
      scenario.cpu("looker", runs: "look") { cpu in
        for _ in 0..<3_000 { _ = try cpu.load(two, .relaxed) }
      }
      return scenario
    }
    var options = CheckOptions()
    options.without = try #require(WeakenedStep(text: "look/no-reread"))
    guard case .incomplete(.spin(let text)) = try model.check(options).verdict else {
      return #expect(Bool(false), "it is not found out")
    }
    #expect(text.contains("looker spins on two"))
  }

  // The same code at other lines, as if comments had been added above it and in it.
  private enum Here {
    static func add(_ cpu: VirtualCPU, _ one: Word<UInt64>, _ two: Word<UInt64>) throws {
      _ = try cpu.fetchAdd(two, 1, .relaxed)
      _ = try cpu.fetchAdd(one, 1, .relaxed)
    }
  }

  private enum Elsewhere {
    #sourceLocation(file:"ModelTests/StepNameTests.swift",line:9000)
    static func add(_ cpu: VirtualCPU, _ one: Word<UInt64>, _ two: Word<UInt64>) throws {
      _ = try cpu.fetchAdd(two, 1, .relaxed)
      #sourceLocation(file:"ModelTests/StepNameTests.swift",line:9999)
      _ = try cpu.fetchAdd(one, 1, .relaxed)
    }
    #sourceLocation()
  }

  @Test func codeAtOtherLinesHasTheSameNames() throws {
    let here = Self.model { one, two in CPUOperation("go") { try Here.add($0, one, two) } }
    let elsewhere = Self.model { one, two in CPUOperation("go") { try Elsewhere.add($0, one, two) }
    }
    #expect(try Self.names(here) == ["go/add/load-and-store.1", "go/add/load-and-store.2"])
    #expect(try Self.names(here) == Self.names(elsewhere))
    let lines = try elsewhere.ablate().rows.flatMap(\.sites).map(\.line)
    #expect(lines.count == 2 && lines.allSatisfy { $0 >= 9000 })
    #expect(try here.ablate().rows.map(\.step) == elsewhere.ablate().rows.map(\.step))
  }

  /// A comment on top of a file of a system changes neither a page nor the name of a step.
  @Test(arguments: [("fault", "Stage2Table.swift"), ("memcache", "Memcache.swift")])
  func aLineThatIsAddedChangesNoPage(name: String, file: String) throws {
    let system = try #require(Catalogue.systems.first { $0.name == name })
    var now: [Evidence] = []
    var then: [Evidence] = []
    var count = 0
    for model in system.models {
      let answer = try EvidenceRequest.answer(for: model)
      let data = try JSONEncoder().encode(answer)
      let moved = try JSONDecoder().decode(
        EvidenceRequest.Answer.self,
        from: JSONSerialization.data(
          withJSONObject: Self.moved(JSONSerialization.jsonObject(with: data), file, &count)))
      now.append(Evidence(model, answer))
      then.append(Evidence(model, moved))
      let steps = now.last?.ablation?.rows.map(\.step)
      #expect(then.last?.ablation?.rows.map(\.step) == steps)
      #expect(
        then.last?.ablation?.whole.synchronisingSteps
          == now.last?.ablation?.whole.synchronisingSteps)
    }
    #expect(count > 0, "nothing is in that file")
    let (pages, others) = (DocumentSet([system], now).pages, DocumentSet([system], then).pages)
    #expect(pages == others)
    #expect(pages.allSatisfy { !$0.text.contains(/\.swift:[0-9]/) })
    #expect(pages.contains { $0.text.contains("/plain-store`") || $0.text.contains("/no-get`") })
  }

  /// What was found, with every place in a file a line further down.
  private static func moved(_ value: Any, _ file: String, _ count: inout Int) -> Any {
    if let list = value as? [Any] { return list.map { moved($0, file, &count) } }
    guard var object = value as? [String: Any] else { return value }
    if let line = object["line"] as? Int, (object["file"] as? String)?.hasSuffix(file) ?? false {
      count += 1
      object["line"] = line + 1
      return object
    }
    for (key, part) in object { object[key] = moved(part, file, &count) }
    return object
  }
}
