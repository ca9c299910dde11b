// ioremap() of a huge page frees a table that an earlier mapping left behind.

import Gracewalk

/// The pointer to a table, which stays cached when its leaves have been flushed.
public enum HugeIoremap {
  public static let system = ModelSystem(
    "huge-ioremap", "A pointer that stays cached: huge ioremap()", models)

  static let origin = Origin(
    author: "Chintan Pandya", list: "Linux ec28bb9c9b08", date: "2018-06-06",
    subject: "arm64: Implement page table free interfaces",
    question:
      "iounmap() clears and flushes leaves, and keeps their table. Before a later ioremap() of a "
      + "huge page frees it, is there anything left to flush?",
    about: [.noBreak, .noDSB, .noTLBI, .leavesOnlyTLBI, .localTLBI])

  private static let variants: [Variant<NoChoice>] = [
    .holds("ioremap-purges-pointer", "clear the PMD, flush it, free the table, write the block"),
    .broken(
      "ioremap-without-purge", "the table is freed as soon as the PMD is clear",
      omits: "the flush", violates: [NoUseAfterFree.id, BreakBeforeMake.id, NoReuseWhileCached.id]),
    .broken(
      "ioremap-purges-leaves", "only leaves are flushed, once more",
      omits: "flushing the pointer to the table",
      violates: [NoUseAfterFree.id, BreakBeforeMake.id, NoReuseWhileCached.id]),
    .broken(
      "ioremap-over-table", "the block is written over the pointer to the table",
      omits: "clearing the PMD first", violates: [BreakBeforeMake.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "A driver has mapped one page, unmaps it, and maps the range by one block. Another CPU, "
      + "whose MMU may also walk there speculatively, reads the address at any time. Commit "
      + "5e0fb5df2ee8 (Toshi Kani, 2018-06-27) is the same for x86.",
    origin: origin,
    mustHappen: ExpectedOutcome.each(["read 0x0": ["frame 0x0", "translation fault", "frame 0x2"]])
  ) { _, _ in
    let scenario = Scenario(format: .armStage1)
    let (pgd, _) = (scenario.rootTable("pgd"), scenario.dataFrames(4))
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .page(0), .relaxed)
      try cpu.store(pgd.entry(0), .table(table), .release)
    }
    scenario.cpu("reader", mmu: MMU(pgd, speculatesOn: [0]), runs: "read 0x0") {
      try $0.guestRead(0)
    }
    scenario.cpu(
      "driver",
      CPUOperation("iounmap") { cpu in
        guard let table = cpu.table(at: try cpu.load(pgd.entry(0), .acquire)) else { return }
        try cpu.store(table.entry(0), .invalid, .relaxed)
        try cpu.flushTLB(.address(0).lastLevelOnly, of: pgd)
        try cpu.expectUntranslated(pgd, 0)
      },
      CPUOperation("ioremap huge") { cpu in
        let pmd = pgd.entry(0)
        // pmd_free_pte_page
        guard let table = cpu.table(at: try cpu.load(pmd, .acquire)) else { return }
        let clears = !cpu.omits("clearing the PMD first")
        if clears { try cpu.store(pmd, .invalid, .relaxed) }
        let range = TLBInvalidation.address(0)
        if !cpu.omits("the flush") {
          let keepsPointer = cpu.omits("flushing the pointer to the table")
          try cpu.flushTLB(keepsPointer ? range.lastLevelOnly : range, of: pgd)
        }
        if !clears { try cpu.store(pmd, .block(2), .release) }
        try cpu.free(table)
        if clears { try cpu.store(pmd, .block(2), .release) }
      })
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    return scenario
  }
}
