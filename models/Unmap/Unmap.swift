// Unmapping under KVM's mmu_lock: faults share it, what frees tables has it alone.

import Gracewalk

/// A reader–writer lock as the whole protection of a table: no RCU, tables freed at once.
public enum Unmap {
  public static let system = ModelSystem("unmap", "Unmapping under a reader-writer lock", models)

  /// The step a broken sibling leaves out.
  enum Omission {
    case writeSide, unlinkBeforeFree, writeUnlock
  }

  static let origin = Origin(
    author: "Oliver Upton, answering Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "A hypervisor cannot use RCU. If it never collapses tables into blocks, is a reader-writer "
      + "lock enough, with unmap on the write side and everything else on the read side?",
    about: [.noReadLock, .noWriteLock, .readLockOnly])

  private static let variants: [Variant<Omission?>] = [
    .holds(
      "unmap-under-write-lock",
      "faults hold the lock for reading; unmap holds it for writing and frees empty tables"),
    .broken(
      "unmap-under-read-lock", "unmap, too, holds the lock for reading only", .writeSide,
      omits: "taking the lock for writing", violates: [NoUseAfterFree.id]),
    .broken(
      "unmap-frees-before-unlink",
      "an empty table is freed before the entry that leads to it is cleared", .unlinkBeforeFree,
      omits: "clearing the entry before freeing the table", violates: [NoFreedPageReachable.id]),
    .broken(
      "unmap-releases-as-reader", "the write lock is released with the call for readers",
      .writeUnlock, omits: "releasing the lock in the mode it was taken",
      violates: [LocksHeldByReleaser.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "One page is mapped. One vCPU unmaps it while another faults on its neighbour in the same "
      + "table and a third looks it up.",
    origin: origin,
    // A lookup comes before the unmapping, after it, and while the table is installed again.
    mustHappen: ["mapped", "notMapped", "retry"].map { ExpectedOutcome("look up 0x0", $0) },
    vocabulary: vocabulary
  ) { _, omitting in
    let (scenario, table, lock) = start()
    scenario.cpu("unmapper", unmap(lock, table, 0, omitting))
    scenario.cpu("vcpu 1", underReadLock(lock, table, .map, 1))
    scenario.cpu("vcpu 2", underReadLock(lock, table, .lookUp, 0))
    return scenario
  }

  /// Whatever can be done with a page that is mapped and its neighbour, which is not.
  private static func vocabulary(_ omitting: Omission?) -> Vocabulary {
    Vocabulary(start: "Page 0x0 is mapped; its neighbour in the same table is not.") {
      let (scenario, table, lock) = start()
      let operations =
        (0..<2).map { underReadLock(lock, table, .map, $0) }
        + (0..<2).map { unmap(lock, table, $0, omitting) }
        + (0..<2).map { underReadLock(lock, table, .lookUp, $0) }
      return (scenario, operations)
    }
  }

  private static func start() -> (Scenario, Stage2Table, ReadWriteLock) {
    let scenario = Scenario()
    let lock = scenario.readWriteLock("mmu_lock")
    let table = Stage2Table(scenario, protection: .nothing)
    scenario.boot { cpu in _ = try table.map(cpu, 0) }
    scenario.require(InvariantCatalogue.tables)
    scenario.require(NoFreedPageReachable())
    scenario.require(OperationsLinearise(to: AddressMap(geometry: table.geometry, mapped: [0])))
    return (scenario, table, lock)
  }

  private static func unmap(
    _ lock: ReadWriteLock, _ table: Stage2Table, _ address: Int, _ omitting: Omission?
  ) -> CPUOperation {
    CPUOperation("unmap 0x\(address)", call: AddressMap.call(.unmap, address)) { cpu in
      try unmap(cpu, table, address, lock, omitting)
    }
  }

  private static func underReadLock(
    _ lock: ReadWriteLock, _ table: Stage2Table, _ call: AddressMap.Call, _ address: Int
  ) -> CPUOperation {
    CPUOperation("\(call.name) 0x\(address)", call: AddressMap.call(call, address)) { cpu in
      try cpu.readLock(lock)
      let result =
        call == .map ? try table.map(cpu, address) : try table.lookUp(cpu, address)
      try cpu.readUnlock(lock)
      return result
    }
  }

  private static func unmap(
    _ cpu: VirtualCPU, _ table: Stage2Table, _ address: Int, _ lock: ReadWriteLock,
    _ omitting: Omission?
  ) throws -> Stage2Result {
    if omitting == .writeSide { try cpu.readLock(lock) } else { try cpu.writeLock(lock) }
    let result = try unmapLocked(cpu, table, address, omitting)
    if omitting == .writeSide || omitting == .writeUnlock {
      try cpu.readUnlock(lock)
    } else {
      try cpu.writeUnlock(lock)
    }
    return result
  }

  /// Clears the page's entry and, if its table is empty then, the entry that leads there.
  private static func unmapLocked(
    _ cpu: VirtualCPU, _ table: Stage2Table, _ address: Int, _ omitting: Omission?
  ) throws -> Stage2Result {
    let parent = table.root.entry(of: address, at: 0)
    guard let leaf = cpu.table(at: try cpu.load(parent, .acquire)) else {
      return .already
    }
    let slot = leaf.entry(of: address, at: 1)
    guard try cpu.load(slot, .relaxed).isValid else { return .already }
    try cpu.store(slot, .invalid, .relaxed)
    try cpu.putPage(leaf)
    guard try cpu.load(leaf.references, .relaxed) == 1 else { return .done }
    if omitting == .unlinkBeforeFree { try cpu.putPage(leaf) }
    try cpu.store(parent, .invalid, .release)
    try cpu.putPage(table.root)
    if omitting != .unlinkBeforeFree { try cpu.putPage(leaf) }
    return .done
  }
}
