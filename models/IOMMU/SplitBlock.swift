// Two CPUs each unmap one page of a block: the loser of the split must still unmap its own.

import Gracewalk

/// io-pgtable without a lock, where a block becomes a table.
public enum SplitBlock {
  public static let system = ModelSystem("split-block", "Splitting a block without a lock", models)

  static let origin = Origin(
    author: "Robin Murphy", list: "Linux 85c7a0f1ef62", date: "2018-09-06",
    subject: "iommu/io-pgtable-arm: Fix race handling in split_blk_unmap()",
    question:
      "Two CPUs unmap different pages of one block, without a lock, and both split it. What is "
      + "left to do for the one whose table does not get in?",
    about: [.plainStore, .noCheck, .noTLBI, .leavesOnlyTLBI])

  private enum Omission { case unmapping, bbm }

  private static let variants: [Variant<Omission?>] = [
    .holds("split-loser-unmaps", "the loser frees its table and unmaps its page in the winner's"),
    .broken(
      "split-loser-forgets", "the loser frees its table and is done", .unmapping,
      omits: "unmapping the page in the winner's table",
      violates: [NoStaleUseAfterDSB.id, NoReuseWhileCached.id, DonatedPageUnreachable.id]),
    .broken(
      "split-without-bbm",
      "the loser does its part, on an SMMU that needs break-before-make to change a size", .bbm,
      omits: "FEAT_BBM at level 2", violates: [BreakBeforeMake.id]),
  ]

  private enum Unmapped: UInt64, OperationResult { case split, unmapped, nothing }

  static let models = Model.family(
    variants,
    scenario:
      "A block of two pages is mapped for a device, which reads both. Two CPUs each unmap one page "
      + "and free it. The SMMU copes with a change of size (FEAT_BBM at level 2).",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "unmap 0": ["split", "unmapped"], "unmap 1": ["split", "unmapped"],
      "dma 0": ["frame 0x0", "translation fault"],
    ]),
    vocabulary: vocabulary
  ) { _, omitting in
    let (scenario, words) = start(omitting)
    scenario.cpu("device", mmu: words[0].mmu, words[0].operation, words[1].operation)
    scenario.cpu("cpu 0", words[2].operation)
    scenario.cpu("cpu 1", words[3].operation)
    return scenario
  }

  private static func vocabulary(_ omitting: Omission?) -> Vocabulary {
    Vocabulary(
      start: "A block of two pages is mapped for a device.", symmetries: [[1, 0, 3, 2]]
    ) { start(omitting) }
  }

  /// The block, and what can be done with each of its pages.
  private static func start(_ omitting: Omission?) -> (Scenario, [Vocabulary.Word]) {
    let scenario = Scenario(format: .armStage1)
    scenario.features.breakBeforeMakeLevel = omitting == .bbm ? 0 : 2
    let (root, pages) = (scenario.rootTable("ttbr"), scenario.dataFrames(2))
    scenario.boot { try $0.store(root.entry(0), .block(0), .release) }
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
    let reads = (0..<2).map { page in
      Vocabulary.Word(CPUOperation("dma \(page)") { try $0.guestRead(page) }, mmu: MMU(root))
    }
    let unmaps = (0..<2).map { page in
      Vocabulary.Word(
        CPUOperation("unmap \(page)") { cpu -> any OperationResult in
          let result = try unmap(cpu, root, page, omitting)
          try cpu.flushTLB(.address(page), of: root)
          try cpu.expectUntranslated(root, page)
          try cpu.handOver(pages[page], to: .nobody)
          return result
        })
    }
    return (scenario, reads + unmaps)
  }

  /// `__arm_lpae_unmap`.
  private static func unmap(
    _ cpu: VirtualCPU, _ root: TablePage, _ page: Int, _ omitting: Omission?
  ) throws -> Unmapped {
    var pte = try cpu.load(root.entry(0), .acquire)
    if pte.isLeaf {
      // arm_lpae_split_blk_unmap
      guard let table = try cpu.allocateTable() else { return .nothing }
      try cpu.store(table.entry(1 - page), .page(1 - page), .relaxed)
      let install = try cpu.compareExchange(
        root.entry(0), expected: pte, desired: .table(table), .release)
      if install.exchanged { return .split }
      try cpu.free(table)
      if omitting == .unmapping { return .unmapped }
      pte = install.original
    }
    guard let table = cpu.table(at: pte) else { return .nothing }
    try cpu.store(table.entry(page), .invalid, .relaxed)
    return .unmapped
  }
}
