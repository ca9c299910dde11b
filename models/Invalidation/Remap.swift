// A page is replaced by another one under a running guest: why an entry must be broken first.

import Gracewalk

/// Page migration: the address stays, the frame behind it changes.
public enum Remap {
  public static let system = ModelSystem("remap", "Break-before-make", models)

  /// What a broken sibling leaves out.
  enum Omission {
    case breaking, flushBeforeMaking, pageBit
  }

  private static let variants: [Variant<Omission?>] = [
    .holds("remap-page", "invalidate, DSB, TLBI, DSB, and then the new entry"),
    .broken(
      "remap-without-break", "the new entry is written over the old one, then flushed", .breaking,
      omits: "the invalid entry in between",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    .broken(
      "remap-make-before-tlbi", "the entry is broken, but made again before the flush",
      .flushBeforeMaking, omits: "the flush between breaking and making",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    .broken(
      "remap-to-block", "the new entry is written as a block, which the last level has none of",
      .pageBit, omits: "the bit that tells a page from a block",
      violates: [EntriesAreWellFormed.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "One page is mapped, with the access flag set. A vCPU reads it while its MMU may also walk "
      + "twice speculatively, a second one writes to it, and the host moves the page to another "
      + "frame and gives the old one back.",
    origin: Invalidation.origin, mustHappen: races
  ) { _, omitting in
    let scenario = Scenario()
    let (root, frames) = (scenario.rootTable(), scenario.dataFrames(2))
    Invalidation.addGuests(scenario, root, walks: 2)
    scenario.cpu("host", runs: "migrate 0x0") { cpu in
      try move(cpu, root, omitting)
      try cpu.expectCurrent(root, 0)
      try cpu.handOver(frames[0], to: .nobody)
    }
    Invalidation.require(scenario)
    return scenario
  }

  /// Each guest comes before the page is moved, after that, and while its entry is broken.
  private static let races = ["read 0x0", "write 0x0"].flatMap { access in
    ["frame 0x0", "frame 0x1", "translation fault"].map { ExpectedOutcome(access, $0) }
  }

  private static func move(_ cpu: VirtualCPU, _ root: TablePage, _ omitting: Omission?) throws {
    guard let table = cpu.table(at: try cpu.load(root.entry(0), .acquire)) else { return }
    if omitting != .breaking {
      try cpu.store(table.entry(0), .locked, .relaxed)
      if omitting != .flushBeforeMaking { try flush(cpu, root) }
    }
    let new = omitting == .pageBit ? Descriptor.block(1) : .page(1)
    try cpu.store(table.entry(0), new, .release)
    if omitting == .breaking || omitting == .flushBeforeMaking { try flush(cpu, root) }
  }

  private static func flush(_ cpu: VirtualCPU, _ root: TablePage) throws {
    try cpu.dsb()
    try cpu.tlbi(.address(0).level(1), of: root)
    try cpu.dsb()
  }
}
