// Faults handled without any lock: access flag and permission, against an unmapping host.

import Gracewalk

/// What the fast path of a fault must do, and when the guest would fault forever.
public enum FastFaults {
  public static let system = ModelSystem("fast-faults", "Faults without the MMU lock", models)

  /// The step that a broken sibling leaves out.
  enum Omission {
    case flush, flushWhenLate, compareExchange, section
  }

  enum Fault {
    case permission, accessFlag
  }

  static let origin = Origin(
    author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
    subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
    question:
      "Can access-flag and write-protection faults be handled without the MMU lock, and what does "
      + "the TLB entry that caused a permission fault need?",
    about: [.noSection, .plainStore, .noTLBI])

  public static let models =
    family(permissionFaults, .permission) + family(accessFaults, .accessFlag)

  private static let permissionFaults: [Variant<Omission?>] = [
    .holds(
      "fast-permission-fault",
      "the entry is made writable by compare-exchange; whoever faulted flushes it on their own "
        + "CPU"),
    .broken(
      "fast-permission-fault-without-tlbi",
      "the entry is made writable, and the guest tries again at once", .flush,
      omits: "the TLBI after the permission was relaxed", violates: [ProgressOfCPUs.id]),
    .broken(
      "fast-permission-fault-late-without-tlbi",
      "who finds the entry writable already returns to the guest at once", .flushWhenLate,
      omits: "the TLBI of who finds the entry as it should be", violates: [ProgressOfCPUs.id]),
  ]

  private static let accessFaults: [Variant<Omission?>] = [
    .holds(
      "fast-access-fault",
      "the access flag is set by compare-exchange; no TLBI, as such faults are never cached"),
    .broken(
      "fast-access-fault-without-compare-exchange",
      "the entry is written back with the access flag set", .compareExchange,
      omits: "the compare-exchange that sets the flag",
      violates: [NoStaleUseAfterDSB.id, DonatedPageUnreachable.id]),
    .broken(
      "fast-access-fault-without-rcu", "the handler walks the table outside of any section",
      .section, omits: "the read-side section of the handler", violates: [NoUseAfterFree.id]),
  ]

  private static func family(_ variants: [Variant<Omission?>], _ fault: Fault) -> [Model] {
    Model.family(
      variants,
      scenario:
        "One page is mapped, "
        + (fault == .permission ? "read-only. Two" : "without its access flag. Two")
        + " vCPUs write to it, each again and again until the write is done or the page is gone. "
        + "The host may unmap it and give it back, and then free its table after a grace period.",
      origin: origin, mustHappen: races
    ) { _, omitting in
      let scenario = Scenario()
      scenario.mayRepeat = true
      let (root, frames) = (scenario.rootTable(), scenario.dataFrames(2))
      let leaf = Descriptor.page(0)
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        let mapped = fault == .permission ? leaf.readOnly : leaf.withoutAccessFlag
        try cpu.store(table.entry(0), mapped, .relaxed)
        try cpu.getPage(table)
        try cpu.store(root.entry(0), .table(table), .release)
        try cpu.getPage(root)
      }
      let write = CPUOperation("write 0x0") { cpu in try access(cpu, root, omitting) }
      scenario.cpu("vcpu 0", mmu: MMU(root), write)
      scenario.cpu("vcpu 1", mmu: MMU(root), write)
      scenario.cpu("host", usesCallbacks: true, runs: "unmap 0x0 or not") { cpu in
        if try cpu.choose(2) == 1 { try unmap(cpu, root, frames[0]) }
      }
      scenario.require(InvariantCatalogue.tables)
      scenario.require(InvariantCatalogue.hardware)
      scenario.require([GracePeriodSafety(), DonatedPageUnreachable()])
      return scenario
    }
  }

  /// A write is done, and comes too late; how often it faulted before that, nobody remembers.
  private static let races = ["frame 0x0", "translation fault"].map {
    ExpectedOutcome("write 0x0", $0)
  }

  // MARK: The guest

  /// Writes until it is done; gives up where the page is gone.
  private static func access(
    _ cpu: VirtualCPU, _ root: TablePage, _ omitting: Omission?
  ) throws -> GuestAccess {
    try cpu.repeatUntilDone { () -> GuestAccess? in
      let result = try cpu.guestWrite(0)
      switch result {
      case .done, .translationFault: return result
      case .permissionFault, .accessFlagFault:
        try cpu.scope("handle \(result.text ?? "")") {
          try handle(cpu, root, result, omitting)
        }
        return nil
      }
    }
  }

  /// The fast path: nothing is locked, and nobody waits.
  private static func handle(
    _ cpu: VirtualCPU, _ root: TablePage, _ fault: GuestAccess, _ omitting: Omission?
  ) throws {
    if omitting != .section { try cpu.rcuReadLock() }
    let isLate = try repair(cpu, root, fault, omitting)
    if omitting != .section { try cpu.rcuReadUnlock() }
    guard fault == .permissionFault, omitting != .flush,
      !(isLate && omitting == .flushWhenLate)
    else { return }
    try cpu.dsb()
    try cpu.tlbi(.address(0).level(1).local, of: root)
    try cpu.dsb()
  }

  /// Gives the leaf what the access needs; true if it had that already, or is gone.
  private static func repair(
    _ cpu: VirtualCPU, _ root: TablePage, _ fault: GuestAccess, _ omitting: Omission?
  ) throws -> Bool {
    let top = root.entry(0)
    let entry =
      omitting == .section ? try cpu.load(top, .acquire) : try cpu.rcuDereference(top)
    guard let table = cpu.table(at: entry) else { return true }
    let old = try cpu.load(table.entry(0), .relaxed)
    guard old.isLeaf else { return true }
    let new = fault == .permissionFault ? old.writable : old.withAccessFlag
    if new == old { return true }
    if omitting == .compareExchange {
      try cpu.store(table.entry(0), new, .relaxed)
    } else {
      _ = try cpu.compareExchange(
        table.entry(0), expected: old, desired: new, .relaxed)
    }
    return false
  }

  // MARK: The host

  private static func unmap(_ cpu: VirtualCPU, _ root: TablePage, _ frame: DataFrame) throws {
    guard let table = cpu.table(at: try cpu.load(root.entry(0), .relaxed)) else { return }
    _ = try cpu.exchange(table.entry(0), .invalid, .relaxed)
    try cpu.putPage(table)
    try cpu.dsb()
    try cpu.tlbi(.address(0).level(1), of: root)
    try cpu.dsb()
    try cpu.expectUntranslated(root, 0)
    try cpu.handOver(frame, to: .nobody)
    try cpu.store(root.entry(0), .invalid, .relaxed)
    try cpu.putPage(root)
    try cpu.dsb()
    try cpu.tlbi(.address(0), of: root)
    try cpu.dsb()
    try cpu.callRCU { cpu in try cpu.putPage(table) }
  }
}
