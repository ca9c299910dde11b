// The meaning of entries to software and hardware, per format and level.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import TestSupport
import Testing

@Suite struct EntryFormatTests {
  private static let geometry = Geometry(levels: 2, entries: 2)
  /// Page tables of a scenario have small ids.
  private static let table = Descriptor.table(Scenario().rootTable())

  private func meanings(
    _ entry: Descriptor, _ format: EntryFormat
  ) -> [EntryMeaning] {
    (0..<2).map { format.meaning(of: entry, at: $0, in: Self.geometry) }
  }

  @Test(arguments: EntryFormat.all)
  func invalidEntriesAreNotPresent(_ format: EntryFormat) {
    for bits: UInt64 in [0, 1 << 10, 1 << 2, Descriptor.page(1).bits & ~1] {
      #expect(meanings(Descriptor(bits: bits), format) == [.notPresent, .notPresent])
    }
  }

  @Test(arguments: [EntryFormat.armStage1, .armStage2])
  func armDecodesByLevel(_ format: EntryFormat) {
    #expect(meanings(.page(1), format) == [.malformed(.noTable), .leaf(frame: 1)])
    #expect(meanings(.block(2), format) == [.leaf(frame: 2), .malformed(.reserved)])
    #expect(meanings(.block(1), format) == [.malformed(.misaligned), .malformed(.reserved)])
    #expect(meanings(Self.table, format) == [.table(id: 0), .malformed(.mapsTable)])
    #expect(
      meanings(Descriptor(bits: 3), format) == [.malformed(.noTable), .malformed(.noFrame)])
    #expect(
      meanings(Descriptor(bits: 1), format) == [.malformed(.noFrame), .malformed(.reserved)])
    let blockOfTable = Descriptor(bits: Self.table.bits & ~2)
    #expect(meanings(blockOfTable, format) == [.malformed(.mapsTable), .malformed(.reserved)])
  }

  /// At the last level the bit for large pages has another meaning.
  @Test(arguments: [EntryFormat.x86, .ept])
  func x86HasNoTypeAtTheLastLevel(_ format: EntryFormat) {
    #expect(meanings(.page(1), format) == [.malformed(.noTable), .leaf(frame: 1)])
    #expect(meanings(.block(2), format) == [.leaf(frame: 2), .leaf(frame: 2)])
    #expect(meanings(.block(1), format) == [.malformed(.misaligned), .leaf(frame: 1)])
    #expect(meanings(Self.table, format) == [.table(id: 0), .malformed(.mapsTable)])
  }

  @Test func eptHasNoWritesWithoutReads() {
    let leaf = Descriptor.page(0).withoutReads
    #expect(meanings(leaf, .ept)[1] == .malformed(.notReadable))
    #expect(meanings(leaf.readOnly, .ept)[1] == .leaf(frame: 0))
    for format in [EntryFormat.armStage1, .armStage2, .x86] {
      #expect(meanings(leaf, format)[1] == .leaf(frame: 0))
    }
  }

  @Test func blocksMayBeginAtALowerLevel() {
    var format = EntryFormat.armStage2
    format.firstBlockLevel = 1
    #expect(
      (0..<3).map { format.meaning(of: .block(4), at: $0, in: Geometry(levels: 3, entries: 2)) }
        == [.malformed(.reserved), .leaf(frame: 4), .malformed(.reserved)])
  }

  // MARK: Software

  @Test func lockedIsOneEntry() {
    let others: [UInt64] = [
      1 << 10 | 1 << 2, 0, Descriptor.block(0).bits & ~1, Descriptor.page(0).bits,
    ]
    #expect(Descriptor.locked.isLocked && EntryFormat.armStage2.isLocked(.locked))
    for bits in others {
      #expect(!Descriptor(bits: bits).isLocked)
      #expect(!EntryFormat.armStage2.isLocked(Descriptor(bits: bits)))
    }
    for format in [EntryFormat.armStage1, .x86, .ept] { #expect(!format.isLocked(.locked)) }
    var own = EntryFormat.x86
    own.locked = Descriptor(bits: 1 << 11)
    #expect(own.isLocked(Descriptor(bits: 1 << 11)) && !own.isLocked(.locked))
  }

  @Test func countingFollowsTheFormat() {
    let entries = [Descriptor.page(0), .invalid, .locked, Descriptor(bits: 1 << 2)]
    #expect(entries.map(EntryFormat.armStage2.isCounted) == [true, false, false, true])
    for format in [EntryFormat.armStage1, .x86, .ept] {
      #expect(entries.map(format.isCounted) == [true, false, false, false])
    }
  }

  // MARK: Hardware

  /// The result of an access, and the leaf afterwards, under a directory.
  private func access(
    _ format: EntryFormat, _ leaf: Descriptor, directoryIsWritable: Bool = true,
    isWrite: Bool = true, hasFlags: Bool = false
  ) -> (outcome: String?, leaf: Descriptor, cached: Int) {
    let recorder = StepRecorder()
    let scenario = Scenario(geometry: Self.geometry, format: format)
    scenario.features.hardwareAccessFlag = hasFlags
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { throw NoPage() }
      try cpu.store(table[0], leaf.bits, .relaxed)
      try cpu.store(
        root[0], Descriptor.table(table, writable: directoryIsWritable).bits, .relaxed)
    }
    scenario.cpu(
      "guest", mmu: MMU(root),
      CPUOperation("access") { isWrite ? try $0.guestWrite(0) : try $0.guestRead(0) })
    let machine = Machine(scenario, recorder: recorder)
    machine.finish()
    let left = machine.reachableTables[1].entries[0]
    return (recorder.steps.last?.operationResult, left, machine.hardwareState.count)
  }

  @Test func directoriesDenyWhereTheyHoldPermissions() {
    for format in [EntryFormat.x86, .ept] {
      #expect(access(format, .page(0)).outcome == "frame 0x0")
      #expect(access(format, .page(0), directoryIsWritable: false).outcome == "permission fault")
      #expect(
        access(format, .page(0), directoryIsWritable: false, isWrite: false).outcome == "frame 0x0")
    }
    for format in [EntryFormat.armStage1, .armStage2] {
      #expect(access(format, .page(0), directoryIsWritable: false).outcome == "frame 0x0")
    }
  }

  /// On x86 a fault invalidates the cached entries of its address; on Arm they may stay.
  @Test func faultsInvalidateOnX86() {
    #expect(access(.x86, Descriptor.page(0).readOnly).cached == 0)
    #expect(access(.ept, Descriptor.page(0).readOnly).cached == 0)
    #expect(access(.armStage1, Descriptor.page(0).readOnly).cached == 1)
  }

  @Test func flagsAreSetAsTheFormatSays() {
    let aged = Descriptor.page(0).withoutAccessFlag
    #expect(access(.armStage2, aged).outcome == "access-flag fault")
    #expect(access(.armStage2, aged, hasFlags: true).leaf == .page(0))
    #expect(access(.x86, aged).outcome == "frame 0x0")
    #expect(access(.x86, aged).leaf == .page(0))
    #expect(access(.ept, aged).outcome == "frame 0x0")
    #expect(access(.ept, aged).leaf == aged)
    #expect(access(.ept, aged, hasFlags: true).leaf == .page(0))
    let clean = Descriptor.page(0).writableClean
    #expect(access(.armStage1, clean).outcome == "permission fault")
    #expect(access(.x86, clean).leaf == clean.writable)
    #expect(access(.ept, clean).outcome == "frame 0x0")
    #expect(access(.ept, clean).leaf == clean)
    #expect(access(.ept, clean, hasFlags: true).leaf == clean.writable)
  }

  /// There is no read permission on x86; elsewhere its lack is a fault.
  @Test func readsNeedPermissionWhereThereIsOne() {
    let leaf = Descriptor.page(0).withoutReads.readOnly
    #expect(access(.x86, leaf, isWrite: false).outcome == "frame 0x0")
    for format in [EntryFormat.ept, .armStage1, .armStage2] {
      #expect(access(format, leaf, isWrite: false).outcome == "permission fault")
    }
  }

  /// A malformed entry never translates, whether an invariant judges it or not.
  @Test(arguments: [Descriptor.block(0), Descriptor(bits: 3), EntryFormatTests.table])
  func malformedLeavesFault(_ leaf: Descriptor) {
    #expect(access(.armStage2, leaf).outcome == "translation fault")
    #expect(access(.armStage2, leaf).cached == 1)
  }

  /// Whether a change of a cached block needs a break.
  private func needsBreak(_ format: EntryFormat, _ new: Descriptor) -> Bool {
    let scenario = Scenario(geometry: Self.geometry, format: format)
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], Descriptor.block(0).bits, .relaxed) }
    scenario.require([Sees([.changedWhileCached, .conflictingEntries])])
    scenario.cpu(
      "guest", mmu: MMU(root, speculatesOn: [0]), CPUOperation("read") { try $0.guestRead(1) })
    scenario.cpu(
      "host", CPUOperation("change") { cpu in try cpu.store(root[0], new.bits, .release) })
    return states(of: scenario).ending == .violation
  }

  @Test func onlyArmNeedsABreak() {
    for format in [EntryFormat.armStage1, .armStage2] {
      #expect(needsBreak(format, .block(2)) && !needsBreak(format, Descriptor.block(0).readOnly))
    }
    for format in [EntryFormat.x86, .ept] { #expect(!needsBreak(format, .block(2))) }
  }

  // MARK: Texts

  @Test func textsFollowTheFormat() {
    func texts(_ format: EntryFormat) -> [String] {
      let scenario = Scenario(geometry: Self.geometry, format: format)
      _ = scenario.rootTable()
      let machine = Machine(scenario)
      return [
        (.page(1), 0), (.page(1), 1), (.block(1), 0), (.block(1), 1), (Self.table, 1),
        (.locked, 1), (Descriptor(bits: 5 << 2), 1), (Descriptor(bits: 1 << 40), 1),
      ].map { machine.text(of: $0.0, at: $0.1) }
    }
    #expect(
      texts(.armStage2) == [
        "page 0x1 (a table pointer here)", "page 0x1", "block 0x1 (misaligned)",
        "block 0x1 (reserved here)", "table root (maps a table page here)", "LOCKED",
        "invalid, owner 5", "invalid 0x10000000000",
      ])
    #expect(
      texts(.x86) == [
        "block 0x1 (a table pointer here)", "page 0x1", "block 0x1 (misaligned)", "page 0x1",
        "table root (maps a table page here)", "not present 0x400", "not present 0x14",
        "not present 0x10000000000",
      ])
  }
}
