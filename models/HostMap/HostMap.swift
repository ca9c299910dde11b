// Seed of the project: a hypervisor splits the host's blocks and coalesces them again.

import Gracewalk

/// The use that pKVM has for collapsing: its host's stage 2, with no RCU in the hypervisor.
///
/// None of the coalescing existed when the mail was written, not even as a prototype. What is
/// modelled here is how it can be done: the block is made at once, or left to the host's next fault
/// (as in patches that came later: "Coalesce host stage2 entries on ownership reclaim", on a branch
/// of android-kvm).
public enum HostMap {
  /// The date is that of Oliver Upton's mail, which it answers.
  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "pKVM splits blocks of the host's stage 2 when a protected guest starts and could coalesce "
      + "them when it ends. What does that take in a hypervisor that has no RCU?",
    about: [.noLock, .noBreak, .noTLBI])

  public static let models: [Model] = donating + reclaiming + sharing

  /// What goes wrong when a block that was broken stays cached.
  private static let blockStaysCached = [
    NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
    NoReuseWhileCached.id, DonatedPageUnreachable.id, OperationsLinearise.id,
  ]

  private static let donating: [Model] = [
    model("host-donate", "the block is broken and flushed before the page is handed over"),
    model(
      "host-donate-fills-on-demand",
      "the block gives way to an empty table, which the host's faults fill",
      scenario: .donateAndFault, resizing: .breakFirstAndFillOnDemand),
    model(
      "host-donate-in-place-if-allowed",
      "the block is split without a break where FEAT_BBM level 2 allows it",
      resizing: .inPlaceIfAllowed),
    model(
      "host-donate-in-place", "the block is split without a break; right at FEAT_BBM level 2 only",
      .splitBreak, omission: "breaking the block before the table is made",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    model(
      "host-donate-without-tlbi", "the block is broken, and stays in the TLBs",
      .tlbi, omission: "the TLBI after the break", violates: blockStaysCached),
    model(
      "host-donate-without-dsb-before-tlbi",
      "the TLBI may overtake the store that breaks the block",
      .dsbBeforeTLBI, omission: "the DSB between the break and the TLBI",
      violates: blockStaysCached),
    model(
      "host-donate-without-dsb-after-tlbi", "the table is made before the TLBI is complete",
      .dsbAfterTLBI, omission: "the DSB that completes the TLBI",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    model(
      "host-donate-tlbi-wrong-level", "the TLBI is for pages, and a block is cached",
      .rightLevel, omission: "the level of the block in the TLBI", violates: blockStaysCached),
    model(
      "host-donate-tlbi-local", "the TLBI is for the hypervisor's CPU alone",
      .broadcast, omission: "sending the TLBI to all CPUs", violates: blockStaysCached),
    model(
      "host-donate-before-flush", "the page is handed over once the block is broken",
      .flushBeforeHandOver, omission: "flushing before the page is handed over",
      violates: [
        NoStaleUseAfterDSB.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
        OperationsLinearise.id,
      ]),
  ]

  private static let reclaiming: [Model] = [
    model(
      "host-reclaim", "the page is wiped, handed back and mapped; then the table is coalesced",
      scenario: .reclaim),
    model(
      "host-reclaim-fills-on-demand",
      "the table is unlinked, flushed and freed; the host's next fault makes the block",
      scenario: .reclaim, resizing: .breakFirstAndFillOnDemand),
    model(
      "host-reclaim-in-place-if-allowed",
      "the table is coalesced without a break where FEAT_BBM level 2 allows it",
      scenario: .reclaim, resizing: .inPlaceIfAllowed),
    model(
      "host-reclaim-without-guest-flush", "the page stays in the TLBs of the guest that has ended",
      scenario: .reclaim, .guestFlush, omission: "flushing the guest's table",
      violates: [NoStaleUseAfterDSB.id, NoReuseWhileCached.id]),
    model(
      "host-reclaim-maps-before-hand-back",
      "the host's table maps the page while it is the guest's",
      scenario: .reclaim, .handBackBeforeMapping,
      omission: "handing the page back before mapping it",
      violates: [DonatedPageUnreachable.id]),
    model(
      "host-coalesce-in-place", "the table gives way to the block without a break",
      scenario: .reclaim, .coalesceBreak, omission: "breaking the entry before the block is made",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    model(
      "host-coalesce-frees-before-flush", "the table is freed once the entry is broken",
      scenario: .reclaim, .flushBeforeFree, omission: "flushing before the table is freed",
      violates: [NoReuseWhileCached.id, NoUseAfterFree.id]),
    model(
      "host-coalesce-tlbi-last-level", "the pointer to the table stays in the walk caches",
      scenario: .reclaim, .flushOfTablePointers,
      omission: "flushing pointers to tables, not leaves alone",
      violates: [
        NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
  ]

  private static let sharing: [Model] = [
    model(
      "host-donate-write-locked", "faults share a reader-writer lock, splitting has it alone",
      scenario: .shareAndDonate),
    model(
      "host-donate-read-locked", "splitting, too, holds the lock for reading only",
      scenario: .shareAndDonate, .writeSide, omission: "taking the lock for writing",
      violates: [
        BreakBeforeMake.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
        ReferencesMatchEntries.id,
      ]),
    model(
      "host-coalesce-write-locked", "faults share a reader-writer lock, coalescing has it alone",
      scenario: .shareAndReclaim),
    model(
      "host-coalesce-read-locked", "coalescing, too, holds the lock for reading only",
      scenario: .shareAndReclaim, .writeSide, omission: "taking the lock for writing",
      violates: [
        NoUseAfterFree.id, BreakBeforeMake.id, ReferencesMatchEntries.id,
      ]),
  ]

  private static func model(
    _ name: String, _ summary: String, scenario: HostScenario = .donate,
    resizing: HostTable.Resizing = .breakFirst, _ omitting: HostTable.Omission? = nil,
    omission: String? = nil, violates: [String] = []
  ) -> Model {
    Model(
      name: name, summary: summary, scenario: scenario.text, omission: omission, origin: origin,
      expectation: violates.isEmpty ? .holds : .violates(violates),
      mustHappen: scenario.races
    ) { _ in
      scenario.build(resizing, omitting: omitting)
    }
  }
}
