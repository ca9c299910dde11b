// The dirty mark of a page and the entry that makes it writable: what keeps them in order?

import Gracewalk

/// `set_spte` of KVM/x86 (3.11): `smp_wmb()` between `mmu_spte_update` and `mark_page_dirty`.
enum DirtyMark {
  private static let isMarked = "A frame written since it was copied is marked dirty"
  private static let lost = ["a-frame-written-since-it-was-copied-is-marked-dirty"]

  private static let variants: [Variant<NoChoice>] = [
    .holds(
      "mark-dirty-after-entry", "a barrier comes between the entry and the dirty mark", nil,
      under: [.sequentialConsistency: .holds, .totalStoreOrder: .holds]),
    .broken(
      "mark-dirty-without-barrier", "the mark may be seen before the entry", nil,
      omits: "the barrier before the dirty mark", violates: lost,
      under: [.sequentialConsistency: .holds, .totalStoreOrder: .holds]),
  ]

  static let models = Model.family(
    variants,
    scenario: "A vCPU makes an entry writable and marks the frame dirty, and its guest writes if "
      + "the entry allows it. The harvester reads and clears the mark, write-protects the entry, "
      + "waits until no guest uses it, and copies the frame.",
    origin: Origin(
      author: "Xiao Guangrong", list: "linux-kernel", date: "2013-08-29",
      subject: "Re: [PATCH 09/12] KVM: MMU: introduce pte-list lockless walker",
      question:
        "Is the smp_wmb() between a new entry and its dirty mark what lets a walk without locks "
        + "pass by an entry that it does not see yet?",
      about: [.relaxed]),
    mustHappen: ExpectedOutcome.each("write", "true", "false")
      + ExpectedOutcome.each("harvest", "true", "false")
  ) { _ in
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    let page = Page(scenario)
    scenario.cpu("vcpu", runs: "write") { cpu in try page.write(cpu) }
    scenario.cpu("harvester", runs: "harvest") { cpu in try page.harvest(cpu) }
    scenario.atEnd(isMarked) { machine in
      machine.value(of: page.version) == machine.value(of: page.copied)
        || machine.value(of: page.dirty)
    }
    return scenario
  }

  /// A guest's page: its entry, its mark, and what stands for its contents.
  private struct Page: Sendable {
    let isWritable: Word<Bool>
    let dirty: Word<Bool>
    /// Set while the guest may use the entry: what a TLB flush waits for.
    let inGuest: Word<Bool>
    let version: Location
    let copied: Location

    init(_ scenario: Scenario) {
      isWritable = scenario.variable("writable", initial: false)
      dirty = scenario.variable("dirty", initial: false)
      inGuest = scenario.variable("in guest", initial: false)
      version = scenario.word("version")
      copied = scenario.word("copied")
    }

    /// The fault, and the guest's write after it; false if the entry does not allow it any more.
    func write(_ cpu: VirtualCPU) throws -> Bool {
      try cpu.store(isWritable, true, .relaxed)
      if !cpu.omits("the barrier before the dirty mark") { try cpu.fence(.release) }
      try cpu.store(dirty, true, .relaxed)
      try cpu.store(inGuest, true, .relaxed)
      // As in vcpu_enter_guest: whoever changes the entry and sees no guest is seen by this one.
      try cpu.fence(.sequentiallyConsistent)
      let isAllowed = try cpu.load(isWritable, .relaxed)
      if isAllowed { _ = try cpu.fetchAdd(version, 1, .relaxed) }
      try cpu.store(inGuest, false, .release)
      return isAllowed
    }

    /// Copies the page if it is marked; false if it is not.
    func harvest(_ cpu: VirtualCPU) throws -> Bool {
      guard try cpu.exchange(dirty, false, .acquireRelease) else { return false }
      _ = try cpu.exchange(isWritable, false, .acquireRelease)
      try cpu.wait(until: inGuest, .equals(false))
      try cpu.store(copied, try cpu.load(version, .relaxed), .relaxed)
      return true
    }
  }
}
