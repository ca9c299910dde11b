// A VM with a stage-2 table: a page is mapped, its table is collapsed, and everything is torn down.

import Gracewalk

/// A VM, from its first mapping to its end.
struct VirtualMachine: Sendable {
  struct Choice: Sendable {
    enum Barrier { case beforeRelease, afterRelease, none }

    var barrier = Barrier.beforeRelease
    /// Whether the callback uses the page table's descriptor, which is freed with the VM.
    var callbackUsesDescriptor = true
    /// Whether pages must be freed before the VM is released.
    var countsPages = true
  }

  private let root: TablePage
  private let geometry: Geometry
  /// The guest's page.
  ///
  /// As with Arm's descriptors, an entry that maps it looks like one that leads to a table: only
  /// the level tells them apart.
  private let guestPages: Slab
  /// The number of vCPUs that have left for good.
  private let left: Word<Int>
  /// The VM itself, to which its table pages are charged.
  private let vm: Context
  /// The page table's descriptor (`struct kvm_pgtable`), freed when the tables are.
  private let descriptor: Context
  private let choice: Choice

  init(_ scenario: Scenario, _ choice: Choice) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    guestPages = scenario.slab("guest page", pages: 1, kind: .objects)
    left = scenario.variable("vcpus left", initial: 0)
    vm = scenario.context("vm", ownsPages: true)
    descriptor = scenario.context("pgtable")
    self.choice = choice
  }

  /// Maps the guest's page with a table on each level.
  func mapFirstPage(_ cpu: VirtualCPU) throws {
    var table = root
    for _ in 0..<geometry.lastLevel {
      guard let next = try cpu.allocateTable() else { return }
      try cpu.store(table.entry(0), .table(next), .relaxed)
      table = next
    }
    guard let page = try cpu.allocate(from: guestPages) else { return }
    try cpu.store(table.entry(0), .table(page), .relaxed)
  }

  /// Replaces the table that the second level leads to by a block; frees it in a callback.
  func collapse(_ cpu: VirtualCPU) throws {
    try cpu.use(descriptor)
    try cpu.rcuReadLock()
    if let parent = cpu.table(at: try cpu.rcuDereference(root.entry(0))) {
      let old = try cpu.exchange(parent.entry(0), .block(0), .acquireRelease)
      if let unlinked = cpu.table(at: old) { try freeLater(cpu, unlinked, level: 2) }
    }
    try cpu.rcuReadUnlock()
  }

  /// The callback's argument and the table's level share a word of the unlinked page.
  ///
  /// KVM gives the level three bits; levels below four need two.
  private func freeLater(_ cpu: VirtualCPU, _ table: TablePage, level: Int) throws {
    let mask: UInt64 = cpu.omits("room for every level") ? 0b1 : 0b111
    let offset: UInt64 = cpu.omits("an argument with the level's bits free") ? 1 : 0
    let packed = (descriptor.address + offset) | (UInt64(level) & mask)
    try cpu.store(table.privateWord, packed, .relaxed)
    try cpu.callRCU { cpu in
      let packed = try cpu.load(table.privateWord, .relaxed)
      if choice.callbackUsesDescriptor {
        let isMasked = !cpu.omits("masking the level out of the argument")
        try cpu.use(contextAt: isMasked ? packed & ~mask : packed)
      }
      try freeTable(cpu, table, level: Int(packed & mask))
    }
  }

  /// Frees a table and those below it; only the level tells what an entry leads to.
  private func freeTable(_ cpu: VirtualCPU, _ table: TablePage, level: Int) throws {
    for index in 0..<geometry.entries where level < geometry.lastLevel {
      let entry = try cpu.load(table.entry(index), .relaxed)
      if let next = cpu.table(at: entry) { try freeTable(cpu, next, level: level + 1) }
    }
    try cpu.free(table)
  }

  /// Faults on the page after the next one: installs a table next to that of the guest's page,
  /// below the table that the collapse unlinks.
  func fault(_ cpu: VirtualCPU) throws -> Bool {
    try cpu.use(descriptor)
    try cpu.rcuReadLock()
    var installed = false
    if let first = cpu.table(at: try cpu.rcuDereference(root.entry(0))),
      let second = cpu.table(at: try cpu.rcuDereference(first.entry(0))),
      let table = try cpu.allocateTable()
    {
      installed = try cpu.tryCompareExchange(second.entry(1), .invalid, .table(table), .release)
      if !installed { try cpu.free(table) }
    }
    try cpu.rcuReadUnlock()
    return installed
  }

  /// The guest writes to its page, which is mapped all the time.
  func writeAsGuest(_ cpu: VirtualCPU) throws {
    try cpu.use(vm)
    try cpu.store(guestPages[0][0], 1, .relaxed)
  }

  /// The vCPU leaves for good.
  func leave(_ cpu: VirtualCPU) throws {
    _ = try cpu.fetchAdd(left, 1, .release)
  }

  /// Frees the tables, then the objects that own them.
  func destroy(_ cpu: VirtualCPU) throws {
    try cpu.wait(until: left, .equals(2))
    try cpu.use(descriptor)
    try freeTable(cpu, root, level: 0)
    if choice.barrier == .beforeRelease { try cpu.rcuBarrier() }
    try cpu.release(descriptor)
    if choice.barrier == .afterRelease { try cpu.rcuBarrier() }
    try cpu.release(vm)
  }
}
