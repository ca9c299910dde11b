// GUP-fast walks a table that khugepaged takes out of the tree.

import Gracewalk

/// Pinning a page without any lock, against the collapse of the table that maps it.
public enum GUPFast {
  public static let system = ModelSystem("gup-fast", "GUP-fast against collapse", models)

  private static let collapse = Origin(
    author: "Yang Shi", list: "Linux 70cbc3cc78a9", date: "2022-09-07",
    subject: "mm: gup: fix the fast GUP race against THP collapse",
    question:
      "GUP-fast pins a page and then sees that its PTE is the same as before. On arm64 a TLB flush "
      + "sends no IPI: may khugepaged have taken the whole table out meanwhile?",
    about: [.noReread])

  private static let free = Origin(
    author: "Jann Horn", list: "Linux 2ba99c5e0881", date: "2022-11-25",
    subject: "mm/khugepaged: fix GUP-fast interaction by sending IPI",
    question:
      "GUP-fast reads the PMD again, with interrupts masked. Does that make it safe to free "
      + "the table that a collapse has taken out?",
    about: [.noMask, .noInterrupt, .callAtOnce, .noReread])

  /// What becomes of the table that is taken out.
  private enum Table { case deposited, freed, freedAfterIPI, freedByRCU }

  private struct Way {
    var rechecksPMD = true
    var table: Table
  }

  private static let pinned = "A pinned page is what its address maps"

  static let models =
    family(
      collapse,
      [
        .holds(
          "gup-fast-rechecks-pmd", "once it has the page, GUP-fast reads both PMD and PTE again",
          Way(table: .deposited)),
        .broken(
          "gup-fast-rechecks-pte-only", "once it has the page, GUP-fast reads the PTE again",
          Way(rechecksPMD: false, table: .deposited), omits: "reading the PMD again",
          violates: ["a-pinned-page-is-what-its-address-maps"]),
      ])
    + family(
      free,
      [
        .holds(
          "gup-fast-collapse-sends-ipi", "the table is freed when all CPUs have taken an interrupt",
          Way(table: .freedAfterIPI)),
        .holds(
          "gup-fast-collapse-frees-by-rcu",
          "the table is freed by a callback, which waits for masked interrupts, too",
          Way(table: .freedByRCU)),
        .broken(
          "gup-fast-collapse-frees-at-once", "the table is freed when its entries have been copied",
          Way(table: .freed), omits: "waiting for CPUs that have interrupts masked",
          violates: [NoUseAfterFree.id, GracePeriodSafety.id]),
      ])

  private static func family(_ origin: Origin, _ variants: [Variant<Way>]) -> [Model] {
    Model.family(
      variants,
      scenario:
        "A table maps one page. A CPU pins it by GUP-fast; khugepaged turns the table into a "
        + "block, unless somebody has pinned the page. The machine's data frames have no "
        + "reference counts: a word stands for that of the page.",
      origin: origin,
      mustHappen: ExpectedOutcome.each([
        "gup_fast 0x0": ["true", "false"], "collapse 0x0": ["true", "false"],
      ])
    ) { _, way in
      let scenario = Scenario(format: .armStage1)
      let (pgd, deposit) = (scenario.rootTable("pgd"), scenario.rootTable("deposit"))
      let references = scenario.variable("page references", initial: 1)
      let isPinned = scenario.variable("page is pinned", initial: false)
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.store(table.entry(0), .page(0), .relaxed)
        try cpu.store(pgd.entry(0), .table(table), .release)
      }
      scenario.cpu("gup", runs: "gup_fast 0x0") { cpu in
        try cpu.maskInterrupts()
        let pins = try gupPTERange(cpu, pgd.entry(0), references, way)
        if pins { try cpu.store(isPinned, true, .relaxed) }
        try cpu.unmaskInterrupts()
        return pins
      }
      scenario.cpu("khugepaged", usesCallbacks: way.table == .freedByRCU, runs: "collapse 0x0") {
        try collapseHugePage($0, pgd.entry(0), references, deposit.entry(0), way.table)
      }
      scenario.atEnd(pinned) { end in
        guard end.value(of: isPinned) else { return true }
        return end.entry(of: pgd, 0).isTable
      }
      scenario.require(InvariantCatalogue.pages)
      scenario.require(GracePeriodSafety())
      return scenario
    }
  }

  private static func gupPTERange(
    _ cpu: VirtualCPU, _ pmdSlot: Entry, _ references: Word<Int>, _ way: Way
  ) throws -> Bool {
    let pmd = try cpu.load(pmdSlot, .acquire)
    guard let table = cpu.table(at: pmd) else { return false }
    let pte = try cpu.load(table.entry(0), .acquire)
    // try_grab_folio
    guard pte.isLeaf, try cpu.incrementUnlessZero(references, .acquireRelease) else { return false }
    let isSamePMD = way.rechecksPMD ? try cpu.load(pmdSlot, .relaxed) == pmd : true
    if isSamePMD, try cpu.load(table.entry(0), .relaxed) == pte { return true }
    _ = try cpu.fetchAdd(references, -1, .release)
    return false
  }

  /// True if done; false if somebody holds the page, or there is no table any more.
  private static func collapseHugePage(
    _ cpu: VirtualCPU, _ pmdSlot: Entry, _ references: Word<Int>, _ deposit: Entry, _ way: Table
  ) throws -> Bool {
    let pmd = try cpu.exchange(pmdSlot, .invalid, .acquireRelease)  // pmdp_collapse_flush
    guard let table = cpu.table(at: pmd) else { return false }
    if way == .freedAfterIPI { try cpu.interruptOthers() }  // tlb_remove_table_sync_one
    // __collapse_huge_page_isolate: is the mapping's reference the only one?
    guard try cpu.load(references, .acquire) == 1 else {
      try cpu.store(pmdSlot, pmd, .release)
      return false
    }
    // __collapse_huge_page_copy
    try cpu.store(table.entry(0), .invalid, .relaxed)
    _ = try cpu.fetchAdd(references, -1, .release)
    switch way {
    case .deposited: try cpu.store(deposit, .table(table), .relaxed)
    case .freed, .freedAfterIPI: try cpu.free(table)
    case .freedByRCU: try cpu.callRCU { try $0.free(table) }
    }
    try cpu.store(pmdSlot, .block(2), .release)
    return true
  }
}
