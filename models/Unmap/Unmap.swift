// Unmapping under KVM's mmu_lock: faults share it, what frees tables has it alone.

import Gracewalk

/// A reader–writer lock as the whole protection of a table: no RCU, tables freed at once.
public enum Unmap {
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

  public static let models: [Model] = [
    model(
      "unmap-under-write-lock",
      "faults hold the lock for reading; unmap holds it for writing and frees empty tables"),
    model(
      "unmap-under-read-lock", "unmap, too, holds the lock for reading only", .writeSide,
      omission: "taking the lock for writing", violates: [NoUseAfterFree.id]),
    model(
      "unmap-frees-before-unlink",
      "an empty table is freed before the entry that leads to it is cleared", .unlinkBeforeFree,
      omission: "clearing the entry before freeing the table",
      violates: [NoFreedPageReachable.id]),
    model(
      "unmap-releases-as-reader", "the write lock is released with the call for readers",
      .writeUnlock, omission: "releasing the lock in the mode it was taken",
      violates: [LocksHeldByReleaser.id]),
  ]

  private static func model(
    _ name: String, _ summary: String, _ omitting: Omission? = nil, omission: String? = nil,
    violates: [String] = []
  ) -> Model {
    Model(
      name: name, summary: summary,
      scenario:
        "One page is mapped. One vCPU unmaps it while another faults on its neighbour in the same "
        + "table and a third looks it up.",
      omission: omission, origin: origin,
      expectation: violates.isEmpty ? .holds : .violates(violates),
      // A lookup comes before the unmapping, after it, and while the table is installed again.
      mustHappen: ["mapped", "notMapped", "retry"].map { ExpectedOutcome("look up 0x0", $0) },
      vocabulary: vocabulary(omitting)
    ) { _ in
      scenario(omitting)
    }
  }

  private static func scenario(_ omitting: Omission?) -> Scenario {
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
      return (scenario, operations.map { Vocabulary.Word($0) })
    }
  }

  private static func start() -> (Scenario, Stage2Table, ReadWriteLock) {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let lock = scenario.readWriteLock("mmu_lock")
    let table = Stage2Table(scenario, protection: .none)
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
  ) throws(Abandoned) -> Stage2Result {
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
  ) throws(Abandoned) -> Stage2Result {
    let parent = table.root[table.geometry.index(of: address, at: 0)]
    guard let leaf = cpu.table(at: Descriptor(bits: try cpu.load(parent, .acquire))) else {
      return .already
    }
    let slot = leaf[table.geometry.index(of: address, at: 1)]
    guard Descriptor(bits: try cpu.load(slot, .relaxed)).isValid else { return .already }
    try cpu.store(Descriptor.invalid.bits, to: slot, .relaxed)
    try cpu.putPage(leaf)
    guard try cpu.load(leaf.references, .relaxed) == 1 else { return .done }
    if omitting == .unlinkBeforeFree { try cpu.putPage(leaf) }
    try cpu.store(Descriptor.invalid.bits, to: parent, .release)
    try cpu.putPage(table.root)
    if omitting != .unlinkBeforeFree { try cpu.putPage(leaf) }
    return .done
  }
}
