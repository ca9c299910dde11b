// A walk in flight whose path was invalidated no longer accesses memory.

import Gracewalk
import GracewalkChecking
import Testing

struct InvalidatedWalkTests {
  /// A vCPU's guest writes to a page while another CPU unlinks the table and frees it.
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
        try cpu.store(table[0], leaf.bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(table).bits, .relaxed)
      }
      scenario.cpu("vcpu", mmu: MMU(root), CPUOperation("write") { cpu in try cpu.guestWrite(0) })
      scenario.cpu(
        "remover",
        CPUOperation("remove") { cpu in
          let old = Descriptor(bits: try cpu.exchange(root[0], 0, .acquireRelease))
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

  // MARK: The range of each entry on the way

  /// A walk to an address is in flight; a table on its path is unlinked, flushed and freed.
  ///
  /// - Parameter level: the level of the entry that is made invalid.
  private func unlink(
    levels: Int = 3, at level: Int, walkTo address: Int, _ invalidation: TLBInvalidation,
    publishes: Bool = true, ofOwn: Bool = true, hasCachedPointer: Bool = false,
    isSpeculative: Bool = false, hasRanges: Bool = false
  ) throws -> Verdict {
    let model = Model(
      name: "unlink", summary: "a table is unlinked", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2))
      scenario.features.rangeInvalidation = hasRanges
      let root = scenario.rootTable()
      let other = scenario.rootTable("other")
      scenario.boot { cpu in
        var table = root
        for _ in 1..<levels {
          guard let next = try cpu.allocateTable() else { return }
          try cpu.store(table[0], Descriptor.table(next).bits, .relaxed)
          table = next
        }
      }
      let reads = (hasCachedPointer ? [address ^ 1, address] : [address]).map { address in
        CPUOperation("read \(address)") { try $0.guestRead(address) }
      }
      scenario.cpu(
        "vcpu", mmu: MMU(root, speculatesOn: isSpeculative ? [address] : []),
        isSpeculative ? [] : reads)
      scenario.cpu(
        "host",
        CPUOperation("unlink") { cpu in
          var table = root
          for _ in 0..<level {
            let entry = Descriptor(bits: try cpu.load(table[0], .acquire))
            guard let next = cpu.table(at: entry) else { return }
            table = next
          }
          let entry = Descriptor(bits: try cpu.load(table[0], .acquire))
          guard let unlinked = cpu.table(at: entry) else { return }
          try cpu.store(table[0], 0, .relaxed)
          if publishes { try cpu.dsb() }
          try cpu.tlbi(invalidation, of: ofOwn ? root : other)
          try cpu.dsb()
          try cpu.free(unlinked)
        })
      scenario.require([NoUseAfterFree(), NoReuseWhileCached()])
      return scenario
    }
    return try model.check().verdict
  }

  @Test func anotherAddressBelowTheEntryEndsTheWalk() throws {
    #expect(try unlink(levels: 2, at: 0, walkTo: 1, .address(0)) == .holds)
    #expect(try unlink(levels: 2, at: 0, walkTo: 1, .address(2)) == .violated)
    for address in 0..<4 {
      // The entry of the root is for 0x0 to 0x3, the one below it for two of them.
      #expect(try unlink(at: 0, walkTo: address, .address(3)) == .holds, "walk to \(address)")
      #expect(try unlink(at: 0, walkTo: address, .address(4)) == .violated, "walk to \(address)")
    }
    #expect(try unlink(at: 1, walkTo: 1, .address(0)) == .holds)
    // Neither this nor a walk through it has read anything below the unlinked entry.
    #expect(try unlink(at: 1, walkTo: 1, .address(2)) == .violated)
    #expect(try unlink(at: 0, walkTo: 3, .range(0, count: 1), hasRanges: true) == .holds)
    #expect(try unlink(at: 0, walkTo: 0, .range(4, count: 4), hasRanges: true) == .violated)
  }

  @Test func formsThatAreNotForTheEntryDoNot() throws {
    #expect(try unlink(at: 0, walkTo: 1, .address(3).lastLevelOnly) == .violated)
    #expect(try unlink(at: 0, walkTo: 1, .address(3).local) == .violated)
    #expect(try unlink(at: 0, walkTo: 1, .address(3).level(0)) == .violated)
    #expect(try unlink(at: 0, walkTo: 1, .address(3).level(2)) == .holds)
    #expect(try unlink(at: 0, walkTo: 1, .address(3), ofOwn: false) == .violated)
    #expect(try unlink(at: 0, walkTo: 1, .address(3), publishes: false) == .violated)
  }

  @Test func walksOfTheirOwnAccordAndFromCachedPointersDoAsWell() throws {
    #expect(try unlink(at: 0, walkTo: 1, .address(3), isSpeculative: true) == .holds)
    #expect(try unlink(at: 0, walkTo: 1, .address(4), isSpeculative: true) == .violated)
    #expect(try unlink(levels: 2, at: 0, walkTo: 1, .address(0), hasCachedPointer: true) == .holds)
    #expect(
      try unlink(levels: 2, at: 0, walkTo: 1, .address(2), hasCachedPointer: true) == .violated)
  }
}
