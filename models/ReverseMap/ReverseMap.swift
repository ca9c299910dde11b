// The reverse map of a shadow MMU, walked without its lock to write-protect a guest's pages.

import Gracewalk

/// PATCH 09/12 of KVM/x86's lockless write protection, and the proposals beyond it.
public enum ReverseMap {
  public static let system = ModelSystem("reverse-map", "The reverse map of a shadow MMU", models)

  /// The change made by the CPU that holds the lock, during the walk.
  enum Change {
    case remap
    /// The same, and the entry that the guest writes through is not mapped yet.
    case remapDuringFault
    /// There, too, it is not mapped yet.
    case reuseShadowPage
    case shrink

    var mapsAtStart: Bool { self == .remap || self == .shrink }
  }

  private static let lost = [NoGuestWriteWithoutDirtyRecord.id]

  private static let variants: [Variant<Change>] = [
    .holds(
      "reverse-map-remap", "a walk that ends in another chain than it began in starts again",
      .remap),
    .broken(
      "reverse-map-without-end-marker", "a walk that ends is over, wherever it ended", .remap,
      omits: "comparing the end of the chain with the one begun in", violates: lost),
    .broken(
      "reverse-map-dirty-first", "a page is marked dirty before its entry is made writable",
      .remapDuringFault, omits: "marking the page dirty last", violates: lost),
    .holds(
      "reverse-map-fault", "the page is not mapped yet: entry first, chain next, dirty mark last",
      .remapDuringFault),
    .broken(
      "reverse-map-without-flush", "the page is copied while a guest's write may be under way",
      .remap, omits: "flushing TLBs before the page is copied", violates: lost),
    .broken(
      "reverse-map-without-removal", "an entry is cleared and stays in its chain", .remap,
      omits: "taking a cleared entry out of the chain", violates: [ReverseMapAgrees.id]),
    .holds(
      "reverse-map-shadow-page-reuse",
      "a shadow page comes back as a directory; entries tell their level", .reuseShadowPage),
    .broken(
      "reverse-map-without-level", "entries of all levels look alike", .reuseShadowPage,
      omits: "the level in the entry", violates: [DirectoriesStayWritable.id]),
    .holds("reverse-map-shrink", "descriptors leave their slab after a grace period", .shrink),
    .broken(
      "reverse-map-shrink-at-once", "descriptors leave their slab at once", .shrink,
      omits: "the grace period before memory leaves the slab",
      violates: [NoUseAfterFree.id, GracePeriodSafety.id]),
    .broken(
      "reverse-map-outside-section", "the walker enters no read-side section", .shrink,
      omits: "the walker's read-side section", violates: [NoUseAfterFree.id]),
  ]

  public static let models = Model.family(
    variants, scenario: text,
    origin: Origin(
      author: "Xiao Guangrong", list: "linux-kernel", date: "2013-08-29",
      subject: "Re: [PATCH 09/12] KVM: MMU: introduce pte-list lockless walker",
      question:
        "The walk of a reverse map takes no lock, and descriptors come back at once. Is it enough "
        + "that a page is marked dirty last, and could shadow pages come from such a cache, too?",
      about: [.noSection, .noSynchronize, .noWait]),
    mustHappen: races,
    openQuestion:
      "whether publishing a descriptor needs rcu_assign_pointer() and following it "
      + "rcu_dereference(), and whether the smp_wmb() between the new entry and its dirty mark is "
      + "what keeps them in order"
  ) { _, change in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2), format: .x86)
    let mmu = ShadowMMU(scenario)
    scenario.boot { cpu in
      try mmu.setUp(cpu)
      // The entry mapped last is first in the chain.
      if change.mapsAtStart { try mmu.map(cpu, entry: 1, frame: 0) }
      try mmu.map(cpu, entry: 0, frame: 0)
    }
    scenario.cpu("vcpu", runs: "write 0x1") { cpu in try mmu.write(cpu, entry: 1, frame: 0) }
    scenario.cpu("zapper", runs: change == .remapDuringFault ? "remap" : "\(change)") { cpu in
      switch change {
      case .remap, .remapDuringFault: try mmu.remap(cpu, entry: 0, to: 1)
      case .reuseShadowPage: try mmu.reuseShadowPage(cpu)
      case .shrink: try mmu.unmapAndShrink(cpu, entry: 0)
      }
    }
    scenario.cpu("harvester", runs: "harvest") { cpu in try mmu.harvest(cpu, frame: 0) }
    scenario.require([
      NoGuestWriteWithoutDirtyRecord(frames: mmu.frames), ReverseMapAgrees(chains: mmu.chains),
      DirectoriesStayWritable(), NoUseAfterFree(), NoDoubleFree(), NoLeakedTablePage(),
      NoTableLinkedTwice(), LocksHeldByReleaser(), GracePeriodSafety(),
    ])
    return scenario
  }

  private static func text(_ change: Change) -> String {
    let changes =
      switch change {
      case .remap, .remapDuringFault: "unmaps the first and maps another frame there"
      case .reuseShadowPage: "frees the shadow page and uses it again one level up"
      case .shrink: "unmaps the first and takes free descriptors out of their slab"
      }
    return "A frame of the guest can be mapped by two entries of a shadow page"
      + (change.mapsAtStart ? ", and is" : "; the first does, the second does not yet")
      + ". A vCPU writes through the second, the zapper \(changes), and the harvester reads and "
      + "clears the frame's dirty mark, write-protects it without the lock, and copies it."
  }

  /// Outcomes of write-protecting the frame during each change.
  private static func races(_ change: Change) -> [ExpectedOutcome] {
    var harvests = ["copied"]
    if change == .remap || change == .remapDuringFault { harvests.append("copiedAfterAnotherWalk") }
    if change == .reuseShadowPage { harvests.append("copiedPastDirectory") }
    // A frame not mapped at the start may be protected between the fault and the retry.
    return ExpectedOutcome.each("write 0x1", "true")
      + (change.mapsAtStart ? [] : ExpectedOutcome.each("write 0x1", "false"))
      + harvests.map { ExpectedOutcome("harvest", $0) }
  }
}
