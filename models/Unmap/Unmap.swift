// Unmapping under KVM's mmu_lock: faults share it, and code that frees tables takes it exclusively.

import Gracewalk

/// A reader–writer lock as the only protection of a table: no RCU, tables freed at once.
public enum Unmap {
  public static let system = ModelSystem("unmap", "Unmapping under a reader-writer lock", models)

  public static let models = Model.family(
    [
      .holds(
        "unmap-under-write-lock",
        "faults hold the lock for reading; unmap holds it for writing and frees empty tables"),
      .broken(
        "unmap-under-read-lock", "unmap, too, holds the lock for reading only",
        omits: "taking the lock for writing", violates: [NoUseAfterFree.id]),
      .broken(
        "unmap-frees-before-unlink",
        "an empty table is freed before the entry that leads to it is cleared",
        omits: "clearing the entry before freeing the table", violates: [NoFreedPageReachable.id]),
      .broken(
        "unmap-releases-as-reader", "the write lock is released with the call for readers",
        omits: "releasing the lock in the mode it was taken", violates: [LocksHeldByReleaser.id]),
    ],
    scenario:
      "One page is mapped. One vCPU unmaps it while another faults on its neighbour in the same "
      + "table and a third looks it up.",
    origin: Origin(
      author: "Oliver Upton, answering Quentin Perret", list: "linux-arm-kernel",
      date: "2022-04-22",
      subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "A hypervisor cannot use RCU. If it never collapses tables into blocks, is a reader-writer "
        + "lock enough, with unmap on the write side and everything else on the read side?",
      about: [.noReadLock, .noWriteLock, .readLockOnly]),
    // A lookup runs before the unmapping, after it, and while the table is installed again.
    mustHappen: ExpectedOutcome.each("look up 0x0", "mapped", "notMapped", "retry")
  ) { _ in
    let scenario = Scenario()
    let table = LockedTable(scenario)
    scenario.cpu("unmapper", table.operation(.unmap, 0))
    scenario.cpu("vcpu 1", table.operation(.map, 1))
    scenario.cpu("vcpu 2", table.operation(.lookUp, 0))
    scenario.vocabulary(
      "Page 0x0 is mapped; its neighbour in the same table is not.",
      [MapCall.map, .unmap, .lookUp].flatMap { [table.operation($0, 0), table.operation($0, 1)] })
    return scenario
  }
}

/// A table in which page 0 is mapped, and its lock.
private struct LockedTable: Sendable {
  private let table: Stage2Table
  private let lock: ReadWriteLock

  init(_ scenario: Scenario) {
    lock = scenario.readWriteLock("mmu_lock")
    let table = Stage2Table(scenario, .unprotected)
    self.table = table
    scenario.boot { cpu in _ = try table.map(cpu, 0) }
    scenario.require(InvariantCatalogue.tables + [NoFreedPageReachable()])
    scenario.require(OperationsLinearise(toMap: scenario.geometry, mapped: [0]))
  }

  func operation(_ call: MapCall, _ address: Int) -> CPUOperation {
    CPUOperation(call, address) { cpu in
      let isShared = call != .unmap || cpu.omits("taking the lock for writing")
      try isShared ? cpu.readLock(lock) : cpu.writeLock(lock)
      let result =
        switch call {
        case .map: try table.map(cpu, address)
        case .unmap: try unmap(cpu, address)
        default: try table.lookUp(cpu, address)
        }
      if isShared || cpu.omits("releasing the lock in the mode it was taken") {
        try cpu.readUnlock(lock)
      } else {
        try cpu.writeUnlock(lock)
      }
      return result
    }
  }

  /// Clears the page's entry and, if its table is then empty, the entry that leads there.
  private func unmap(_ cpu: VirtualCPU, _ address: Int) throws -> Stage2Result {
    let parent = table.root.entry(of: address, at: 0)
    guard let leaf = cpu.table(at: try cpu.load(parent, .acquire)) else { return .already }
    let slot = leaf.entry(of: address, at: 1)
    guard try cpu.load(slot, .relaxed).isValid else { return .already }
    try cpu.store(slot, .invalid, .relaxed)
    try cpu.putPage(leaf)
    guard try cpu.load(leaf.references, .relaxed) == 1 else { return .done }
    let freesFirst = cpu.omits("clearing the entry before freeing the table")
    if freesFirst { try cpu.putPage(leaf) }
    try cpu.store(parent, .invalid, .release)
    try cpu.putPage(table.root)
    if !freesFirst { try cpu.putPage(leaf) }
    return .done
  }
}
