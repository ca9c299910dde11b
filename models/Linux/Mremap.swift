// mremap() moves an entry and flushes the old address after dropping the lock: CVE-2018-18281.

import Gracewalk

/// How late an entry that was moved may be flushed.
public enum Mremap {
  public static let system = ModelSystem(
    "mremap", "A flush that comes after the lock: mremap()", models)

  static let origin = Origin(
    author: "Linus Torvalds, on a report by Jann Horn", list: "Linux eb66ae030829",
    date: "2018-10-12", subject: "mremap: properly flush TLB before releasing the page",
    question:
      "mremap() moves an entry under the page-table lock and frees nothing. May it flush the old "
      + "address after it has dropped the lock?",
    about: [.noLock, .noTLBI, .localTLBI])

  private static let variants: [Variant<Bool>] = [
    .holds(
      "mremap-flush-under-lock", "the old address is flushed before the lock is dropped", true),
    .broken(
      "mremap-flush-after-unlock", "the lock is dropped, and the old address flushed then", false,
      omits: "holding the lock until the flush",
      violates: [NoReuseWhileCached.id, DonatedPageUnreachable.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "One page of a file is mapped, at 0x0. A thread writes to 0x0 and then to 0x1; mremap() "
      + "moves the page to 0x1; a truncation unmaps whatever is at 0x1, and then frees the page. "
      + "Both entries are in one table, so they have one lock.",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "truncate 0x1": ["true", "false"], "write 0x0": ["frame 0x0", "translation fault"],
    ]),
    vocabulary: vocabulary
  ) { _, flushesUnderLock in
    let (scenario, file) = start(flushesUnderLock)
    scenario.cpu(
      "thread", mmu: MMU(file.table, speculatesOn: [0]),
      CPUOperation("write 0x0") { try $0.guestWrite(0) },
      CPUOperation("write 0x1") { try $0.guestWrite(1) })
    scenario.cpu("mremap", runs: "mremap 0x0 to 0x1") { try file.movePTEs($0, from: 0, to: 1) }
    scenario.cpu("truncate", runs: "truncate 0x1") { try file.zapPTE($0, 1) }
    return scenario
  }

  private static func vocabulary(_ flushesUnderLock: Bool) -> Vocabulary {
    Vocabulary(start: "One page of a file is mapped, at 0x0.") {
      let (scenario, file) = start(flushesUnderLock)
      let reads = (0..<2).map { address in
        Vocabulary.Word(
          CPUOperation("read \(address)") { try $0.guestRead(address) }, mmu: MMU(file.table))
      }
      let changes = (0..<2).flatMap { address in
        [
          CPUOperation("move \(address)") { try file.movePTEs($0, from: address, to: 1 - address) },
          CPUOperation("truncate \(address)") { try file.zapPTE($0, address) },
        ].map { Vocabulary.Word($0) }
      }
      return (scenario, reads + changes)
    }
  }

  private static func start(_ flushesUnderLock: Bool) -> (Scenario, MappedFile) {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .armStage1)
    let table = scenario.rootTable("table")
    let file = MappedFile(
      table: table, page: scenario.dataFrames(1)[0], ptl: scenario.spinLock("ptl"),
      flushesUnderLock: flushesUnderLock)
    scenario.boot { try $0.store(table.entry(0), .page(0), .relaxed) }
    scenario.require(InvariantCatalogue.pages)
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
    return (scenario, file)
  }

  /// One table of entries, and the page that one of them maps.
  private struct MappedFile {
    let table: TablePage
    let page: DataFrame
    let ptl: SpinLock
    let flushesUnderLock: Bool

    func movePTEs(_ cpu: VirtualCPU, from old: Int, to new: Int) throws {
      try cpu.lock(ptl)
      let pte = try cpu.exchange(table.entry(old), .invalid, .relaxed)
      if pte.isValid { try cpu.store(table.entry(new), pte, .relaxed) }
      if flushesUnderLock { try cpu.flushTLB(.address(old), of: table) }
      try cpu.unlock(ptl)
      if !flushesUnderLock { try cpu.flushTLB(.address(old), of: table) }
    }

    /// `zap_pte_range`, and `free_pages_and_swap_cache` behind it; true if there was a page.
    func zapPTE(_ cpu: VirtualCPU, _ address: Int) throws -> Bool {
      try cpu.lock(ptl)
      let pte = try cpu.exchange(table.entry(address), .invalid, .relaxed)
      if pte.isValid { try cpu.flushTLB(.address(address), of: table) }
      try cpu.unlock(ptl)
      if pte.isValid { try cpu.handOver(page, to: .nobody) }
      return pte.isValid
    }
  }
}
