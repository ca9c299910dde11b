// A walk in flight whose way was invalidated touches no memory any more.

import Checking
import Gracewalk
import Testing

struct InvalidatedWalkTests {
  /// A vCPU's guest writes to a page while another CPU takes the table away and frees it.
  private func verdict(
    _ leaf: Descriptor, flushes: Bool,
    _ choose: @escaping @Sendable (inout Features) -> Void = { _ in }
  ) throws -> Verdict {
    let model = Model(
      name: "walk", summary: "a table is freed under a walk", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      choose(&scenario.features)
      let root = scenario.rootTable()
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.store(leaf.bits, to: table[0], .relaxed)
        try cpu.store(Descriptor.table(table).bits, to: root[0], .relaxed)
      }
      scenario.cpu("vcpu", mmu: MMU(root), Operation("write") { cpu in try cpu.guestWrite(0) })
      scenario.cpu(
        "remover",
        Operation("remove") { cpu in
          let old = Descriptor(bits: try cpu.exchange(0, in: root[0], .acquireRelease))
          guard let table = cpu.table(at: old) else { return }
          try cpu.dsb()
          if flushes { try cpu.tlbi(.all, of: root) }
          try cpu.dsb()
          try cpu.free(table)
        })
      scenario.require(NoUseAfterFree())
      scenario.require(NoReuseWhileCached())
      return scenario
    }
    return try model.check().verdict
  }

  @Test func readsNothing() throws {
    #expect(try verdict(.page(0), flushes: true) == .holds)
    #expect(try verdict(.page(0), flushes: false) == .violated)
  }

  @Test func setsNoAccessFlag() throws {
    let leaf = Descriptor.page(0).withoutAccessFlag
    #expect(try verdict(leaf, flushes: true) { $0.hardwareAccessFlag = true } == .holds)
    #expect(try verdict(leaf, flushes: false) { $0.hardwareAccessFlag = true } == .violated)
  }

  @Test func marksNothingDirty() throws {
    let leaf = Descriptor.page(0).writableClean
    #expect(try verdict(leaf, flushes: true) { $0.hardwareDirtyState = true } == .holds)
    #expect(try verdict(leaf, flushes: false) { $0.hardwareDirtyState = true } == .violated)
  }
}
