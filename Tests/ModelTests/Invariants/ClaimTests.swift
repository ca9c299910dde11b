// Claims that a translation is gone: which hold, which do not, and the reasons in reports.

import Gracewalk
import GracewalkChecking
import Testing

struct ClaimTests {
  /// Operations of a CPU on a mapped page, with a thread that has its own MMU.
  private func check(
    levels: Int = 2, of invariants: [any Invariant] = [NoStaleUseAfterDSB()],
    thread: [CPUOperation] = [CPUOperation("write") { try $0.guestWrite(0) }],
    walksTo addresses: [Int] = [0], hasOwnMMU: Bool = true,
    _ body: @escaping @Sendable (VirtualCPU, TablePage, [DataFrame]) throws -> Void
  ) throws -> CheckReport {
    let model = Model(
      name: "claim", summary: "a claim", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2))
      let root = scenario.rootTable()
      let frames = scenario.dataFrames(2)
      scenario.boot { cpu in
        var entry = Descriptor.page(0)
        for _ in 1..<levels {
          guard let table = try cpu.allocateTable() else { return }
          try cpu.store(table[0], entry.bits, .relaxed)
          entry = .table(table)
        }
        try cpu.store(root[0], entry.bits, .release)
      }
      scenario.cpu("thread", mmu: MMU(root, speculatesOn: addresses), thread)
      scenario.cpu(
        "host", mmu: hasOwnMMU ? MMU(root) : nil,
        CPUOperation("change") { cpu in try body(cpu, root, frames) })
      scenario.require(invariants)
      return scenario
    }
    return try model.check()
  }

  private func message(_ report: CheckReport) -> [String] {
    guard let report = report.counterexample?.violation?.report else { return [] }
    return [report.message] + report.details
  }

  /// The last-level entry for page 0.
  private static func leaf(_ cpu: VirtualCPU, _ root: TablePage) throws -> Location {
    var table = root
    for _ in 1..<cpu.geometry.levels {
      let entry = Descriptor(bits: try cpu.load(table[0], .acquire))
      guard let next = cpu.table(at: entry) else { break }
      table = next
    }
    return table[0]
  }

  private static func flush(
    _ cpu: VirtualCPU, _ root: TablePage, _ invalidations: TLBInvalidation...
  ) throws {
    for invalidation in invalidations {
      try cpu.dsb()
      try cpu.tlbi(invalidation, of: root)
      try cpu.dsb()
    }
  }

  // MARK: Unmapping

  /// The report if nothing removes the leaf before the claim.
  private static let kept =
    "host relies on 0x0 of root not being translated any more, but thread "
    + "still has boot.1[0] cached: page 0x0"

  private func unmap(_ invalidations: TLBInvalidation...) throws -> CheckReport {
    try check { cpu, root, _ in
      try cpu.store(Self.leaf(cpu, root), 0, .relaxed)
      for invalidation in invalidations { try Self.flush(cpu, root, invalidation) }
      try cpu.expectUntranslated(root, 0)
    }
  }

  @Test func aClaimNeedsAnInvalidation() throws {
    let report = try unmap()
    #expect(report.violatedInvariant == "no-stale-use-after-dsb")
    #expect(message(report) == [Self.kept, "no invalidation was issued for it"])
    #expect(try unmap(.address(0)).verdict == .holds)
    #expect(try unmap(.all).verdict == .holds)
  }

  @Test func whyItSurvivedIsSaid() throws {
    let prefix = "the invalidation did not remove it: "
    #expect(
      message(try unmap(.address(0).level(0))).last
        == prefix + "its level hint names a level at which the entry is not")
    #expect(
      message(try unmap(.address(0).local)).last == prefix + "it was for the issuing CPU only")
    #expect(message(try unmap(.address(1))).last == prefix + "it was for another address")
  }

  /// x86's flush, a wrong level, an early one: the right one follows before code relies on it.
  @Test func theRightOneMayFollow() throws {
    #expect(try unmap(.address(0).local, .address(0)).verdict == .holds)
    #expect(try unmap(.address(0).level(0), .address(0)).verdict == .holds)
    let report = try check { cpu, root, frames in
      try cpu.store(Self.leaf(cpu, root), 0, .relaxed)
      try cpu.tlbi(.address(0), of: root)
      try cpu.dsb()
      try Self.flush(cpu, root, .address(0))
      try cpu.expectUntranslated(root, 0)
    }
    #expect(report.verdict == .holds)
  }

  @Test func tooEarlyIsSaid() throws {
    let early = try check { cpu, root, _ in
      try cpu.store(Self.leaf(cpu, root), 0, .relaxed)
      try cpu.tlbi(.address(0), of: root)
      try cpu.dsb()
      try cpu.expectUntranslated(root, 0)
    }
    #expect(
      message(early).last
        == "the invalidation did not remove it: it was issued before the DSB that publishes the "
        + "change")
    let open = try check { cpu, root, _ in
      try cpu.store(Self.leaf(cpu, root), 0, .relaxed)
      try cpu.dsb()
      try cpu.tlbi(.address(0), of: root)
      try cpu.expectUntranslated(root, 0)
    }
    #expect(
      message(open).last
        == "an invalidation was issued for it, but no DSB has waited for it yet")
  }

  /// Without a claim there is no violation.
  @Test func withoutAClaimAStaleTranslationIsNoViolation() throws {
    let report = try check(of: InvariantCatalogue.hardware) { cpu, root, _ in
      try cpu.store(Self.leaf(cpu, root), 0, .relaxed)
      try Self.flush(cpu, root, .address(0).local)
    }
    #expect(report.verdict == .holds)
  }

  @Test func theTableItselfIsJudged() throws {
    let report = try check(walksTo: []) { cpu, root, _ in try cpu.expectUntranslated(root, 0) }
    #expect(
      message(report) == [
        "host relies on 0x0 of root not being translated any more, but boot.1[0] is page 0x0"
      ])
    let other = try check(walksTo: []) { cpu, root, _ in try cpu.expectUntranslated(root, 1) }
    #expect(other.verdict == .holds)
    let both = try check(walksTo: []) { cpu, root, _ in try cpu.expectUntranslated(root, 0..<2) }
    #expect(both.verdict == .violated)
  }

  /// A cached pointer, or a walk, leads to a leaf that is still in the unlinked table.
  @Test(arguments: [2, 3])
  func pointersAndWalksAreFollowed(levels: Int) throws {
    func report(_ invalidation: TLBInvalidation) throws -> CheckReport {
      try check(levels: levels, thread: []) { cpu, root, _ in
        try cpu.store(root[0], 0, .relaxed)
        try Self.flush(cpu, root, invalidation)
        try cpu.expectUntranslated(root, 0)
      }
    }
    #expect(try report(.all).verdict == .holds)
    // The leaf for page 0 does not matter for page 1.
    #expect(try report(.address(1)).verdict == .violated)
    let leaves = try report(.all.lastLevelOnly)
    #expect(leaves.verdict == .violated)
    #expect(
      message(leaves).last
        == "the invalidation did not remove it: it was for leaves only, and this is a pointer to a "
        + "table")
  }

  // MARK: Permissions

  private func protect(
    _ claim: @escaping @Sendable (VirtualCPU, TablePage) throws -> Void, flushes: Bool
  ) throws -> CheckReport {
    try check { cpu, root, _ in
      try cpu.store(Self.leaf(cpu, root), Descriptor.page(0).readOnly.bits, .relaxed)
      if flushes { try Self.flush(cpu, root, .address(0)) }
      try claim(cpu, root)
    }
  }

  @Test func writeProtectionNeedsAnInvalidation() throws {
    let report = try protect({ try $0.expectReadOnly($1, 0) }, flushes: false)
    #expect(
      message(report).first
        == "host relies on 0x0 of root not being writable any more, but thread still has boot.1[0] "
        + "cached: page 0x0")
    #expect(try protect({ try $0.expectReadOnly($1, 0) }, flushes: true).verdict == .holds)
    // It is still translated.
    #expect(try protect({ try $0.expectUntranslated($1, 0) }, flushes: true).verdict == .violated)
  }

  @Test func cachedEntriesMustBeCurrent() throws {
    #expect(try protect({ try $0.expectCurrent($1, 0) }, flushes: false).verdict == .violated)
    #expect(try protect({ try $0.expectCurrent($1, 0) }, flushes: true).verdict == .holds)
  }

  @Test func addressesBeyondTheTableAreRefused() throws {
    #expect(throws: CheckError.self) {
      _ = try check { cpu, root, _ in try cpu.expectUntranslated(root, 4) }
    }
  }

  // MARK: What a CPU is told

  private enum Telling { case waits, acquires, relaxed }

  /// A permission is removed and announced in a word; a CPU that read the word still writes.
  private func tell(
    _ telling: Telling, _ invalidations: TLBInvalidation..., flushesLate: Bool = false,
    ordering: MemoryOrdering = .release, taking new: Descriptor = Descriptor.page(0).readOnly,
    isRelayed: Bool = false
  ) throws -> CheckReport {
    let model = Model(
      name: "told", summary: "a word tells", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      let root = scenario.rootTable()
      let (done, seen) = (scenario.word("done"), scenario.word("seen"))
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(table).bits, .release)
      }
      scenario.cpu(
        "thread", mmu: MMU(root, speculatesOn: [0]),
        CPUOperation("write afterwards") { cpu -> GuestAccess in
          let word = isRelayed ? seen : done
          switch telling {
          case .waits: try cpu.wait(until: word, .equals(1))
          case .acquires, .relaxed:
            let found = try cpu.load(word, telling == .acquires ? .acquire : .relaxed)
            if found != 1 { return .translationFault }
          }
          return try cpu.guestWrite(0)
        })
      scenario.cpu(
        "mprotect",
        CPUOperation("protect") { cpu in
          try cpu.store(Self.leaf(cpu, root), new.bits, .relaxed)
          for invalidation in invalidations { try Self.flush(cpu, root, invalidation) }
          try cpu.store(done, 1, ordering)
          if flushesLate { try Self.flush(cpu, root, .address(0)) }
        })
      if isRelayed {
        scenario.cpu(
          "other",
          CPUOperation("pass on") { cpu in
            try cpu.wait(until: done, .equals(1))
            try cpu.store(seen, 1, .release)
          })
      }
      scenario.require(InvariantCatalogue.hardware)
      return scenario
    }
    return try model.check()
  }

  @Test func aCPUThatWasToldMustNotUseIt() throws {
    let report = try tell(.waits)
    #expect(report.violatedInvariant == "no-stale-use-after-dsb")
    #expect(
      message(report).first
        == "thread uses a cached copy of boot.1[0], although it was told that the translation is "
        + "gone"
    )
    #expect(try tell(.waits, flushesLate: true).verdict == .violated)
    #expect(try tell(.waits, .address(0).local).verdict == .violated)
    #expect(try tell(.waits, .address(1)).verdict == .violated)
    #expect(try tell(.waits, .address(0).level(0)).verdict == .violated)
    #expect(try tell(.acquires).verdict == .violated)
    #expect(try tell(.waits, taking: .invalid).verdict == .violated)
    #expect(try tell(.waits, isRelayed: true).verdict == .violated)
  }

  @Test func aCPUThatWasNotToldMayUseIt() throws {
    #expect(try tell(.waits, .address(0)).verdict == .holds)
    #expect(try tell(.waits, .all).verdict == .holds)
    #expect(try tell(.acquires, .address(0)).verdict == .holds)
    // It may have seen the word but not the change.
    #expect(try tell(.relaxed).verdict == .holds)
    #expect(try tell(.acquires, ordering: .relaxed).verdict == .holds)
    // Nothing was restricted.
    #expect(try tell(.waits, taking: Descriptor.page(0)).verdict == .holds)
    #expect(try tell(.waits, .address(0), isRelayed: true).verdict == .holds)
  }
}
