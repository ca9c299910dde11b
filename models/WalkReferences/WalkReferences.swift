// Without RCU: walkers take references on the way down and drop them on the way back.

import Gracewalk

/// The requirements for making walkers' references safe against freeing and reuse of pages.
public enum WalkReferences {
  public static let system = ModelSystem("walk-references", "Walkers that hold references", models)

  /// With three levels a page may be reused at another level, and more invariants fail.
  private static let atThree = ["levels": 3]
  /// Where a search has to go far, three levels are out of reach under Armv8, and so are three CPUs
  /// if nothing is found.
  private static func underArm(mappers: Int) -> [MemoryModel: [[String: Int]]] {
    [.armv8: [["levels": 2, "mappers": mappers]]]
  }

  private static let variants: [Variant<NoChoice>] = [
    .holds(
      "walk-references",
      "a count is raised unless it is zero, the entry is read again, pages stay table pages",
      instancesUnder: underArm(mappers: 0)),
    .broken(
      "walk-references-naive",
      "a walker reads an entry and raises the count of the page; freed pages are gone",
      omits: "all that makes the reference safe",
      violates: [NoUseAfterFree.id, NoDoubleFree.id, OperationsLinearise.id, PagesAccountedFor.id],
      standard: atThree, instances: [atThree]),
    .broken(
      "walk-references-plain-increment", "the count is raised even if it is zero",
      omits: "testing that the count is not zero",
      violates: [
        NoTableLinkedTwice.id, ReferencesMatchEntries.id, OperationsLinearise.id,
        PagesAccountedFor.id,
      ],
      standard: atThree, instances: [atThree]),
    .broken(
      "walk-references-without-recheck", "the entry is not read again once the reference is held",
      omits: "reading the entry again", violates: [OperationsLinearise.id],
      instancesUnder: underArm(mappers: 1)),
    .broken(
      "walk-references-without-pool",
      "empty tables go back to the system, and with them their counts",
      omits: "keeping the memory of freed tables", violates: [NoUseAfterFree.id]),
    .broken(
      "walk-references-without-freezing",
      "a table is found empty in one step and given up in another",
      omits: "giving up the count in the step that tests it",
      violates: [OperationsLinearise.id, PagesAccountedFor.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "One page is mapped. The unmapper removes it and gives back the tables that are empty then; "
      + "the walker maps its neighbour in the same table and looks it up; the mapper needs tables "
      + "for the other half of the addresses.",
    origin: Origin(
      author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
      subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "RCU cannot be used in pKVM. Could all walkers take references to the table pages on their "
        + "way down and release them on their way back, and how is that made safe?",
      about: [.noGet, .getFromZero, .noReread]),
    parameters: [
      Parameter("levels", "levels of the table", 2...3, standard: 2),
      Parameter("mappers", "CPUs that map the other half", 0...1, standard: 1),
    ],
    // The walker finds tables that are being removed, and an empty pool.
    mustHappen: ExpectedOutcome.each("unmap 0x0", "done")
      + ExpectedOutcome.each("map 0x1", "done", "retry")
      + ExpectedOutcome.each("map 0x1", "outOfMemory") { values, _ in values["mappers"] == 1 }
      + ExpectedOutcome.each("look up 0x1", "mapped", "notMapped", "retry")
      + (2...3).flatMap { levels in
        ExpectedOutcome.each("map 0x\(1 << (levels - 1))", "done", "outOfMemory") { values, _ in
          values["levels"] == levels && values["mappers"] == 1
        }
      },
    exempt: [
      Exemption(
        NoLeakedTablePage.id,
        "a page in the pool is allocated and cannot be reached; pages-accounted-for is required")
    ],
    instances: [["levels": 2], ["levels": 3]]
  ) { values in
    let scenario = Scenario(geometry: Geometry(levels: values["levels"], entries: 2))
    let table = CountedTable(scenario)
    scenario.boot { cpu in
      try table.fillPool(cpu)
      _ = try table.map(cpu, 0)
    }
    scenario.cpu("unmapper", table.operation(.unmap, 0))
    scenario.cpu("walker", table.operation(.map, 1), table.operation(.lookUp, 1))
    if values["mappers"] == 1 {
      scenario.cpu("mapper", table.operation(.map, scenario.geometry.span(ofEntryAt: 0)))
    }
    scenario.require(InvariantCatalogue.tables.filter { $0.id != NoLeakedTablePage.id })
    scenario.require(PagesAccountedFor(pool: table.pool))
    scenario.require(OperationsLinearise(toMap: scenario.geometry, mapped: [0]))
    scenario.vocabulary(
      "Page 0x0 is mapped; its neighbour in the same table is not.",
      [MapCall.map, .unmap, .lookUp].flatMap { [table.operation($0, 0), table.operation($0, 1)] })
    return scenario
  }
}
