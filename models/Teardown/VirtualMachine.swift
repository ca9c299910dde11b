// A VM with a stage-2 table: a page is mapped, its table collapsed, and all torn down.

import Gracewalk

/// A VM, from its first mapping to its end.
struct VirtualMachine: Sendable {
  private let root: TablePage
  private let geometry: Geometry
  /// The guest's page.
  ///
  /// An entry that maps it looks like one that leads to a table, as with Arm's
  /// descriptors: only the level tells them apart.
  private let guestPages: Slab
  /// How many vCPUs have left for good.
  private let left: Location
  /// The VM itself, which its table pages are charged to.
  private let vm: Context
  /// The page table's descriptor (`struct kvm_pgtable`), freed when the tables are.
  private let descriptor: Context
  private let variant: Teardown.Variant

  private static let unlinkedLevel = 2

  init(_ scenario: Scenario, _ variant: Teardown.Variant) {
    root = scenario.rootTable()
    geometry = scenario.geometry
    guestPages = scenario.slab("guest page", pages: 1, kind: .objects)
    left = scenario.word("vcpus left")
    vm = scenario.context("vm", ownsPages: true)
    descriptor = scenario.context("pgtable")
    self.variant = variant
  }

  /// Maps the guest's page with a table on each level.
  func mapFirstPage(_ cpu: VirtualCPU) throws(Abandoned) {
    var table = root
    for _ in 0..<geometry.lastLevel {
      guard let next = try cpu.allocateTable() else { return }
      try cpu.store(Descriptor.table(next).bits, to: table[0], .relaxed)
      table = next
    }
    guard let page = try cpu.allocate(from: guestPages) else { return }
    try cpu.store(Descriptor.table(page).bits, to: table[0], .relaxed)
  }

  /// Replaces the table that the second level leads to by a block; frees it in a callback.
  func collapse(_ cpu: VirtualCPU) throws(Abandoned) {
    try cpu.use(descriptor)
    try cpu.rcuReadLock()
    let parent = cpu.table(at: Descriptor(bits: try cpu.dereference(root[0])))
    if let parent {
      let block = Descriptor.block(0).bits
      let old = try cpu.exchange(block, in: parent[0], .acquireRelease)
      if let unlinked = cpu.table(at: Descriptor(bits: old)) {
        try freeLater(cpu, unlinked, level: Self.unlinkedLevel)
      }
    }
    try cpu.rcuReadUnlock()
  }

  private func freeLater(
    _ cpu: VirtualCPU, _ table: TablePage, level: Int
  ) throws(Abandoned) {
    let packed = variant.word.pack(descriptor, level: level)
    try cpu.store(packed, to: table.privateWord, .relaxed)
    try cpu.call { cpu in
      let packed = try cpu.load(table.privateWord, .relaxed)
      let (argument, level) = variant.word.unpack(packed)
      if variant.callbackUsesDescriptor { try cpu.use(contextAt: argument) }
      try freeTable(cpu, table, level: level)
    }
  }

  /// Frees a table and those below it; what an entry leads to, the level alone tells.
  private func freeTable(
    _ cpu: VirtualCPU, _ table: TablePage, level: Int
  ) throws(Abandoned) {
    if level < geometry.lastLevel {
      for index in 0..<geometry.entries {
        let entry = Descriptor(bits: try cpu.load(table[index], .relaxed))
        if let below = cpu.table(at: entry) { try freeTable(cpu, below, level: level + 1) }
      }
    }
    try cpu.free(table)
  }

  /// Faults on the page after the next one: installs a table beside that of the guest's page, below
  /// the one that the collapse unlinks.
  func fault(_ cpu: VirtualCPU) throws(Abandoned) -> Bool {
    try cpu.use(descriptor)
    try cpu.rcuReadLock()
    let first = cpu.table(at: Descriptor(bits: try cpu.dereference(root[0])))
    var second: TablePage?
    if let first { second = cpu.table(at: Descriptor(bits: try cpu.dereference(first[0]))) }
    var installed = false
    if let second, let table = try cpu.allocateTable() {
      installed = try cpu.compareExchange(
        second[1], expected: 0, desired: Descriptor.table(table).bits, .release
      ).exchanged
      if !installed { try cpu.free(table) }
    }
    try cpu.rcuReadUnlock()
    return installed
  }

  /// The guest writes to its page, which is mapped all the time.
  func writeAsGuest(_ cpu: VirtualCPU) throws(Abandoned) {
    try cpu.use(vm)
    try cpu.store(1, to: guestPages[0][0], .relaxed)
  }

  /// The vCPU goes, and will not come back.
  func leave(_ cpu: VirtualCPU) throws(Abandoned) {
    _ = try cpu.fetchAdd(1, to: left, .release)
  }

  /// Frees the tables, then what they belong to.
  func destroy(_ cpu: VirtualCPU) throws(Abandoned) {
    try cpu.wait(until: left, .equals(2))
    try cpu.use(descriptor)
    try freeTable(cpu, root, level: 0)
    if variant.barrier == .beforeRelease { try cpu.barrier() }
    try cpu.release(descriptor)
    if variant.barrier == .afterRelease { try cpu.barrier() }
    try cpu.release(vm)
  }
}
