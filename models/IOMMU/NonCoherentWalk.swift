// Two CPUs map pages below one new table, and a device's walker does not snoop their caches.

import Gracewalk

/// Which of two maps cleans the entry that leads to their table.
public enum NonCoherentWalk {
  public static let system = ModelSystem(
    "non-coherent-walk", "Walkers that do not see caches", models)

  static let origin = Origin(
    author: "Robin Murphy", list: "Linux 2c3d273eabe8 and 81b3c2521844", date: "2017-06-22",
    subject: "iommu/io-pgtable: Introduce explicit coherency",
    question:
      "A map without a lock finds a table that another CPU has just installed. Can it be sure that "
      + "a walker that does not snoop caches finds the table, too?",
    about: [.plainStore, .noCheck, .noDSB])

  private enum Way { case syncBit, alwaysCleans, trusts }

  private static let variants: [Variant<Way>] = [
    .holds(
      "table-entry-with-sync-bit",
      "a map that finds an entry without the sync bit cleans it, too", .syncBit),
    .holds("table-entry-always-cleaned", "every map cleans the table's entry", .alwaysCleans),
    .broken(
      "table-entry-cleaned-by-installer", "only the map that installs a table cleans its entry",
      .trusts,
      omits: "cleaning an entry that another CPU may not have cleaned yet",
      violates: [OperationsDoNotThrow.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "Two CPUs map neighbouring pages; either may install the table. The second then rings a "
      + "device's doorbell, and the device reads that page. The machine's walkers are coherent, so "
      + "the root has a twin, which stands for what is in memory: the device walks that, and "
      + "cleaning an entry copies it there.",
    origin: origin,
    mustHappen: ExpectedOutcome.each(["map 0": ["true", "false"], "map 1": ["true", "false"]]),
    exempt: { _ in
      [
        Exemption(
          NoTableLinkedTwice.id, "the two roots stand for one, as the caches and as memory have it")
      ]
    }
  ) { _, way in
    let scenario = Scenario(format: .armStage1)
    let (cached, memory) = (scenario.rootTable("root"), scenario.rootTable("root in memory"))
    let doorbell = scenario.variable("doorbell", initial: false)
    _ = scenario.dataFrames(2)
    let map = { @Sendable (cpu: VirtualCPU, page: Int) in
      try Self.map(cpu, page, cached.entry(0), memory.entry(0), way)
    }
    scenario.cpu("cpu 0", runs: "map 0") { try map($0, 0) }
    scenario.cpu("cpu 1", runs: "map 1") { cpu -> any OperationResult in
      let isFirst = try map(cpu, 1)
      try cpu.store(doorbell, true, .release)
      return isFirst
    }
    scenario.cpu("device", mmu: MMU(memory), runs: "dma 1") { cpu in
      try cpu.wait(until: doorbell, .equals(true))
      let isMapped = try cpu.guestRead(1) != .translationFault
      try cpu.assert(isMapped, "the device finds what was mapped before it was told")
    }
    scenario.require(InvariantCatalogue.hardware)
    scenario.require([NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree()])
    return scenario
  }

  /// ARM_LPAE_PTE_SW_SYNC.
  private static func isSynced(_ pte: Descriptor) -> Bool { pte.softwareBits == 1 }

  /// `__arm_lpae_map`; true if it has installed the table.
  private static func map(
    _ cpu: VirtualCPU, _ page: Int, _ slot: Entry, _ inMemory: Entry, _ way: Way
  ) throws -> Bool {
    var pte = try cpu.load(slot, .acquire)
    var isFirst = false
    if !pte.isValid, let new = try cpu.allocateTable() {
      // arm_lpae_install_table
      let install = try cpu.compareExchange(
        slot, expected: .invalid, desired: .table(new), .release)
      isFirst = install.exchanged
      pte = isFirst ? .table(new) : install.original
      if !isFirst { try cpu.free(new) }
    }
    if isFirst || way == .alwaysCleans || way == .syncBit && !isSynced(pte) {
      // __arm_lpae_sync_pte
      try cpu.store(inMemory, pte.withSoftwareBits(0), .release)
      try cpu.dsb()
    }
    if isFirst, way == .syncBit { try cpu.store(slot, pte.withSoftwareBits(1), .relaxed) }
    guard let table = cpu.table(at: pte) else { return false }
    try cpu.store(table.entry(page), .page(page), .release)
    try cpu.dsb()
    return isFirst
  }
}
