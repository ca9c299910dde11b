// Typed words: the same words, read as values of a type.

import GracewalkMachine
import TestSupport
import Testing

struct TypedWordTests {
  private func final<Value>(
    _ initial: Value, _ body: @escaping @Sendable (VirtualCPU, Word<Value>) throws -> Void
  ) -> Value {
    let scenario = Scenario()
    let word = scenario.variable("word", initial: initial)
    scenario.cpu("cpu", runs: "run") { cpu in try body(cpu, word) }
    let machine = Machine(scenario)
    machine.finish()
    return machine.value(of: word)
  }

  @Test func aFlagIsTrueOrFalse() {
    #expect(final(false) { cpu, flag in try cpu.store(flag, true, .release) })
    #expect(
      !final(true) { cpu, flag in
        let taken = try cpu.exchange(flag, false, .acquireRelease)
        if !taken { try cpu.store(flag, true, .relaxed) }
      })
  }

  @Test func aNumberMayBeNegative() {
    #expect(final(-3) { cpu, number in _ = try cpu.fetchAdd(number, -2, .relaxed) } == -5)
    #expect(
      final(1) { cpu, number in
        let before = try cpu.fetchAdd(number, -1, .relaxed)
        if before == 1 { try cpu.store(number, Int.min, .relaxed) }
      } == Int.min)
  }

  @Test func anEntryHoldsADescriptor() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.cpu("cpu", runs: "map") { cpu in
      let first = try cpu.compareExchange(
        root.entry(1), expected: .invalid, desired: .block(0), .release)
      let second = try cpu.compareExchange(
        root.entry(1), expected: .invalid, desired: .block(2), .release)
      if first.exchanged, !second.exchanged, second.original == .block(0) {
        try cpu.store(root.entry(1), .block(0).readOnly, .release)
      }
    }
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.value(of: root.entry(1)) == .block(0).readOnly)
    #expect(machine.value(of: root[1]) == Descriptor.block(0).readOnly.bits)
    #expect(root.entry(of: 2, at: 0) == root.entry(1))
    #expect(root.entry(of: 3, at: 1) == root.entry(1))
  }

  @Test func aCompareExchangeThatIsTriedTellsWhetherItWon() {
    #expect(
      final(1) { cpu, number in
        let won = try cpu.tryCompareExchange(number, 1, 2, .acquire)
        let lost = try cpu.tryCompareExchange(number, 1, 3, .acquire)
        if won, !lost { try cpu.store(number, 4, .relaxed) }
      } == 4)
  }

  @Test func anEntryCoversAddresses() {
    let geometry = Geometry(levels: 3, entries: 2)
    #expect(geometry.addresses(sharingEntryWith: 5, at: 0) == 4..<8)
    #expect(geometry.addresses(sharingEntryWith: 5, at: 1) == 4..<6)
    #expect(geometry.addresses(sharingEntryWith: 5, at: 2) == 5..<6)
  }

  private enum Phase: UInt64, WordValue, CaseIterable { case idle, busy }

  /// A number that stands for none of its cases is a mistake in the model.
  @Test(arguments: [1, 2])
  func anEnumerationIsANumber(written: UInt64) {
    let scenario = Scenario()
    let phase = scenario.variable("phase", initial: Phase.idle)
    let seen = scenario.variable("seen", initial: Phase.idle)
    scenario.cpu("cpu", runs: "write") { cpu in
      try cpu.store(Location(phase), written, .relaxed)
      try cpu.store(seen, try cpu.load(phase, .relaxed), .relaxed)
    }
    let machine = Machine(scenario)
    machine.finish()
    let text = machine.failure.map { machine.text(of: $0) } ?? ""
    #expect(text.contains("holds 2, which is no Phase") == (written == 2), "\(text)")
    if written == 1 { #expect(machine.value(of: seen) == .busy) }
  }

  /// Each is a mistake in the model, named with its place.
  @Test func addressesAndLevelsAreChecked() {
    for isLevel in [true, false] {
      let scenario = Scenario()
      let root = scenario.rootTable()
      scenario.cpu("cpu", runs: "map") { cpu in
        let entry = isLevel ? root.entry(of: 0, at: 2) : root.entry(of: 4, at: 1)
        try cpu.store(entry, .invalid, .relaxed)
      }
      let machine = Machine(scenario)
      machine.finish()
      let text = machine.failure.map { machine.text(of: $0) } ?? ""
      #expect(
        text.contains(isLevel ? "there is no level 2" : "there is no address 0x4"), "\(text)")
      #expect(text.contains("TypedWordTests.swift:"), "\(text)")
    }
  }
}
