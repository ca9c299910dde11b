// The reverse map of a shadow MMU, walked without its lock to write-protect what a guest writes to.

import Gracewalk

/// PATCH 09/12 of KVM/x86's lockless write protection, and what was proposed beyond it.
public enum ReverseMap {
  public static let system = ModelSystem("reverse-map", "The reverse map of a shadow MMU", models)

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

  struct Choice: Sendable {
    let change: Change
    let omission: Omission?
    let mapsAtStart: Bool

    init(_ change: Change, omitting omission: Omission? = nil, mapsAtStart: Bool = true) {
      self.change = change
      self.omission = omission
      self.mapsAtStart = mapsAtStart
    }
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

  private static let variants: [Variant<Choice>] = [
    .holds(
      "reverse-map-remap", "a walk that ends in another chain than it began in starts again",
      Choice(.remap)),
    .broken(
      "reverse-map-without-end-marker", "a walk that ends is over, wherever it ended",
      Choice(.remap, omitting: .endMarker),
      omits: "comparing the end of the chain with the one begun in",
      violates: [NoGuestWriteWithoutDirtyRecord.id]),
    .broken(
      "reverse-map-dirty-first", "a page is marked dirty before its entry is made writable",
      Choice(.remap, omitting: .dirtyLast, mapsAtStart: false),
      omits: "marking the page dirty last", violates: [NoGuestWriteWithoutDirtyRecord.id]),
    .holds(
      "reverse-map-fault", "the page is not mapped yet: entry first, chain next, dirty mark last",
      Choice(.remap, mapsAtStart: false)),
    .broken(
      "reverse-map-without-flush", "the page is copied while a guest's write may be under way",
      Choice(.remap, omitting: .flush), omits: "flushing TLBs before the page is copied",
      violates: [NoGuestWriteWithoutDirtyRecord.id]),
    .broken(
      "reverse-map-without-removal", "an entry is cleared and stays in its chain",
      Choice(.remap, omitting: .removal), omits: "taking a cleared entry out of the chain",
      violates: [ReverseMapAgrees.id]),
    .holds(
      "reverse-map-shadow-page-reuse",
      "a shadow page comes back as a directory; entries tell their level",
      Choice(.reuseShadowPage, mapsAtStart: false)),
    .broken(
      "reverse-map-without-level", "entries of all levels look alike",
      Choice(.reuseShadowPage, omitting: .level, mapsAtStart: false),
      omits: "the level in the entry", violates: [DirectoriesStayWritable.id]),
    .holds(
      "reverse-map-shrink", "descriptors leave their slab after a grace period", Choice(.shrink)),
    .broken(
      "reverse-map-shrink-at-once", "descriptors leave their slab at once",
      Choice(.shrink, omitting: .gracePeriod),
      omits: "the grace period before memory leaves the slab",
      violates: [NoUseAfterFree.id, GracePeriodSafety.id]),
    .broken(
      "reverse-map-outside-section", "the walker enters no read-side section",
      Choice(.shrink, omitting: .section), omits: "the walker's read-side section",
      violates: [NoUseAfterFree.id]),
  ]

  public static let models = Model.family(
    variants, scenario: text, origin: origin, mustHappen: races, openQuestion: openQuestion,
    build: scenario)

  private static func text(_ choice: Choice) -> String {
    let changes =
      switch choice.change {
      case .remap: "unmaps the first and maps another frame there"
      case .reuseShadowPage: "frees the shadow page and uses it again one level up"
      case .shrink: "unmaps the first and takes free descriptors out of their slab"
      }
    return "A frame of the guest can be mapped by two entries of a shadow page"
      + (choice.mapsAtStart ? ", and is" : "; the first does, the second does not yet")
      + ". A vCPU writes through the second, the zapper \(changes), and the harvester reads and "
      + "clears the frame's dirty mark, write-protects it without the lock, and copies it."
  }

  /// What is under way when the frame is write-protected changes how that goes.
  private static func races(_ choice: Choice) -> [ExpectedOutcome] {
    var races = [ExpectedOutcome("write 0x1", "true"), ExpectedOutcome("harvest", "copied")]
    // What was not mapped at the start may be protected between the fault and the next try.
    if !choice.mapsAtStart { races.append(ExpectedOutcome("write 0x1", "false")) }
    switch choice.change {
    case .remap: races.append(ExpectedOutcome("harvest", "copiedAfterAnotherWalk"))
    case .reuseShadowPage: races.append(ExpectedOutcome("harvest", "copiedPastDirectory"))
    case .shrink: break
    }
    return races
  }

  @Sendable private static func scenario(_: ParameterValues, _ choice: Choice) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2), format: .x86)
    let mmu = ShadowMMU(scenario, choice.omission)
    scenario.boot { cpu in
      try mmu.setUp(cpu)
      // What is mapped last comes first in the chain.
      if choice.mapsAtStart { try mmu.map(cpu, entry: 1, frame: 0) }
      try mmu.map(cpu, entry: 0, frame: 0)
    }
    scenario.cpu("vcpu", runs: "write 0x1") { cpu in try mmu.write(cpu, entry: 1, frame: 0) }
    scenario.cpu("zapper", runs: "\(choice.change)") { cpu in
      switch choice.change {
      case .remap: try mmu.remap(cpu, entry: 0, to: 1)
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
}
