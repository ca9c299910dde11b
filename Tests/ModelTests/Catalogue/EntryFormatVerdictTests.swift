// Verdicts that depend on the entry format, each with its red twin.

import Gracewalk
import Testing

@Suite struct EntryFormatVerdictTests {
  private func report(
    levels: Int = 2, _ format: EntryFormat = .armStage2, _ invariants: [any Invariant],
    _ fill: @escaping @Sendable (Scenario, TablePage) -> Void
  ) throws -> CheckReport {
    let model = Model(
      name: "format", summary: "an entry", scenario: "", expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: levels, entries: 2), format: format)
      let root = scenario.rootTable()
      scenario.require(invariants)
      fill(scenario, root)
      return scenario
    }
    return try model.check()
  }

  private func violated(_ report: CheckReport) -> String? { report.violatedInvariant }

  // MARK: Locked

  private func storing(
    _ bits: UInt64, _ format: EntryFormat = .armStage2
  ) throws -> CheckReport {
    try report(format, [NoEntryLeftLocked(), NoLeakedTablePage()]) { scenario, root in
      scenario.boot { cpu in try cpu.store(root[0], Descriptor.block(0).bits, .release) }
      scenario.cpu("cpu", CPUOperation("change") { try $0.store(root[0], bits, .relaxed) })
    }
  }

  /// `pmdp_invalidate` keeps the bits of the entry, bit 10 among them.
  @Test func absentEntriesAreNotLocked() throws {
    #expect(try storing(Descriptor.block(0).bits & ~1).verdict == .holds)
    #expect(try storing(1 << 10 | 1 << 2).verdict == .holds)
    #expect(violated(try storing(Descriptor.locked.bits)) == "no-entry-left-locked")
  }

  @Test func lockingFollowsTheFormat() throws {
    #expect(try storing(Descriptor.locked.bits, .x86).verdict == .holds)
    #expect(try storing(Descriptor.locked.bits, .armStage1).verdict == .holds)
    var own = EntryFormat.x86
    own.locked = Descriptor(bits: 1 << 11)
    #expect(violated(try storing(1 << 11, own)) == "no-entry-left-locked")
  }

  // MARK: Counted

  private func annotating(_ format: EntryFormat, gets: Bool) throws -> CheckReport {
    try report(levels: 1, format, InvariantCatalogue.tables) { scenario, root in
      scenario.cpu(
        "host",
        CPUOperation("set owner") { cpu in
          try cpu.store(root[0], 1 << 2, .relaxed)
          if gets { try cpu.getPage(root) }
        })
    }
  }

  @Test func annotationsCountInKVM() throws {
    #expect(try annotating(.armStage2, gets: true).verdict == .holds)
    #expect(violated(try annotating(.armStage2, gets: false)) == "references-match-entries")
    #expect(try annotating(.x86, gets: false).verdict == .holds)
    #expect(violated(try annotating(.x86, gets: true)) == "references-match-entries")
  }

  // MARK: Well-formed

  /// A guest reads through the initial entries.
  private func reading(
    _ format: EntryFormat, _ entry: @escaping @Sendable (TablePage) -> Descriptor,
    belowRoot: Bool = false, isThere: Bool = true
  ) throws -> CheckReport {
    try report(format, InvariantCatalogue.hardware) { scenario, root in
      _ = scenario.dataFrames(4)
      scenario.boot { cpu in
        guard belowRoot else {
          if isThere { try cpu.store(root[0], entry(root).bits, .relaxed) }
          return
        }
        guard let table = try cpu.allocateTable() else { return }
        if isThere { try cpu.store(table[0], entry(table).bits, .relaxed) }
        try cpu.store(root[0], Descriptor.table(table, writable: true).bits, .relaxed)
      }
      scenario.cpu(
        "guest", mmu: isThere ? MMU(root) : nil,
        CPUOperation("read") { cpu in
          isThere ? try cpu.guestRead(0) : GuestAccess.translationFault
        })
      guard !isThere else { return }
      scenario.cpu("other", mmu: MMU(root), [])
      scenario.cpu(
        "host",
        CPUOperation("write") { cpu in
          let table = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire))) ?? root
          try cpu.store(table[0], entry(table).bits, .release)
        })
    }
  }

  /// Entries are judged when a walk reads them, and when they are written in a table that no unit
  /// walks.
  @Test(arguments: [true, false])
  func malformedEntriesAreFound(isThere: Bool) throws {
    func isFound(
      _ format: EntryFormat, belowRoot: Bool = false,
      _ entry: @escaping @Sendable (TablePage) -> Descriptor
    ) throws -> Bool {
      let checked = try reading(format, entry, belowRoot: belowRoot, isThere: isThere)
      #expect(checked.verdict == (checked.counterexample == nil ? .holds : .violated))
      if let found = violated(checked) { #expect(found == "entries-are-well-formed") }
      return checked.counterexample != nil
    }
    for format in EntryFormat.all {
      #expect(try isFound(format) { _ in .page(0) })
      #expect(try isFound(format) { _ in .block(1) })
      #expect(try !isFound(format) { _ in .block(2) })
      #expect(try !isFound(format) { _ in Descriptor(bits: 1 << 10 | 6) })
      #expect(try isFound(format, belowRoot: true) { Descriptor.table($0, writable: true) })
      #expect(try !isFound(format, belowRoot: true) { _ in .page(1) })
      let isArm = format == .armStage1 || format == .armStage2
      #expect(try isFound(format, belowRoot: true) { _ in .block(0) } == isArm)
      let isEPT = format == .ept
      #expect(
        try isFound(format, belowRoot: true) { _ in Descriptor.page(0).withoutReads } == isEPT)
    }
  }

  /// Entries of a table that is linked later are judged at the linking.
  @Test func tablesAreJudgedWhereTheyAreLinked() throws {
    func linking(_ leaf: Descriptor) throws -> CheckReport {
      try report(.armStage2, [EntriesAreWellFormed()]) { scenario, root in
        scenario.cpu("guest", mmu: MMU(root), [])
        scenario.cpu(
          "host",
          CPUOperation("map") { cpu in
            guard let table = try cpu.allocateTable() else { return }
            try cpu.store(table[1], leaf.bits, .relaxed)
            try cpu.store(root[0], Descriptor.table(table).bits, .release)
          })
      }
    }
    #expect(try linking(.page(3)).verdict == .holds)
    let wrong = try linking(.block(2))
    #expect(violated(wrong) == "entries-are-well-formed")
    guard case .violated(_, let violation) = wrong.counterexample?.recording.end else { return }
    #expect(
      violation.message
        == "host.0[1] at level 1 holds block 0x2, which is reserved at this level")
  }

  /// Tables that lead to each other do not hang any command.
  @Test func circlesOfTablesAreFollowedOnce() throws {
    let circle = try report(.armStage2, [NoTableLinkedTwice(), GracePeriodSafety()]) {
      scenario, root in
      scenario.cpu(
        "cpu",
        CPUOperation("link, unlink") { cpu in
          guard let table = try cpu.allocateTable() else { return }
          try cpu.store(root[0], Descriptor.table(table).bits, .release)
          try cpu.store(table[0], Descriptor.table(root).bits, .release)
          try cpu.store(root[0], 0, .release)
        })
    }
    #expect(circle.verdict == .holds)
  }

  /// A table linked at the last level is a page there, so the table is leaked.
  @Test func theLastLevelLinksNothing() throws {
    func hanging(levels: Int, isWalked: Bool = true) throws -> CheckReport {
      try report(levels: levels, .armStage2, [NoLeakedTablePage()]) { scenario, root in
        scenario.cpu(
          "cpu", mmu: isWalked ? MMU(root) : nil,
          CPUOperation("hang") { cpu in
            guard let table = try cpu.allocateTable() else { return }
            try cpu.store(root[0], Descriptor.table(table).bits, .release)
          })
      }
    }
    #expect(try hanging(levels: 2).verdict == .holds)
    #expect(violated(try hanging(levels: 1)) == "no-leaked-table-page")
    // Software may walk further than the geometry says.
    #expect(try hanging(levels: 1, isWalked: false).verdict == .holds)
  }

  /// On x86 a mapping is changed without a break, and directories' permissions apply to everything
  /// below.
  @Test func directoriesProtectLeavesBelow() throws {
    func writing(_ format: EntryFormat) throws -> [String] {
      let checked = try report(format, InvariantCatalogue.hardware) { scenario, root in
        scenario.boot { cpu in
          guard let table = try cpu.allocateTable() else { return }
          try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
          try cpu.store(
            root[0], Descriptor.table(table, writable: false).bits, .relaxed)
        }
        scenario.cpu("guest", mmu: MMU(root), CPUOperation("write") { try $0.guestWrite(0) })
      }
      #expect(checked.verdict == .holds)
      return checked.coverage.operations[0].outcomes.compactMap(\.text)
    }
    #expect(try writing(.x86) == ["permission fault"])
    #expect(try writing(.armStage1) == ["frame 0x0"])
  }
}
