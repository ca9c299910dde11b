// Seed of the project: a hypervisor splits the host's blocks and coalesces them again.

import Gracewalk

/// The use that pKVM has for collapsing: its host's stage 2, with no RCU in the hypervisor.
///
/// None of the coalescing existed when the mail was written, not even as a prototype. What is
/// modelled here is how it can be done: the block is made at once, or left to the host's next fault
/// (as in patches that came later: "Coalesce host stage2 entries on ownership reclaim", on a branch
/// of android-kvm).
public enum HostMap {
  public static let system = ModelSystem("host-map", "The host's identity map under pKVM", models)

  /// The date is that of Oliver Upton's mail, which it answers.
  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "pKVM splits blocks of the host's stage 2 when a protected guest starts and could coalesce "
      + "them when it ends. What does that take in a hypervisor that has no RCU?",
    about: [.noLock, .noBreak, .noTLBI])

  /// Who does what, how entries change their size, and what is left out.
  struct Choice: Sendable {
    let scenario: HostScenario
    let resizing: HostTable.Resizing
    let omission: HostTable.Omission?

    init(
      _ scenario: HostScenario = .donate, resizing: HostTable.Resizing = .breakFirst,
      omitting omission: HostTable.Omission? = nil
    ) {
      self.scenario = scenario
      self.resizing = resizing
      self.omission = omission
    }
  }

  public static let models = Model.family(
    donating + reclaiming + sharing, scenario: { $0.scenario.text }, origin: origin,
    mustHappen: { $0.scenario.races }
  ) { _, choice in
    choice.scenario.build(choice.resizing, omitting: choice.omission)
  }

  /// What goes wrong when a block that was broken stays cached.
  private static let blockStaysCached = [
    NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
    NoReuseWhileCached.id, DonatedPageUnreachable.id, OperationsLinearise.id,
  ]

  private static let donating: [Variant<Choice>] = [
    .holds(
      "host-donate", "the block is broken and flushed before the page is handed over", Choice()),
    .holds(
      "host-donate-fills-on-demand",
      "the block gives way to an empty table, which the host's faults fill",
      Choice(.donateAndFault, resizing: .breakFirstAndFillOnDemand)),
    .holds(
      "host-donate-in-place-if-allowed",
      "the block is split without a break where FEAT_BBM level 2 allows it",
      Choice(resizing: .inPlaceIfAllowed)),
    .broken(
      "host-donate-in-place", "the block is split without a break; right at FEAT_BBM level 2 only",
      Choice(omitting: .splitBreak), omits: "breaking the block before the table is made",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    .broken(
      "host-donate-without-tlbi", "the block is broken, and stays in the TLBs",
      Choice(omitting: .tlbi), omits: "the TLBI after the break", violates: blockStaysCached),
    .broken(
      "host-donate-without-dsb-before-tlbi",
      "the TLBI may overtake the store that breaks the block", Choice(omitting: .dsbBeforeTLBI),
      omits: "the DSB between the break and the TLBI", violates: blockStaysCached),
    .broken(
      "host-donate-without-dsb-after-tlbi", "the table is made before the TLBI is complete",
      Choice(omitting: .dsbAfterTLBI), omits: "the DSB that completes the TLBI",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    .broken(
      "host-donate-tlbi-wrong-level", "the TLBI is for pages, and a block is cached",
      Choice(omitting: .rightLevel), omits: "the level of the block in the TLBI",
      violates: blockStaysCached),
    .broken(
      "host-donate-tlbi-local", "the TLBI is for the hypervisor's CPU alone",
      Choice(omitting: .broadcast), omits: "sending the TLBI to all CPUs",
      violates: blockStaysCached),
    .broken(
      "host-donate-before-flush", "the page is handed over once the block is broken",
      Choice(omitting: .flushBeforeHandOver), omits: "flushing before the page is handed over",
      violates: [
        NoStaleUseAfterDSB.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
        OperationsLinearise.id,
      ]),
  ]

  private static let reclaiming: [Variant<Choice>] = [
    .holds(
      "host-reclaim", "the page is wiped, handed back and mapped; then the table is coalesced",
      Choice(.reclaim)),
    .holds(
      "host-reclaim-fills-on-demand",
      "the table is unlinked, flushed and freed; the host's next fault makes the block",
      Choice(.reclaim, resizing: .breakFirstAndFillOnDemand)),
    .holds(
      "host-reclaim-in-place-if-allowed",
      "the table is coalesced without a break where FEAT_BBM level 2 allows it",
      Choice(.reclaim, resizing: .inPlaceIfAllowed)),
    .broken(
      "host-reclaim-without-guest-flush", "the page stays in the TLBs of the guest that has ended",
      Choice(.reclaim, omitting: .guestFlush), omits: "flushing the guest's table",
      violates: [NoStaleUseAfterDSB.id, NoReuseWhileCached.id]),
    .broken(
      "host-reclaim-maps-before-hand-back",
      "the host's table maps the page while it is the guest's",
      Choice(.reclaim, omitting: .handBackBeforeMapping),
      omits: "handing the page back before mapping it",
      violates: [DonatedPageUnreachable.id]),
    .broken(
      "host-coalesce-in-place", "the table gives way to the block without a break",
      Choice(.reclaim, omitting: .coalesceBreak),
      omits: "breaking the entry before the block is made",
      violates: [BreakBeforeMake.id, NoConflictingTLBEntries.id]),
    .broken(
      "host-coalesce-frees-before-flush", "the table is freed once the entry is broken",
      Choice(.reclaim, omitting: .flushBeforeFree), omits: "flushing before the table is freed",
      violates: [NoReuseWhileCached.id, NoUseAfterFree.id]),
    .broken(
      "host-coalesce-tlbi-last-level", "the pointer to the table stays in the walk caches",
      Choice(.reclaim, omitting: .flushOfTablePointers),
      omits: "flushing pointers to tables, not leaves alone",
      violates: [
        NoStaleUseAfterDSB.id, BreakBeforeMake.id, NoConflictingTLBEntries.id,
        NoReuseWhileCached.id, NoUseAfterFree.id,
      ]),
  ]

  private static let sharing: [Variant<Choice>] = [
    .holds(
      "host-donate-write-locked", "faults share a reader-writer lock, splitting has it alone",
      Choice(.shareAndDonate)),
    .broken(
      "host-donate-read-locked", "splitting, too, holds the lock for reading only",
      Choice(.shareAndDonate, omitting: .writeSide), omits: "taking the lock for writing",
      violates: [
        BreakBeforeMake.id, NoReuseWhileCached.id, DonatedPageUnreachable.id,
        ReferencesMatchEntries.id,
      ]),
    .holds(
      "host-coalesce-write-locked", "faults share a reader-writer lock, coalescing has it alone",
      Choice(.shareAndReclaim)),
    .broken(
      "host-coalesce-read-locked", "coalescing, too, holds the lock for reading only",
      Choice(.shareAndReclaim, omitting: .writeSide), omits: "taking the lock for writing",
      violates: [NoUseAfterFree.id, BreakBeforeMake.id, ReferencesMatchEntries.id]),
  ]
}
