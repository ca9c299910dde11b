// A callback of the page-table walker frees a table, and the walker goes on into it.

import Gracewalk

/// What a walker may still rely on when its callback returns.
public enum PreOrderWalk {
  public static let system = ModelSystem(
    "pre-order-walk", "A walker whose callback frees the table", models)

  static let origin = Origin(
    author: "Fuad Tabba", list: "Linux a9f0e3d5a089", date: "2023-05-22",
    subject: "KVM: arm64: Reload PTE after invoking walker callback on preorder traversal",
    question:
      "The walker's callback replaces a table by a block and frees the table. The walker goes on "
      + "with the entry that it has read before: why does only pKVM crash?",
    about: [.noSection, .callAtOnce])

  private enum Way { case reloads, keeps, keepsUnderRCU }

  private static let variants: [Variant<Way>] = [
    .holds("walker-reloads-pte", "after the callback, the walker reads the entry again", .reloads),
    .holds(
      "walker-keeps-pte-under-rcu",
      "the walker goes on with the old entry, and the table is freed after a grace period",
      .keepsUnderRCU),
    .broken(
      "walker-keeps-pte", "the walker goes on with the old entry, and there is no RCU", .keeps,
      omits: "reading the entry again", violates: [NoUseAfterFree.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "A table maps the first of two pages. A vCPU reads that; the hypervisor maps both pages, for "
      + "which the walker's callback replaces the table by a block.",
    origin: origin,
    mustHappen: ExpectedOutcome.each(["read 0x0": ["frame 0x0", "translation fault"]])
  ) { _, way in
    let scenario = Scenario()
    let (root, _) = (scenario.rootTable("stage 2"), scenario.dataFrames(2))
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .page(0), .relaxed)
      try cpu.store(root.entry(0), .table(table), .release)
    }
    scenario.cpu("vcpu", mmu: MMU(root, speculatesOn: [0]), runs: "read 0x0") {
      try $0.guestRead(0)
    }
    scenario.cpu("hyp", usesCallbacks: way == .keepsUnderRCU, runs: "map 0x0") { cpu in
      if way == .keepsUnderRCU { try cpu.rcuReadLock() }
      try visit(cpu, root, way)
      if way == .keepsUnderRCU { try cpu.rcuReadUnlock() }
    }
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    scenario.require(GracePeriodSafety())
    return scenario
  }

  /// `__kvm_pgtable_visit`, of the root's first entry.
  private static func visit(_ cpu: VirtualCPU, _ root: TablePage, _ way: Way) throws {
    var pte = try cpu.load(root.entry(0), .acquire)
    if let table = cpu.table(at: pte) {
      try mapWalkTablePre(cpu, root, table, way)
      if way == .reloads { pte = try cpu.load(root.entry(0), .acquire) }
    }
    guard let table = cpu.table(at: pte) else { return }
    // stage2_map_walk_leaf
    for index in 0..<2 where try cpu.load(table.entry(index), .acquire) != .page(index) {
      try cpu.store(table.entry(index), .page(index), .release)
    }
  }

  /// `stage2_map_walk_table_pre`: the table goes, and a block takes its place.
  private static func mapWalkTablePre(
    _ cpu: VirtualCPU, _ root: TablePage, _ table: TablePage, _ way: Way
  ) throws {
    try cpu.store(root.entry(0), .locked, .relaxed)
    try cpu.flushTLB(.all, of: root)
    try cpu.store(root.entry(0), .block(0), .release)
    // mm_ops->free_unlinked_table
    if way == .keepsUnderRCU {
      try cpu.callRCU { try $0.free(table) }
    } else {
      try cpu.free(table)
    }
  }
}
