// Table pages and frames that change hands while hardware still refers to their old use.

import Gracewalk
import GracewalkChecking
import Testing

struct ReuseTests {
  private func check(
    _ fill: @escaping @Sendable (Scenario, TablePage) -> Void
  ) throws -> CheckReport {
    let model = Model(
      name: "reuse", summary: "a page is used again", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      let root = scenario.rootTable()
      fill(scenario, root)
      return scenario
    }
    return try model.check()
  }

  private func message(_ report: CheckReport) -> String? {
    report.counterexample?.violation?.report.message
  }

  private func reason(_ report: CheckReport) -> String? {
    report.counterexample?.violation?.report.details.first
  }

  // MARK: Slabs

  private func giveBack(flushes: Bool, shrinks: Bool = false) throws -> CheckReport {
    try check { scenario, root in
      let slab = scenario.slab("page", pages: 1)
      scenario.boot { cpu in
        guard let table = try cpu.allocate(from: slab) else { return }
        try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(table).bits, .release)
      }
      scenario.cpu("guest", mmu: MMU(root), CPUOperation("read") { try $0.guestRead(0) })
      scenario.cpu(
        "munmap",
        CPUOperation("give back") { cpu in
          guard let table = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire)))
          else { return }
          try cpu.store(root[0], 0, .release)
          if flushes {
            try cpu.dsb()
            try cpu.tlbi(.address(1), of: root)
            try cpu.dsb()
          }
          try cpu.free(table, to: slab)
          if shrinks { try cpu.shrink(slab) }
        })
      scenario.require(InvariantCatalogue.hardware + [NoUseAfterFree()])
    }
  }

  @Test func aPageReturnsToItsSlabWhenNoUnitHasItCached() throws {
    let report = try giveBack(flushes: false)
    #expect(report.violatedInvariant == "no-reuse-while-cached")
    #expect(
      message(report)
        == "munmap frees table page page.0 while guest still has a pointer to it cached")
    #expect(reason(report) == "no invalidation was issued for it")
    #expect(try giveBack(flushes: true).verdict == .holds)
    #expect(try giveBack(flushes: true, shrinks: true).verdict == .holds)
  }

  // MARK: A model's own pool

  /// A table goes from one root to another, or to another place, or is shared by two.
  private func move(
    to place: Int?, flushes: Bool, unlinks: Bool = true, isDeep: Bool = false
  ) throws -> CheckReport {
    try check { scenario, root in
      let other = scenario.rootTable("other")
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(table).bits, .release)
      }
      scenario.cpu("guest", mmu: MMU(root), CPUOperation("read") { try $0.guestRead(0) })
      scenario.cpu(
        "host",
        CPUOperation("move") { cpu in
          let entry = try cpu.load(root[0], .acquire)
          if unlinks { try cpu.store(root[0], 0, .relaxed) }
          if flushes {
            try cpu.dsb()
            try cpu.tlbi(.all, of: root)
            try cpu.dsb()
          }
          let slot = place.map { root[$0] } ?? other[0]
          try cpu.store(slot, entry, .release)
        })
      scenario.require([NoReuseWhileCached()])
    }
  }

  @Test func aTableIsLinkedElsewhereWhenNoUnitHasItCached() throws {
    let report = try move(to: nil, flushes: false)
    #expect(report.violatedInvariant == "no-reuse-while-cached")
    #expect(
      message(report)
        == "host links table page boot.2 below another root, in other[0], while guest still has a "
        + "pointer to it cached")
    #expect(reason(report) == "no invalidation was issued for it")
    #expect(try move(to: nil, flushes: true).verdict == .holds)
    // As mremap() does, before it flushes.
    #expect(try move(to: 1, flushes: false).verdict == .holds)
    #expect(try move(to: 0, flushes: false).verdict == .holds)
    // As tables that several address spaces share.
    #expect(try move(to: nil, flushes: false, unlinks: false).verdict == .holds)
  }

  // MARK: Frames

  /// A frame changes hands; the guest has read its page, or has not yet.
  private func give(
    _ leaf: Descriptor, at index: Int = 0, frame: Int = 0, to owner: FrameOwner = .nobody,
    unmaps: Bool = false, mmuOwner: FrameOwner = .guest
  ) throws -> CheckReport {
    try check { scenario, root in
      let frames = scenario.dataFrames(3)
      scenario.boot { cpu in try cpu.store(root[index], leaf.bits, .relaxed) }
      scenario.cpu("guest", mmu: MMU(root, owner: mmuOwner), CPUOperation("rest") { _ in })
      scenario.cpu(
        "host",
        CPUOperation("give away") { cpu in
          if unmaps { try cpu.store(root[index], 0, .relaxed) }
          try cpu.handOver(frames[frame], to: owner)
        })
      scenario.require(InvariantCatalogue.hardware + [DonatedPageUnreachable()])
    }
  }

  @Test func aFrameIsUnmappedBeforeItIsGivenAway() throws {
    let report = try give(.block(0))
    #expect(report.violatedInvariant == "donated-page-unreachable")
    #expect(message(report) == "host gives frame 0x0 away while root[0] still maps it")
    #expect(try give(.block(0), unmaps: true).verdict == .holds)
    // A block maps two frames here.
    #expect(try give(.block(0), frame: 1).verdict == .violated)
    #expect(try give(.block(0), frame: 2).verdict == .holds)
    // It does not change hands.
    #expect(try give(.block(0), to: .guest).verdict == .holds)
    // A CPU that never owned it cannot give it away.
    #expect(try give(.block(0), mmuOwner: .nobody).verdict == .holds)
  }

  /// A flush whose first or second DSB is missing, and what the finding says of it.
  @Test(arguments: [
    (
      false, true,
      "the invalidation did not remove it: it was issued before the DSB that publishes the change"
    ),
    (true, false, "an invalidation was issued for it, but no DSB has waited for it yet"),
  ])
  func aFlushNeedsBothBarriers(first: Bool, second: Bool, why: String) throws {
    func check(first: Bool, second: Bool) throws -> CheckReport {
      try self.check { scenario, root in
        let frames = scenario.dataFrames(2)
        scenario.boot { cpu in try cpu.store(root.entry(0), .block(0), .relaxed) }
        scenario.cpu("guest", mmu: MMU(root), CPUOperation("read") { try $0.guestRead(0) })
        scenario.cpu("host", runs: "give away") { cpu in
          try cpu.store(root.entry(0), .invalid, .relaxed)
          if first { try cpu.dsb() }
          try cpu.tlbi(.all, of: root)
          if second { try cpu.dsb() }
          try cpu.handOver(frames[0], to: .nobody)
        }
        scenario.require([NoReuseWhileCached()])
      }
    }
    let report = try check(first: first, second: second)
    #expect(
      message(report)
        == "host gives frame 0x0 away while guest still has a translation to it cached")
    #expect(reason(report) == why)
    #expect(try check(first: true, second: true).verdict == .holds)
  }
}
