// Two CPUs find an entry empty, and each installs a table: whoever loses must notice.

import Gracewalk

public let models = [
  install("install-by-exchange", byExchange: true),
  install("install-by-store", .violates([NoLeakedTablePage.id]), byExchange: false),
]

public func install(
  _ name: String, _ expectation: Expectation = .holds, byExchange: Bool
) -> Model {
  Model(
    name: name, summary: "a table is installed without a lock",
    scenario: "Two CPUs fault below the same empty entry.", expectation: expectation
  ) { _ in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let root = scenario.rootTable()
    scenario.cpus(
      ["vcpu 0", "vcpu 1"],
      CPUOperation("fault") { cpu in
        guard try cpu.load(root[0], .relaxed) == 0, let table = try cpu.allocateTable() else {
          return
        }
        let entry = Descriptor.table(table).bits
        guard byExchange else { return try cpu.store(entry, to: root[0], .release) }
        let isMine = try cpu.compareExchange(root[0], expected: 0, desired: entry, .release)
        if !isMine.exchanged { try cpu.free(table) }
      })
    scenario.require([
      NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
    ])
    return scenario
  }
}
