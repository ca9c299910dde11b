// A list of variants becomes a list of models; former signatures still work.

import Gracewalk
import GracewalkChecking
import GracewalkReporting
import Testing

struct FamilyTests {
  private enum Omission { case exchange }

  private let variants: [Variant<Omission?>] = [
    .holds("right", "taken by an exchange"),
    .broken(
      "wrong", "taken by a load and a store", .exchange, omits: "the exchange",
      violates: ["one-has-it"], standard: ["cpus": 3], instances: [["cpus": 3]]),
  ]

  private var models: [Model] { family(variants) }

  private func family(_ variants: [Variant<Omission?>]) -> [Model] {
    Model.family(
      variants, scenario: "Some CPUs take the same thing.",
      parameters: [Parameter("cpus", "how many", 2...3, standard: 2)],
      mustHappen: ExpectedOutcome.each(["take": ["true", "false"]]),
      instances: [["cpus": 2], ["cpus": 3]]
    ) { values, omitting in
      let scenario = Scenario()
      let thing = scenario.variable("thing", initial: true)
      let owners = scenario.variable("owners", initial: 0)
      scenario.cpus(
        (0..<values["cpus"]).map { "cpu \($0)" },
        CPUOperation("take") { cpu -> any OperationResult in
          var isMine: Bool
          if omitting == .exchange {
            isMine = try cpu.load(thing, .relaxed)
            try cpu.store(thing, false, .relaxed)
          } else {
            isMine = try cpu.exchange(thing, false, .relaxed)
          }
          if isMine { _ = try cpu.fetchAdd(owners, 1, .relaxed) }
          return isMine
        })
      scenario.atEnd("one has it") { $0.value(of: owners) == 1 }
      return scenario
    }
  }

  @Test func eachVariantDeclaresItsVerdict() throws {
    #expect(models.map(\.name) == ["right", "wrong"])
    #expect(models.map(\.omission) == [nil, "the exchange"])
    #expect(models.map(\.expectation) == [.holds, .violates(["one-has-it"])])
    #expect(models.map { $0.parameters[0].standard } == [2, 3])
    #expect(
      models[0].mustHappen == [ExpectedOutcome("take", "true"), ExpectedOutcome("take", "false")])
    #expect(models.map(\.instances) == [[["cpus": 2], ["cpus": 3]], [["cpus": 3]]])
    for model in models { try model.verify() }
  }

  /// Sizes for a memory model replace those of the family, for its checks and its rows alone.
  @Test func sizesMayBeSmallerUnderAMemoryModel() throws {
    let variants: [Variant<Omission?>] = [
      .holds("right", "taken by an exchange", instancesUnder: [.armv8: [["cpus": 2]]]),
      .broken(
        "wrong", "taken by a load and a store", .exchange, omits: "the exchange",
        violates: ["one-has-it"]),
    ]
    let models = family(variants)
    func sizes(_ model: Model, _ memoryModel: MemoryModel?) -> [Int?] {
      (memoryModel.map { model.declaredChecks(under: $0) } ?? model.declaredChecks)
        .map { $0.parameters["cpus"] }
    }
    #expect(sizes(models[0], nil) == [2, 3] && sizes(models[0], .totalStoreOrder) == [2, 3])
    #expect(sizes(models[0], .armv8) == [2])
    #expect(sizes(models[1], .armv8) == [2, 3])
    let matrix = try VerdictMatrix(of: models) { model, options throws(CheckError) in
      try model.check(options)
    }
    #expect(matrix.isAsDeclared)
    #expect(matrix.entries[0].rows.map(\.smaller) == [[:], [:], ["cpus": 2]])
    let lines = MatrixText(matrix).lines
    #expect(lines.contains { $0.hasPrefix("       arm cpus=2") })
    // Nothing is left to check where there is no size.
    let none = Model(
      name: "none", summary: "", scenario: "", expectation: .holds,
      instancesUnder: [.armv8: []]
    ) { _ in Scenario() }
    #expect(
      throws: CheckError.badModel("instances is empty: there would be nothing to verify")
    ) { try none.check() }
  }

  /// Code asks by the words of `omits:` whether it is that of the sibling.
  @Test func codeFindsOutWhatItsSiblingLeavesOut() throws {
    let models = Model.family(
      [
        .holds("right", "both count"),
        .broken("one-less", "one does not", omits: "counting", violates: ["both-count"]),
        .broken("one-too-late", "one begins late", omits: "the start", violates: ["both-count"]),
      ],
      scenario: "Two CPUs count.",
      mustHappen: ExpectedOutcome.each("count", "true", "false")
    ) { _ in
      let scenario = Scenario()
      let count = scenario.variable("count", initial: scenario.omits("the start") ? -1 : 0)
      scenario.cpus(
        ["a", "b"],
        CPUOperation("count") { cpu -> any OperationResult in
          if cpu.omits("counting") { return false }
          return try cpu.fetchAdd(count, 1, .relaxed) == 0
        })
      scenario.atEnd("both count") { $0.value(of: count) == 2 }
      scenario.vocabulary(
        "The count is zero.", [CPUOperation("look") { try $0.load(count, .relaxed) }])
      return scenario
    }
    #expect(models[0].mustHappen == [.init("count", "true"), .init("count", "false")])
    for model in models { try model.verify() }
    // What the scenario offers for a sweep takes the place of its CPUs.
    let vocabulary = try #require(models[2].vocabulary)
    #expect(vocabulary.start == "The count is zero." && vocabulary.operations == ["look"])
    #expect(vocabulary.build().scenario.programs.isEmpty)
    let late = try #require(models[2].model(of: Combination([[0], [0]])))
    #expect(late.name == "one-too-late/look/look")
    let seen = try late.check().coverage.operations.flatMap(\.outcomes).compactMap(\.text)
    #expect(seen == ["-1"])
  }

  /// Code written for the former signatures compiles, with the same meaning.
  @available(*, deprecated)
  @Test func formerShapesMeanTheSame() throws {
    func counts(_ body: @escaping @Sendable (VirtualCPU, Location, TablePage) throws -> Void) throws
      -> [Int]
    {
      let model = Model(name: "shapes", summary: "", scenario: "", expectation: .holds) { _ in
        let scenario = Scenario()
        let word = scenario.word("word")
        let root = scenario.rootTable()
        for cpu in ["a", "b"] {
          scenario.cpu(
            cpu, usesCallbacks: true, CPUOperation("run") { cpu in try body(cpu, word, root) })
        }
        scenario.require(InvariantCatalogue.tables)
        return scenario
      }
      let report = try model.check()
      #expect(report.verdict == .holds)
      return [
        report.statistics.states, report.statistics.transitions, report.statistics.executions,
      ]
    }
    let former = try counts { cpu, word, root in
      try cpu.rcuReadLock()
      let entry = Descriptor(bits: try cpu.dereference(root[0]))
      try cpu.store(entry.bits, to: word, .release)
      try cpu.rcuReadUnlock()
      _ = try cpu.exchange(2, in: word, .relaxed)
      _ = try cpu.fetchAdd(1, to: word, .relaxed)
      try cpu.call { cpu in _ = try cpu.load(word, .relaxed) }
      try cpu.synchronize()
      try cpu.barrier()
    }
    let present = try counts { cpu, word, root in
      try cpu.rcuReadLock()
      let entry = try cpu.rcuDereference(root.entry(0))
      try cpu.store(Entry(word), entry, .release)
      try cpu.rcuReadUnlock()
      _ = try cpu.exchange(word, 2, .relaxed)
      _ = try cpu.fetchAdd(word, 1, .relaxed)
      try cpu.callRCU { cpu in _ = try cpu.load(word, .relaxed) }
      try cpu.synchronizeRCU()
      try cpu.rcuBarrier()
    }
    #expect(former == present)
  }
}
