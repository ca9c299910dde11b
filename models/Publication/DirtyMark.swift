// The dirty mark of a page and the entry that makes it writable: what keeps them in order?

import Gracewalk

/// `set_spte` of KVM/x86 (3.11): `smp_wmb()` between `mmu_spte_update` and `mark_page_dirty`.
enum DirtyMark {
  private static let isMarked = "A frame written since it was copied is marked dirty"
  private static let lost = ["a-frame-written-since-it-was-copied-is-marked-dirty"]

  /// Who may take the right to write from the entry.
  private enum Protector: Sendable {
    case harvester
    /// A zapper may come first. Then the harvester finds nothing to write-protect, and what it has
    /// read must be ordered before it looks whether a guest still uses the entry.
    case zapper
  }

  private static let variants: [Variant<Protector>] = [
    .holds(
      "mark-dirty-after-entry", "a barrier comes between the entry and the dirty mark", .harvester,
      under: Publication.stronger),
    .broken(
      "mark-dirty-without-barrier", "the mark may be seen before the entry", .harvester,
      omits: "the barrier before the dirty mark", violates: lost, under: Publication.stronger),
    .holds(
      "flush-after-zap", "who finds an entry zapped by another has a barrier before it flushes",
      .zapper, under: Publication.stronger),
    .broken(
      "flush-after-zap-without-barrier", "the guest's mode may be read before the entry", .zapper,
      omits: "the barrier before the guest's mode is read", violates: lost,
      under: Publication.stronger),
  ]

  static let models = Model.family(
    variants,
    scenario: { protector in
      "A vCPU makes an entry writable and marks the frame dirty, and its guest writes if the entry "
        + "allows it. The harvester reads and clears the mark, write-protects the entry"
        + (protector == .zapper ? " if a zapper has not cleared it" : "")
        + ", waits until no guest uses it, and copies the frame."
    },
    origin: Origin(
      author: "Xiao Guangrong", list: "linux-kernel", date: "2013-08-29",
      subject: "Re: [PATCH 09/12] KVM: MMU: introduce pte-list lockless walker",
      question:
        "Is the smp_wmb() between a new entry and its dirty mark what lets a walk without locks "
        + "pass by an entry that it does not see yet?",
      about: [.relaxed]),
    mustHappen: { _ in
      ExpectedOutcome.each("write", "true", "false")
        + ExpectedOutcome.each("harvest", "true", "false")
    }
  ) { _, protector in
    let scenario = Scenario()
    scenario.memoryModel = .armv8
    let page = Page(scenario)
    scenario.cpu("vcpu", runs: "write") { cpu in try page.write(cpu) }
    scenario.cpu("harvester", runs: "harvest") { cpu in
      try page.harvest(cpu, readsFirst: protector == .zapper)
    }
    if protector == .zapper { scenario.cpu("zapper", runs: "zap") { try page.zap($0) } }
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

    func zap(_ cpu: VirtualCPU) throws { _ = try cpu.exchange(isWritable, false, .acquireRelease) }

    /// Copies the page if it is marked; false if it is not.
    ///
    /// `readsFirst` is how `spte_write_protect` has it: there is nothing to do for an entry that
    /// allows no writes.
    func harvest(_ cpu: VirtualCPU, readsFirst: Bool) throws -> Bool {
      guard try cpu.exchange(dirty, false, .acquireRelease) else { return false }
      if try !readsFirst || cpu.load(isWritable, .relaxed) { try zap(cpu) }
      // kvm_flush_remote_tlbs: smp_mb() before vcpu->mode is read.
      if readsFirst, !cpu.omits("the barrier before the guest's mode is read") {
        try cpu.fence(.sequentiallyConsistent)
      }
      try cpu.wait(until: inGuest, .equals(false))
      try cpu.store(copied, try cpu.load(version, .relaxed), .relaxed)
      return true
    }
  }
}
