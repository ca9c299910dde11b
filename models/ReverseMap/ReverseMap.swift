// The reverse map of a shadow MMU, walked without its lock to write-protect what a guest writes to.

import Gracewalk

/// PATCH 09/12 of KVM/x86's lockless write protection, and what was proposed beyond it.
public enum ReverseMap {
  /// The step a broken sibling leaves out.
  enum Omission {
    case endMarker, level, dirtyLast, flush, removal, gracePeriod, section
  }

  /// What the CPU that holds the lock does while the walker is under way.
  enum Change {
    /// Unmaps one frame and maps another: the descriptor comes back in another chain.
    case remap
    /// Frees a shadow page and uses it again as a directory.
    case reuseShadowPage
    /// Unmaps, waits for a grace period, and gives memory back.
    case shrink
  }

  static let origin = Origin(
    author: "Xiao Guangrong", list: "linux-kernel", date: "2013-08-29",
    subject: "Re: [PATCH 09/12] KVM: MMU: introduce pte-list lockless walker",
    question:
      "The walk of a reverse map takes no lock, and descriptors come back at once. Is it enough "
      + "that a page is marked dirty last, and could shadow pages come from such a cache, too?",
    about: [.noSection, .noSynchronize, .noWait])

  static let openQuestion =
    "whether publishing a descriptor needs rcu_assign_pointer() and following it "
    + "rcu_dereference(), and whether the smp_wmb() between the new entry and its dirty mark is "
    + "what keeps them in order"

  public static let models: [Model] = [
    model(
      "reverse-map-remap",
      "a walk that ends in another chain than it began in starts again", .remap),
    model(
      "reverse-map-without-end-marker", "a walk that ends is over, wherever it ended", .remap,
      .endMarker, omission: "comparing the end of the chain with the one begun in",
      violates: [NoGuestWriteWithoutDirtyRecord.id]),
    model(
      "reverse-map-dirty-first", "a page is marked dirty before its entry is made writable",
      .remap, .dirtyLast, mapsAtStart: false, omission: "marking the page dirty last",
      violates: [NoGuestWriteWithoutDirtyRecord.id]),
    model(
      "reverse-map-fault", "the page is not mapped yet: entry first, chain next, dirty mark last",
      .remap, mapsAtStart: false),
    model(
      "reverse-map-without-flush", "the page is copied while a guest's write may be under way",
      .remap, .flush, omission: "flushing TLBs before the page is copied",
      violates: [NoGuestWriteWithoutDirtyRecord.id]),
    model(
      "reverse-map-without-removal", "an entry is cleared and stays in its chain", .remap,
      .removal, omission: "taking a cleared entry out of the chain",
      violates: [ReverseMapAgrees.id]),
    model(
      "reverse-map-shadow-page-reuse",
      "a shadow page comes back as a directory; entries tell their level", .reuseShadowPage,
      mapsAtStart: false),
    model(
      "reverse-map-without-level", "entries of all levels look alike", .reuseShadowPage, .level,
      mapsAtStart: false, omission: "the level in the entry",
      violates: [DirectoriesStayWritable.id]),
    model(
      "reverse-map-shrink", "descriptors leave their slab after a grace period", .shrink),
    model(
      "reverse-map-shrink-at-once", "descriptors leave their slab at once", .shrink, .gracePeriod,
      omission: "the grace period before memory leaves the slab",
      violates: [NoUseAfterFree.id, GracePeriodSafety.id]),
    model(
      "reverse-map-outside-section", "the walker enters no read-side section", .shrink, .section,
      omission: "the walker's read-side section", violates: [NoUseAfterFree.id]),
  ]

  private static func model(
    _ name: String, _ summary: String, _ change: Change, _ omitting: Omission? = nil,
    mapsAtStart: Bool = true, omission: String? = nil, violates: [String] = []
  ) -> Model {
    let changes =
      switch change {
      case .remap: "unmaps the first and maps another frame there"
      case .reuseShadowPage: "frees the shadow page and uses it again one level up"
      case .shrink: "unmaps the first and takes free descriptors out of their slab"
      }
    return Model(
      name: name, summary: summary,
      scenario:
        "A frame of the guest can be mapped by two entries of a shadow page"
        + (mapsAtStart ? ", and is" : "; the first does, the second does not yet")
        + ". A vCPU writes through the second, the zapper \(changes), and the harvester reads and "
        + "clears the frame's dirty mark, write-protects it without the lock, and copies it.",
      omission: omission, origin: origin,
      expectation: violates.isEmpty ? .holds : .violates(violates),
      mustHappen: races(change, mapsAtStart: mapsAtStart), openQuestion: openQuestion
    ) { _ in
      scenario(change, omitting, mapsAtStart: mapsAtStart)
    }
  }

  /// What is under way when the frame is write-protected changes how that goes.
  private static func races(_ change: Change, mapsAtStart: Bool) -> [ExpectedOutcome] {
    var races = [ExpectedOutcome("write 0x1", "true"), ExpectedOutcome("harvest", "copied")]
    // What was not mapped at the start may be protected between the fault and the next try.
    if !mapsAtStart { races.append(ExpectedOutcome("write 0x1", "false")) }
    switch change {
    case .remap: races.append(ExpectedOutcome("harvest", "copiedAfterAnotherWalk"))
    case .reuseShadowPage: races.append(ExpectedOutcome("harvest", "copiedPastDirectory"))
    case .shrink: break
    }
    return races
  }

  private static func scenario(
    _ change: Change, _ omitting: Omission?, mapsAtStart: Bool
  ) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2), format: .x86)
    let mmu = ShadowMMU(scenario, omitting)
    scenario.boot { cpu in
      try mmu.setUp(cpu)
      // What is mapped last comes first in the chain.
      if mapsAtStart { try mmu.map(cpu, entry: 1, frame: 0) }
      try mmu.map(cpu, entry: 0, frame: 0)
    }
    scenario.cpu(
      "vcpu", CPUOperation("write 0x1") { cpu in try mmu.write(cpu, entry: 1, frame: 0) })
    scenario.cpu(
      "zapper",
      CPUOperation("\(change)") { cpu in
        switch change {
        case .remap: try mmu.remap(cpu, entry: 0, to: 1)
        case .reuseShadowPage: try mmu.reuseShadowPage(cpu)
        case .shrink: try mmu.unmapAndShrink(cpu, entry: 0)
        }
      })
    scenario.cpu("harvester", CPUOperation("harvest") { cpu in try mmu.harvest(cpu, frame: 0) })
    scenario.require([
      NoGuestWriteWithoutDirtyRecord(frames: mmu.frames), ReverseMapAgrees(chains: mmu.chains),
      DirectoriesStayWritable(), NoUseAfterFree(), NoDoubleFree(), NoLeakedTablePage(),
      NoTableLinkedTwice(), LocksHeldByReleaser(), GracePeriodSafety(),
    ])
    return scenario
  }
}
