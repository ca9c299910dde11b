// Seed of the project: dirty logging is what makes KVM split blocks and collapse tables.

import Gracewalk

/// Dirty logging switched on: pages are write-protected, and no write goes unrecorded.
public enum DirtyLogging {
  static let origin = Origin(
    author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "Tables are collapsed where dirty logging of a memslot ends. What does logging itself need, "
      + "for no write of a guest to be lost?",
    about: [.noDSB, .noTLBI, .localTLBI])

  public static let models: [Model] =
    software + hardware + LazyCollapse.models + MemslotUnmap.models

  private static let recorded = NoGuestWriteWithoutDirtyRecord.id
  private static let stale = NoStaleUseAfterDSB.id

  private static let software: [Model] = [
    model(
      "dirty-log",
      "pages are write-protected; the fault handler makes the entry writable, "
        + "then marks the page; harvest takes the mark, protects, flushes, and copies"),
    model(
      "dirty-log-without-tlbi", "the right to write is taken from entries, and stays cached",
      .withoutTLBI, omission: "the TLBI after write-protecting", violates: [recorded, stale]),
    model(
      "dirty-log-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the protected entries",
      .beforePublication, omission: "the DSB between write-protecting and the TLBI",
      violates: [recorded, stale]),
    model(
      "dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log", .local,
      omission: "the broadcast of the TLBI", violates: [recorded, stale]),
    model(
      "dirty-log-tlbi-first-page", "the TLBI names the first page of the memslot",
      .firstAddressOnly, omission: "the TLBI for the other pages", violates: [recorded, stale]),
    model(
      "dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      omitting: .flushBeforeCopy, omission: "waiting for the flush before copying",
      violates: [recorded]),
    model(
      "dirty-log-clear-after-copy", "harvest reads the marks, and clears them when it has copied",
      omitting: .clearBeforeCopy, omission: "taking the mark before the page is copied",
      violates: [recorded]),
    model(
      "dirty-log-harvest-without-protection",
      "harvest takes the marks and leaves the pages writable", omitting: .protectAgain,
      omission: "write-protecting again what is copied", violates: [recorded]),
    model(
      "dirty-log-mark-before-writable", "the handler marks the page, then makes the entry writable",
      omitting: .writableBeforeMark, omission: "making the entry writable before the mark",
      violates: [recorded]),
    model(
      "dirty-log-without-mark", "the handler makes the entry writable and marks nothing",
      omitting: .mark, omission: "marking the page", violates: [recorded]),
  ]

  private static let hardware: [Model] = [
    model(
      "hardware-dirty-log",
      "hardware makes a clean entry writable; harvest exchanges it for a "
        + "clean one, flushes, and copies what was writable", .complete, .hardware),
    model(
      "hardware-dirty-log-without-tlbi", "entries are clean again, but writable where cached",
      .withoutTLBI, .hardware, omission: "the TLBI after cleaning", violates: [recorded, stale]),
    model(
      "hardware-dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log", .local,
      .hardware, omission: "the broadcast of the TLBI", violates: [recorded, stale]),
    model(
      "hardware-dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      .complete, .hardware, omitting: .flushBeforeCopy,
      omission: "waiting for the flush before copying", violates: [recorded]),
    model(
      "hardware-dirty-log-plain-store", "entries are read and then cleaned by a store", .complete,
      .hardware, omitting: .exchange, omission: "reading and cleaning an entry in one step",
      violates: [recorded]),
  ]

  private static func model(
    _ name: String, _ summary: String, _ flush: Flush = .complete,
    _ recorder: DirtyLog.Recorder = .faultHandler, omitting: DirtyLog.Omission? = nil,
    omission: String? = nil, violates: [String] = []
  ) -> Model {
    let start =
      recorder == .hardware
      ? "Dirty logging is on, and two pages are clean. A thread harvests the log once. "
      : "Two pages are writable. A thread switches dirty logging on, copies both, and harvests "
        + "the log once. "
    return Model(
      name: name, summary: summary,
      scenario: start + "Two vCPUs write to the second page; one of them handles its faults.",
      omission: omission, origin: origin,
      parameters: [
        Parameter(
          "tries", "times that the first guest tries to write", 2...3,
          standard: omitting == .clearBeforeCopy ? 3 : 2),
        Parameter("retries", "faults that the second handles, too", 0...1, standard: 0),
        Parameter(
          "walks", "walks its walker begins speculatively", 0...2,
          standard: recorder == .hardware ? 1 : 0),
      ],
      expectation: violates.isEmpty ? .holds : .violates(violates),
      mustHappen: races(recorder)
    ) { values in
      scenario(values, flush, recorder, omitting)
    }
  }

  /// Writes come before the harvest, whose result is how many pages it found, and after it; the
  /// second guest handles no fault of its own where hardware does not do so either.
  private static func races(_ recorder: DirtyLog.Recorder) -> [ExpectedOutcome] {
    [
      ExpectedOutcome("harvest", "0"), ExpectedOutcome("harvest", "1"),
      ExpectedOutcome("write 0x1", "frame 0x1"),
      ExpectedOutcome("write 0x1", "permission fault") { _, features in
        recorder == .faultHandler || !features.hardwareDirtyState
      },
    ]
  }

  private static func scenario(
    _ values: ParameterValues, _ flush: Flush, _ recorder: DirtyLog.Recorder,
    _ omitting: DirtyLog.Omission?
  ) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    scenario.features.hardwareDirtyState = recorder == .hardware
    let table = Stage2Table(scenario, protection: .none)
    let frames = scenario.dataFrames(2)
    let log = DirtyLog(
      recorder: recorder, flush: flush, omission: omitting, root: table.root,
      geometry: table.geometry, frames: frames,
      dirty: frames.indices.map { scenario.word("page 0x\($0) dirty") })
    scenario.boot { cpu in
      for page in frames.indices { _ = try table.map(cpu, page) }
      if recorder == .hardware { try log.protectAll(cpu) }
    }
    let enabling = [
      CPUOperation("enable") { cpu in try log.enable(cpu) },
      CPUOperation("copy all") { cpu in try log.copy(cpu, Array(frames.indices)) },
    ]
    let harvest = CPUOperation("harvest") { cpu in try log.harvest(cpu) }
    scenario.cpu("logger", (recorder == .hardware ? [] : enabling) + [harvest])
    scenario.cpu("vcpu 0", mmu: MMU(table.root), write(log, 1, tries: values["tries"]))
    scenario.cpu(
      "vcpu 1", mmu: MMU(table.root, speculatesOn: [1], times: values["walks"]),
      write(log, 1, tries: 1 + values["retries"]))
    scenario.require(InvariantCatalogue.tables)
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(NoGuestWriteWithoutDirtyRecord(frames: frames.map { log.record(of: $0) }))
    return scenario
  }

  private static func write(_ log: DirtyLog, _ page: Int, tries: Int) -> CPUOperation {
    CPUOperation("write 0x\(page)") { cpu in try log.write(cpu, page, tries: tries) }
  }
}
