// Faults handled without a lock: access flag and permission, while the host unmaps.

import Gracewalk

/// The fast path of a fault, and the mistakes after which the guest faults forever.
public enum FastFaults {
  public static let system = ModelSystem("fast-faults", "Faults without the MMU lock", models)

  public static let models =
    family(permissionFaults, Descriptor.page(0).readOnly, "read-only")
    + family(accessFaults, Descriptor.page(0).withoutAccessFlag, "without its access flag")

  private static let permissionFaults: [Variant<NoChoice>] = [
    .holds(
      "fast-permission-fault",
      "the entry is made writable by compare-exchange; whoever faulted flushes it on their own "
        + "CPU"),
    .broken(
      "fast-permission-fault-without-tlbi",
      "the entry is made writable, and the guest tries again at once",
      omits: "the TLBI after the permission was relaxed", violates: [ProgressOfCPUs.id]),
    .broken(
      "fast-permission-fault-late-without-tlbi",
      "who finds the entry writable already returns to the guest at once",
      omits: "the TLBI of who finds the entry as it should be", violates: [ProgressOfCPUs.id]),
  ]

  private static let accessFaults: [Variant<NoChoice>] = [
    .holds(
      "fast-access-fault",
      "the access flag is set by compare-exchange; no TLBI, as such faults are never cached",
      instancesUnder: [.armv8: [["turns": 2]]]),
    .broken(
      "fast-access-fault-without-compare-exchange",
      "the entry is written back with the access flag set",
      omits: "the compare-exchange that sets the flag",
      violates: [NoStaleUseAfterDSB.id, DonatedPageUnreachable.id]),
    .broken(
      "fast-access-fault-without-rcu", "the handler walks the table outside of any section",
      omits: "the read-side section of the handler", violates: [NoUseAfterFree.id]),
  ]

  private static func family(
    _ variants: [Variant<NoChoice>], _ leaf: Descriptor, _ state: String
  ) -> [Model] {
    Model.family(
      variants,
      scenario:
        "One page is mapped, \(state). Two vCPUs write to it, each again and again until the write "
        + "is done or the page is gone. The host may unmap it and give it back, and then free its "
        + "table after a grace period.",
      origin: Origin(
        author: "Ricardo Koller", list: "linux-arm-kernel", date: "2022-11-15",
        subject: "Re: [PATCH v5 08/14] KVM: arm64: Protect stage-2 traversal with RCU",
        question:
          "Can access-flag and write-protection faults be handled without the MMU lock, and what "
          + "does the TLB entry that caused a permission fault need?",
        about: [.noSection, .plainStore, .noTLBI]),
      parameters: [.turns],
      // A write is done, and comes too late; how often it faulted before that is forgotten.
      mustHappen: ExpectedOutcome.each("write 0x0", "frame 0x0", "translation fault")
    ) { values in
      let scenario = Scenario()
      let turns = values["turns"]
      scenario.mayRepeat = turns == 0
      let page = GuestPage(scenario, leaf)
      let root = page.root
      let write = CPUOperation("write 0x0") { cpu in try access(cpu, root, turns) }
      scenario.cpu("vcpu 0", mmu: MMU(root), write)
      scenario.cpu("vcpu 1", mmu: MMU(root), write)
      scenario.cpu("host", usesCallbacks: true, runs: "unmap 0x0 or not") { cpu in
        if try cpu.choose(2) == 1 { try unmap(cpu, root, page.frames[0]) }
      }
      scenario.require(GracePeriodSafety())
      return scenario
    }
  }

  /// Writes until it succeeds; gives up if the page is unmapped.
  private static func access(
    _ cpu: VirtualCPU, _ root: TablePage, _ turns: Int
  ) throws -> GuestAccess {
    try cpu.tryAgain(turns, else: .accessFlagFault) { () throws -> GuestAccess? in
      let result = try cpu.guestWrite(0)
      guard result == .permissionFault || result == .accessFlagFault else { return result }
      try cpu.scope("handle \(result.text ?? "")") { try handle(cpu, root, result) }
      return nil
    }
  }

  /// The fast path: it takes no lock and never waits.
  private static func handle(
    _ cpu: VirtualCPU, _ root: TablePage, _ fault: GuestAccess
  ) throws {
    let isInSection = !cpu.omits("the read-side section of the handler")
    if isInSection { try cpu.rcuReadLock() }
    let isRepaired = try repair(cpu, root, fault, isInSection)
    if isInSection { try cpu.rcuReadUnlock() }
    if fault == .accessFlagFault || cpu.omits("the TLBI after the permission was relaxed") {
      return
    }
    if !isRepaired, cpu.omits("the TLBI of who finds the entry as it should be") { return }
    try cpu.flushTLB(.address(0).level(1).local, of: root)
  }

  /// Gives the leaf what the access needs; false if it had that already, or is gone.
  private static func repair(
    _ cpu: VirtualCPU, _ root: TablePage, _ fault: GuestAccess, _ isInSection: Bool
  ) throws -> Bool {
    let top = root.entry(0)
    let entry = try isInSection ? cpu.rcuDereference(top) : cpu.load(top, .acquire)
    guard let slot = cpu.table(at: entry)?.entry(0) else { return false }
    let old = try cpu.load(slot, .relaxed)
    let new = fault == .permissionFault ? old.writable : old.withAccessFlag
    guard old.isLeaf, new != old else { return false }
    if cpu.omits("the compare-exchange that sets the flag") {
      try cpu.store(slot, new, .relaxed)
    } else {
      _ = try cpu.tryCompareExchange(slot, old, new, .relaxed)
    }
    return true
  }

  private static func unmap(_ cpu: VirtualCPU, _ root: TablePage, _ frame: DataFrame) throws {
    guard let table = cpu.table(at: try cpu.load(root.entry(0), .relaxed)) else { return }
    _ = try cpu.exchange(table.entry(0), .invalid, .relaxed)
    try cpu.putPage(table)
    try cpu.flushTLB(.address(0).level(1), of: root)
    try cpu.expectUntranslated(root, 0)
    try cpu.handOver(frame, to: .nobody)
    try cpu.store(root.entry(0), .invalid, .relaxed)
    try cpu.putPage(root)
    try cpu.flushTLB(.address(0), of: root)
    try cpu.callRCU { cpu in try cpu.putPage(table) }
  }
}
