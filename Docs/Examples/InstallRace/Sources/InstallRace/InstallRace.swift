// Two CPUs find an entry empty, and each installs a table: the loser must notice.

import Gracewalk

public let models = Model.family(
  [
    .holds("install-by-exchange", "the entry is filled by a compare-exchange", true),
    .broken(
      "install-by-store", "the entry is filled by a store", false,
      omits: "looking whether the entry is still empty", violates: [NoLeakedTablePage.id]),
  ],
  scenario: "Two CPUs fault below the same empty entry."
) { _, byExchange in
  let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
  let root = scenario.rootTable()
  scenario.cpus(
    ["vcpu 0", "vcpu 1"],
    CPUOperation("fault") { cpu in
      let slot = root.entry(0)
      guard try cpu.load(slot, .relaxed) == .invalid, let table = try cpu.allocateTable() else {
        return
      }
      guard byExchange else { return try cpu.store(slot, .table(table), .release) }
      let install = try cpu.compareExchange(
        slot, expected: .invalid, desired: .table(table), .release)
      if !install.exchanged { try cpu.free(table) }
    })
  scenario.require([NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice()])
  return scenario
}
