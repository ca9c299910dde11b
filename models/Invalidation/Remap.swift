// A page is replaced under a running guest: why an entry must be broken first.

import Gracewalk

/// Page migration: the address stays, and its frame changes.
public enum Remap {
  public static let system = ModelSystem("remap", "Break-before-make", models)

  private static let fails = [BreakBeforeMake.id, NoConflictingTLBEntries.id]

  public static let models = Model.family(
    [
      .holds("remap-page", "invalidate, DSB, TLBI, DSB, and then the new entry"),
      .broken(
        "remap-without-break", "the new entry is written over the old one, then flushed",
        omits: "the invalid entry in between", violates: fails),
      .broken(
        "remap-make-before-tlbi", "the entry is broken, but made again before the flush",
        omits: "the flush between breaking and making", violates: fails),
      .broken(
        "remap-to-block", "the new entry is written as a block, which the last level has none of",
        omits: "the bit that tells a page from a block", violates: [EntriesAreWellFormed.id]),
    ],
    scenario:
      "One page is mapped, with the access flag set. A vCPU reads it while its MMU may also walk "
      + "twice speculatively, a second one writes to it, and the host moves the page to another "
      + "frame and gives the old one back.",
    origin: Invalidation.origin,
    // Each guest runs before the page is moved, after that, and while its entry is broken.
    mustHappen: ["read 0x0", "write 0x0"].flatMap {
      ExpectedOutcome.each($0, "frame 0x0", "frame 0x1", "translation fault")
    }
  ) { _ in
    let scenario = Scenario()
    let page = GuestPage(scenario)
    page.addGuests(scenario, walks: 2)
    scenario.cpu("host", runs: "migrate 0x0") { cpu in
      let slot = try page.table(cpu).entry(0)
      let overwrites = cpu.omits("the invalid entry in between")
      let makesFirst = overwrites || cpu.omits("the flush between breaking and making")
      let isBlock = cpu.omits("the bit that tells a page from a block")
      if !overwrites { try cpu.store(slot, .locked, .relaxed) }
      if !makesFirst { try cpu.flushTLB(.address(0).level(1), of: page.root) }
      try cpu.store(slot, isBlock ? .block(1) : .page(1), .release)
      if makesFirst { try cpu.flushTLB(.address(0).level(1), of: page.root) }
      try cpu.expectCurrent(page.root, 0)
      try cpu.handOver(page.frames[0], to: .nobody)
    }
    return scenario
  }
}
