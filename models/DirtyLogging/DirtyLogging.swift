// An origin of the project: dirty logging makes KVM split blocks and collapse tables.

import Gracewalk

/// Dirty logging switched on: pages are write-protected, and no write goes unrecorded.
public enum DirtyLogging {
  public static let system = ModelSystem("dirty-logging", "Dirty logging, on and off", models)

  public static let models: [Model] =
    family(software, byHardware: false) + family(hardware, byHardware: true) + LazyCollapse.models
    + MemslotUnmap.models

  private static let lost = [NoGuestWriteWithoutDirtyRecord.id]
  private static let stale = lost + [NoStaleUseAfterDSB.id]

  private static let software: [Variant<Flush?>] = [
    .holds(
      "dirty-log",
      "pages are write-protected; the fault handler makes the entry writable, then marks the page; "
        + "harvest takes the mark, protects, flushes, and copies"),
    .broken(
      "dirty-log-without-tlbi", "the right to write is taken from entries, and stays cached",
      .withoutTLBI, omits: "the TLBI after write-protecting", violates: stale),
    .broken(
      "dirty-log-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the protected entries",
      .beforePublication, omits: "the DSB between write-protecting and the TLBI", violates: stale),
    .broken(
      "dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log", .local,
      omits: "the broadcast of the TLBI", violates: stale),
    .broken(
      "dirty-log-tlbi-first-page", "the TLBI names the first page of the memslot",
      .firstAddressOnly, omits: "the TLBI for the other pages", violates: stale),
    .broken(
      "dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      omits: "waiting for the flush before copying", violates: lost),
    .broken(
      "dirty-log-clear-after-copy", "harvest reads the marks, and clears them when it has copied",
      omits: "taking the mark before the page is copied", violates: lost, standard: ["tries": 3]),
    .broken(
      "dirty-log-harvest-without-protection",
      "harvest takes the marks and leaves the pages writable",
      omits: "write-protecting again what is copied", violates: lost),
    .broken(
      "dirty-log-mark-before-writable", "the handler marks the page, then makes the entry writable",
      omits: "making the entry writable before the mark", violates: lost),
    .broken(
      "dirty-log-without-mark", "the handler makes the entry writable and marks nothing",
      omits: "marking the page", violates: lost),
  ]

  private static let hardware: [Variant<Flush?>] = [
    .holds(
      "hardware-dirty-log",
      "hardware makes a clean entry writable; harvest exchanges it for a clean one, flushes, and "
        + "copies what was writable"),
    .broken(
      "hardware-dirty-log-without-tlbi", "entries are clean again, but writable where cached",
      .withoutTLBI, omits: "the TLBI after cleaning", violates: stale),
    .broken(
      "hardware-dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log", .local,
      omits: "the broadcast of the TLBI", violates: stale),
    .broken(
      "hardware-dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      omits: "waiting for the flush before copying", violates: lost),
    .broken(
      "hardware-dirty-log-plain-store", "entries are read and then cleaned by a store",
      omits: "reading and cleaning an entry in one step", violates: lost),
  ]

  private static func family(_ variants: [Variant<Flush?>], byHardware: Bool) -> [Model] {
    let start =
      byHardware
      ? "Dirty logging is on, and two pages are clean. A thread harvests the log once. "
      : "Two pages are writable. A thread switches dirty logging on, copies both, and harvests "
        + "the log once. "
    return Model.family(
      variants,
      scenario: start + "Two vCPUs write to the second page; one of them handles its faults.",
      origin: Origin(
        author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-22",
        subject:
          "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
        question:
          "Tables are collapsed where dirty logging of a memslot ends. What does logging itself "
          + "need, for no write of a guest to be lost?",
        about: [.noDSB, .noTLBI, .localTLBI]),
      parameters: [
        Parameter("tries", "times that the first guest tries to write", 2...3, standard: 2),
        Parameter("retries", "faults that the second handles, too", 0...1, standard: 0),
        Parameter(
          "walks", "walks its walker begins speculatively", 0...2, standard: byHardware ? 1 : 0),
      ],
      // Writes come before the harvest, whose result is how many pages it found, and after it.
      mustHappen: ExpectedOutcome.each("harvest", "0", "1")
        + ExpectedOutcome.each("write 0x1", "frame 0x1")
        + ExpectedOutcome.each("write 0x1", "permission fault") { _, features in
          !byHardware || !features.hardwareDirtyState
        }
    ) { values, flush in
      let scenario = Scenario()
      let log = DirtyLog(scenario, byHardware: byHardware, flush: flush ?? .complete)
      let enabling = [
        CPUOperation("enable") { cpu in try log.enable(cpu) },
        CPUOperation("copy all") { cpu in try log.copyAll(cpu) },
      ]
      let harvest = CPUOperation("harvest") { cpu in try log.harvest(cpu) }
      scenario.cpu("logger", (byHardware ? [] : enabling) + [harvest])
      scenario.cpu("vcpu 0", mmu: MMU(log.root), log.write(1, tries: values["tries"]))
      scenario.cpu(
        "vcpu 1", mmu: MMU(log.root, speculatesOn: [1], times: values["walks"]),
        log.write(1, tries: 1 + values["retries"]))
      return scenario
    }
  }
}
