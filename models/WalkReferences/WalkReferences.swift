// Without RCU: walkers take references on the way down and drop them on the way back.

import Gracewalk

/// What it takes to make references of walkers safe against the pages' being freed and used again.
public enum WalkReferences {
  public static let system = ModelSystem("walk-references", "Walkers that hold references", models)

  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "RCU cannot be used in pKVM. Could all walkers take references to the table pages on their "
      + "way down and release them on their way back, and how is that made safe?",
    about: [.noGet, .getFromZero, .noReread])

  /// With three levels a page may come back at another level, and more goes wrong.
  private static let atThree = ["levels": 3]

  private static let variants: [Variant<CountedTable.Omission?>] = [
    .holds(
      "walk-references",
      "a count is raised unless it is zero, the entry is read again, pages stay table pages"),
    .broken(
      "walk-references-naive",
      "a walker reads an entry and raises the count of the page; freed pages are gone", .allSafety,
      omits: "all that makes the reference safe",
      violates: [
        NoUseAfterFree.id, NoDoubleFree.id, OperationsLinearise.id, PagesAccountedFor.id,
      ],
      standard: atThree, instances: [atThree]),
    .broken(
      "walk-references-plain-increment", "the count is raised even if it is zero", .unlessZero,
      omits: "testing that the count is not zero",
      violates: [
        NoTableLinkedTwice.id, ReferencesMatchEntries.id, OperationsLinearise.id,
        PagesAccountedFor.id,
      ],
      standard: atThree, instances: [atThree]),
    .broken(
      "walk-references-without-recheck", "the entry is not read again once the reference is held",
      .recheck, omits: "reading the entry again", violates: [OperationsLinearise.id]),
    .broken(
      "walk-references-without-pool",
      "empty tables go back to the system, and with them their counts", .typeSafePages,
      omits: "keeping the memory of freed tables", violates: [NoUseAfterFree.id]),
    .broken(
      "walk-references-without-freezing",
      "a table is found empty in one step and given up in another", .freezing,
      omits: "giving up the count in the step that tests it",
      violates: [OperationsLinearise.id, PagesAccountedFor.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "One page is mapped. The unmapper removes it and gives back the tables that are empty then; "
      + "the walker maps its neighbour in the same table and looks it up; the mapper needs tables "
      + "for the other half of the addresses.",
    origin: origin,
    parameters: [Parameter("levels", "levels of the table", 2...3, standard: 2)],
    mustHappen: races,
    exempt: { _ in
      [
        Exemption(
          NoLeakedTablePage.id,
          "a page in the pool is allocated and cannot be reached; pages-accounted-for is required")
      ]
    },
    instances: [["levels": 2], ["levels": 3]],
    vocabulary: vocabulary
  ) { values, omitting in
    let (scenario, table) = start(levels: values["levels"], omitting)
    let other = table.geometry.span(ofEntryAt: 0)
    scenario.cpu("unmapper", operation(table, .unmap, 0))
    scenario.cpu("walker", operation(table, .map, 1), operation(table, .lookUp, 1))
    scenario.cpu("mapper", operation(table, .map, other))
    return scenario
  }

  /// The walker meets tables that go away, and a pool that is empty.
  private static let races =
    [ExpectedOutcome("unmap 0x0", "done")]
    + ["done", "retry", "outOfMemory"].map { ExpectedOutcome("map 0x1", $0) }
    + ["mapped", "notMapped", "retry"].map { ExpectedOutcome("look up 0x1", $0) }
    + (2...3).flatMap { levels in
      ["done", "outOfMemory"].map { result in
        ExpectedOutcome("map 0x\(1 << (levels - 1))", result) { values, _ in
          values["levels"] == levels
        }
      }
    }

  /// Whatever can be done with a page that is mapped and its neighbour, which is not.
  private static func vocabulary(_ omitting: CountedTable.Omission?) -> Vocabulary {
    // What goes wrong with three levels alone.
    let levels = omitting == .allSafety || omitting == .unlessZero ? 3 : 2
    return Vocabulary(start: "Page 0x0 is mapped; its neighbour in the same table is not.") {
      let (scenario, table) = start(levels: levels, omitting)
      let calls: [AddressMap.Call] = [.map, .unmap, .lookUp]
      let words = calls.flatMap { call in
        (0..<2).map { Vocabulary.Word(operation(table, call, $0)) }
      }
      return (scenario, words)
    }
  }

  private static func start(
    levels: Int, _ omitting: CountedTable.Omission?
  ) -> (Scenario, CountedTable) {
    let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2))
    let table = CountedTable(scenario, omitting: omitting)
    scenario.boot { cpu in
      try table.fillPool(cpu)
      _ = try table.map(cpu, 0)
    }
    scenario.require(InvariantCatalogue.tables.filter { $0.id != NoLeakedTablePage.id })
    scenario.require(PagesAccountedFor(pool: table.pool))
    scenario.require(OperationsLinearise(to: AddressMap(geometry: table.geometry, mapped: [0])))
    return (scenario, table)
  }

  private static func operation(
    _ table: CountedTable, _ call: AddressMap.Call, _ address: Int
  ) -> CPUOperation {
    let specification = AddressMap.call(call, address)
    return CPUOperation("\(call.name) 0x\(String(address, radix: 16))", call: specification) {
      cpu in
      switch call {
      case .map: try table.map(cpu, address)
      case .unmap: try table.unmap(cpu, address)
      case .lookUp, .collapse: try table.lookUp(cpu, address)
      }
    }
  }
}
