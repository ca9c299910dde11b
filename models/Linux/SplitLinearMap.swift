// split_pmd() replaces a block of the linear map by a table, which hardware may walk at once.

import Gracewalk

/// A table that walks must find filled: live mappings of another size.
public enum SplitLinearMap {
  public static let system = ModelSystem(
    "split-linear-map", "A table filled before it is walked: splitting the linear map", models)

  private static let isMapped = "No access to the linear map faults"
  private static let barrier = "the DSB before the link"
  private static let stronger: [MemoryModel: Expectation] = [
    .sequentialConsistency: .holds, .totalStoreOrder: .holds,
  ]

  private static let variants: [Variant<NoChoice>] = [
    .holds(
      "split-pmd-waits", "fill the table, dsb(ishst), link it", nil, under: stronger),
    .broken(
      "split-pmd-without-dsb", "the link may be seen before the entries", nil,
      omits: barrier, violates: ["no-access-to-the-linear-map-faults"], under: stronger),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "A block maps two pages of the kernel's own memory. A CPU splits it, on a machine that needs "
      + "no break-before-make for that (FEAT_BBM at level 2), and makes the first page read-only. "
      + "Another CPU reads the second, which stays mapped all the time.",
    origin: Origin(
      author: "Yang Shi", list: "Linux a166563e7ec3", date: "2025-09-17",
      subject: "arm64: mm: support large block mapping when rodata=full",
      question:
        "Nothing is broken before it is made here. Is the dsb(ishst) between the entries of the "
        + "new table and the link to it needed, if no code but only hardware walks it?",
      about: [.noDSB, .noTLBI]),
    mustHappen: ExpectedOutcome.each(["read 0x1": ["mapped"]])
  ) { _ in
    let scenario = Scenario(format: .armStage1)
    scenario.memoryModel = .armv8
    scenario.features.breakBeforeMakeLevel = 2
    scenario.features.enhancedTranslationSynchronisation = true
    let (pmd, _) = (scenario.rootTable("pmd"), scenario.dataFrames(2))
    let faults = scenario.word("faults")
    scenario.boot { try $0.store(pmd.entry(0), .block(0), .release) }
    scenario.cpu("reader", mmu: MMU(pmd), runs: "read 0x1") { cpu in
      guard case .done = try cpu.guestRead(1) else {
        try cpu.store(faults, 1, .relaxed)
        return Found.fault
      }
      return Found.mapped
    }
    scenario.cpu("splitter", runs: "set_memory_ro 0x0") { cpu in
      // split_pmd
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .page(0), .relaxed)
      try cpu.store(table.entry(1), .page(1), .relaxed)
      if !cpu.omits(barrier) { try cpu.dsb() }
      try cpu.store(pmd.entry(0), .table(table), .relaxed)
      try cpu.dsb()
      // __change_memory_common
      try cpu.store(table.entry(0), .page(0, writable: false), .relaxed)
      try cpu.flushTLB(.address(0), of: pmd)
    }
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    scenario.atEnd(isMapped) { machine in machine.value(of: faults) == 0 }
    return scenario
  }

  private enum Found: UInt64, OperationResult { case mapped, fault }
}
