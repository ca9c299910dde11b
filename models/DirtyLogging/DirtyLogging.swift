// Seed of the project: dirty logging is what makes KVM split blocks and collapse tables.

import Gracewalk

/// Dirty logging switched on: pages are write-protected, and no write goes unrecorded.
public enum DirtyLogging {
  public static let system = ModelSystem("dirty-logging", "Dirty logging, on and off", models)

  static let origin = Origin(
    author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "Tables are collapsed where dirty logging of a memslot ends. What does logging itself need, "
      + "for no write of a guest to be lost?",
    about: [.noDSB, .noTLBI, .localTLBI])

  public static let models: [Model] =
    family(software, .faultHandler) + family(hardware, .hardware) + LazyCollapse.models
    + MemslotUnmap.models

  private static let recorded = NoGuestWriteWithoutDirtyRecord.id
  private static let stale = NoStaleUseAfterDSB.id

  private static let software: [Variant<Omitted<DirtyLog.Omission>>] = [
    .holds(
      "dirty-log",
      "pages are write-protected; the fault handler makes the entry writable, "
        + "then marks the page; harvest takes the mark, protects, flushes, and copies",
      Omitted()),
    .broken(
      "dirty-log-without-tlbi", "the right to write is taken from entries, and stays cached",
      Omitted(flush: .withoutTLBI), omits: "the TLBI after write-protecting",
      violates: [recorded, stale]),
    .broken(
      "dirty-log-tlbi-before-dsb",
      "the TLBI is issued before the barrier that publishes the protected entries",
      Omitted(flush: .beforePublication), omits: "the DSB between write-protecting and the TLBI",
      violates: [recorded, stale]),
    .broken(
      "dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log", Omitted(flush: .local),
      omits: "the broadcast of the TLBI", violates: [recorded, stale]),
    .broken(
      "dirty-log-tlbi-first-page", "the TLBI names the first page of the memslot",
      Omitted(flush: .firstAddressOnly), omits: "the TLBI for the other pages",
      violates: [recorded, stale]),
    .broken(
      "dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      Omitted(step: .flushBeforeCopy), omits: "waiting for the flush before copying",
      violates: [recorded]),
    .broken(
      "dirty-log-clear-after-copy", "harvest reads the marks, and clears them when it has copied",
      Omitted(step: .clearBeforeCopy), omits: "taking the mark before the page is copied",
      violates: [recorded],
      standard: ["tries": 3]),
    .broken(
      "dirty-log-harvest-without-protection",
      "harvest takes the marks and leaves the pages writable", Omitted(step: .protectAgain),
      omits: "write-protecting again what is copied", violates: [recorded]),
    .broken(
      "dirty-log-mark-before-writable",
      "the handler marks the page, then makes the entry writable",
      Omitted(step: .writableBeforeMark), omits: "making the entry writable before the mark",
      violates: [recorded]),
    .broken(
      "dirty-log-without-mark", "the handler makes the entry writable and marks nothing",
      Omitted(step: .mark), omits: "marking the page", violates: [recorded]),
  ]

  private static let hardware: [Variant<Omitted<DirtyLog.Omission>>] = [
    .holds(
      "hardware-dirty-log",
      "hardware makes a clean entry writable; harvest exchanges it for a "
        + "clean one, flushes, and copies what was writable",
      Omitted()),
    .broken(
      "hardware-dirty-log-without-tlbi", "entries are clean again, but writable where cached",
      Omitted(flush: .withoutTLBI), omits: "the TLBI after cleaning",
      violates: [recorded, stale]),
    .broken(
      "hardware-dirty-log-tlbi-local", "the TLBI is for the CPU that keeps the log",
      Omitted(flush: .local), omits: "the broadcast of the TLBI",
      violates: [recorded, stale]),
    .broken(
      "hardware-dirty-log-copy-before-flush", "harvest copies the pages before it flushes",
      Omitted(step: .flushBeforeCopy),
      omits: "waiting for the flush before copying", violates: [recorded]),
    .broken(
      "hardware-dirty-log-plain-store", "entries are read and then cleaned by a store",
      Omitted(step: .exchange),
      omits: "reading and cleaning an entry in one step", violates: [recorded]),
  ]

  private static func family(
    _ variants: [Variant<Omitted<DirtyLog.Omission>>], _ recorder: DirtyLog.Recorder
  ) -> [Model] {
    let start =
      recorder == .hardware
      ? "Dirty logging is on, and two pages are clean. A thread harvests the log once. "
      : "Two pages are writable. A thread switches dirty logging on, copies both, and harvests "
        + "the log once. "
    return Model.family(
      variants,
      scenario: start + "Two vCPUs write to the second page; one of them handles its faults.",
      origin: origin,
      parameters: [
        Parameter("tries", "times that the first guest tries to write", 2...3, standard: 2),
        Parameter("retries", "faults that the second handles, too", 0...1, standard: 0),
        Parameter(
          "walks", "walks its walker begins speculatively", 0...2,
          standard: recorder == .hardware ? 1 : 0),
      ],
      mustHappen: races(recorder)
    ) { values, omitted in scenario(values, recorder, omitted) }
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
    _ values: ParameterValues, _ recorder: DirtyLog.Recorder, _ omitted: Omitted<DirtyLog.Omission>
  ) -> Scenario {
    let scenario = Scenario()
    scenario.features.hardwareDirtyState = recorder == .hardware
    let table = Stage2Table(scenario, protection: .nothing)
    let frames = scenario.dataFrames(2)
    let log = DirtyLog(
      recorder: recorder, flush: omitted.flush, omission: omitted.step, root: table.root,
      geometry: table.geometry, frames: frames,
      dirty: frames.indices.map { scenario.variable("page 0x\($0) dirty", initial: false) })
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
