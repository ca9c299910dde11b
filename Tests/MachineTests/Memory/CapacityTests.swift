// The capacity of a scenario: more if it asks for it, and a clear error if it does not.

import Gracewalk
import GracewalkChecking
import TestSupport
import Testing

struct CapacityTests {
  private func problem(_ capacity: Capacity, _ fill: (Scenario) -> Void) -> String? {
    let scenario = Scenario(capacity: capacity)
    fill(scenario)
    return scenario.problem?.split(separator: ": ", maxSplits: 1).last.map(String.init)
  }

  private func addWords(_ count: Int) -> (Scenario) -> Void {
    { scenario in for number in 0..<count { _ = scenario.word("w\(number)") } }
  }

  @Test func words() {
    #expect(problem(.standard, addWords(4_094)) == nil)
    let most =
      "the scenario has room for 4094 words, of which a lock for readers and writers takes 63 and "
      + "a data frame three: give it room for more with Scenario(capacity:)"
    #expect(problem(.standard, addWords(4_095)) == most)
    #expect(problem(Capacity(words: 5_000), addWords(5_000)) == nil)
    #expect(problem(Capacity(words: 2), addWords(3)) != nil)
  }

  @Test func impossibleCapacities() {
    #expect(
      problem(Capacity(words: 0)) { _ in }
        == "a capacity of 0 for words is impossible: it is from 1 to 16777216")
    #expect(
      problem(Capacity(pagesPerCPU: .max)) { _ in }
        == "a capacity of \(Int.max) for pagesPerCPU is impossible: it is from 1 to 1024")
    #expect(
      problem(Capacity(callbacksPerCPU: -1)) { _ in }
        == "a capacity of -1 for callbacksPerCPU is impossible: it is from 1 to 4096")
  }

  /// A word beyond the default capacity is a word like any other.
  @Test func aWordFarBehindIsAWord() {
    let scenario = Scenario(capacity: Capacity(words: 10_000))
    var last = scenario.word("first")
    for number in 0..<9_000 { last = scenario.word("w\(number)") }
    let word = last
    for name in ["a", "b"] {
      scenario.cpu(name, CPUOperation("add") { _ = try $0.fetchAdd(word, 1, .relaxed) })
    }
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.failure == nil)
    #expect(machine.value(of: word) == 2)
    #expect(states(of: scenario).statistics.states == 4)
  }

  @Test(arguments: [17, 900]) func pages(count: Int) {
    let scenario = Scenario(capacity: Capacity(pagesPerCPU: count))
    let root = scenario.rootTable()
    for name in ["a", "b"] {
      scenario.cpu(
        name,
        CPUOperation("link") { cpu in
          var last = root
          for _ in 0..<count {
            guard let page = try cpu.allocateTable() else { return }
            guard cpu.page(at: page.address(ofEntry: 1)) == page else { return }
            try cpu.store(last[name == "a" ? 0 : 1], Descriptor.table(page).bits, .release)
            last = page
          }
        })
    }
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.failure == nil)
    // The last page is linked to all before it, and can be reached only through them.
    #expect(machine.reachableTables.count == 1 + 2 * count)
  }

  @Test func slabsHaveABitForEachPage() {
    let many = Capacity(pagesPerCPU: 100)
    #expect(problem(many) { _ = $0.slab("s", pages: 64) } == nil)
    #expect(
      problem(many) { _ = $0.slab("s", pages: 65) } == "a slab of 65 pages: it has at most 64")
    let scenario = Scenario(capacity: many)
    let slab = scenario.slab("s", pages: 64)
    scenario.cpu(
      "cpu",
      CPUOperation("take all") { cpu in
        for _ in 0..<64 { _ = try cpu.allocate(from: slab) }
        try cpu.free(slab[63], to: slab)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.failure == nil)
    #expect((0..<64).filter { machine.isFreeInSlab(slab[$0]) } == [63])
  }

  @Test func callbacks() {
    for capacity in [Capacity(callbacksPerCPU: 17), .standard] {
      let scenario = Scenario(capacity: capacity)
      let word = scenario.word("word")
      scenario.cpu(
        "cpu", usesCallbacks: true,
        CPUOperation("queue") { cpu in
          for _ in 0..<17 { try cpu.callRCU { _ = try $0.fetchAdd(word, 1, .relaxed) } }
          try cpu.rcuBarrier()
        })
      let machine = Machine(scenario)
      while machine.failure == nil, let cpu = machine.able.first {
        _ = machine.step(cpu, choice: 0)
      }
      if capacity == .standard {
        let text =
          "cpu queues more than 16 callbacks; give the scenario room for more with "
          + "Scenario(capacity:)"
        #expect(machine.failure == .capacity(text))
      } else {
        #expect(machine.failure == nil)
        #expect(machine.value(of: word) == 17)
      }
    }
  }
}

/// Addresses of a table that hardware walks have 16 bits, and all of them can be used.
struct AddressCapacityTests {
  private func model(
    levels: Int = 2, entries: Int = 256, hasMMU: Bool = true,
    _ body: @escaping @Sendable (VirtualCPU, TablePage) throws -> Void
  ) -> Model {
    Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
      let scenario = Scenario(geometry: Geometry(levels: levels, entries: entries))
      scenario.features.rangeInvalidation = true
      let root = scenario.rootTable()
      scenario.boot { cpu in
        guard levels == 2, let table = try cpu.allocateTable() else { return }
        try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
        try cpu.store(root[0], Descriptor.table(table).bits, .release)
      }
      if hasMMU {
        scenario.cpu("guest", mmu: MMU(root), CPUOperation("read") { try $0.guestRead(0) })
      }
      scenario.cpu("host", CPUOperation("change") { try body($0, root) })
      scenario.require(NoStaleUseAfterDSB())
      return scenario
    }
  }

  private func outcome(_ model: Model) -> String {
    do {
      let report = try model.check()
      return report.violatedInvariant ?? "\(report.verdict)"
    } catch {
      let text = "\(error)"
      return text.split(separator: ": ").dropFirst(2).joined(separator: ": ")
    }
  }

  private func unmap(
    _ cpu: VirtualCPU, _ root: TablePage, _ invalidation: TLBInvalidation
  ) throws {
    try cpu.store(root[0], 0, .relaxed)
    try cpu.dsb()
    try cpu.tlbi(invalidation, of: root)
    try cpu.dsb()
    try cpu.expectUntranslated(root, 0)
  }

  @Test func anInvalidationOfAllAddressesIsOne() {
    #expect(
      outcome(model { cpu, root in try unmap(cpu, root, .range(0, count: 65_536)) }) == "holds")
    #expect(
      outcome(model { cpu, root in try unmap(cpu, root, .range(512, count: 65_024)) })
        == "no-stale-use-after-dsb")
  }

  @Test func aClaimAboutAllAddressesIsOne() {
    #expect(
      outcome(model { cpu, root in try cpu.expectUntranslated(root, 0..<65_536) })
        == "no-stale-use-after-dsb")
    #expect(
      outcome(model { cpu, root in try cpu.expectUntranslated(root, 1..<65_536) }) == "holds")
  }

  @Test func moreAddressesThanAnActionHasBitsForAreRefused() {
    let rest =
      " is about a table of at most 65536 addresses, and this has 262144: use fewer levels or "
      + "entries"
    #expect(
      outcome(
        model(levels: 3, entries: 64, hasMMU: false) { cpu, root in
          try cpu.expectUntranslated(root, 0x10000)
        }) == "host in change: a claim" + rest)
    #expect(
      outcome(
        model(levels: 3, entries: 64, hasMMU: false) { cpu, root in
          try cpu.tlbi(.address(0x10000), of: root)
        }) == "host in change: a TLBI" + rest)
  }

  /// Entries of the largest page have addresses within it.
  @Test func entriesFitTheirPage() {
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 512))
    let root = scenario.rootTable()
    let machine = Machine(scenario)
    #expect(machine.entry(at: root.address(ofEntry: 511)) == root[511])
    #expect(machine.entry(at: root.address(ofEntry: 511) + 4) == nil)
    #expect(machine.page(at: root.address - 1) == nil)
  }
}
