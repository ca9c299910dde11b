// Table pages: their names, and when others can reach them.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// The entry that points to a page.
private func link(_ page: TablePage) -> UInt64 { Descriptor.table(page).bits }

/// A page; without one the search ends.
private func allocate(_ cpu: VirtualCPU) throws -> TablePage {
  guard let page = try cpu.allocateTable() else { throw NoPage() }
  return page
}

struct PageNameTests {
  /// Two CPUs that allocate and link two pages each: one in a table of its own, one in the root.
  private func scenario() -> Scenario {
    let scenario = Scenario()
    let root = scenario.rootTable()
    for cpu in 0..<2 {
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("install") { cpu in
          for _ in 0..<2 {
            let page = try allocate(cpu)
            try cpu.store(root[cpu.index], link(page), .release)
          }
        })
    }
    return scenario
  }

  @Test(arguments: [[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 1]])
  func pagesAreCalledTheSameInEveryInterleaving(order: [Int]) {
    let machine = Machine(scenario())
    for cpu in order { machine.take(cpu) }
    #expect(machine.pages.map(\.name) == ["root", "cpu 0.0", "cpu 0.1", "cpu 1.0", "cpu 1.1"])
    #expect(machine.pages.map(\.page.id) == [0, 16, 17, 32, 33])
    #expect(machine.entry(of: machine.roots[0], 0).tableID == 17)
    #expect(machine.entry(of: machine.roots[0], 1).tableID == 33)
    #expect(machine.reachableTables.map(\.name) == ["root", "cpu 0.1", "cpu 1.1"])
  }

  @Test func pagesRememberWhoAllocatedThem() {
    let machine = Machine(scenario())
    machine.finish()
    let origins = machine.pages.map { machine.origin(of: $0.page) }
    #expect(origins.first == "there from the start")
    #expect(origins.last == "allocated by cpu 1 in install")
  }

  @Test func pagesAreZeroedWithOneReference() {
    let scenario = Scenario(geometry: Geometry(levels: 3, entries: 4))
    let root = scenario.rootTable()
    scenario.cpu(
      "cpu",
      CPUOperation("install") { cpu in
        let page = try allocate(cpu)
        try cpu.store(root[3], link(page), .release)
        try cpu.getPage(page)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.pages[1].entries == [.invalid, .invalid, .invalid, .invalid])
    #expect(machine.pages[1].references == 2)
    #expect(machine.pages[1].isAllocated)
  }

  @Test func theLastReferenceFreesThePage() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.cpu(
      "cpu",
      CPUOperation("install") { cpu in
        let page = try allocate(cpu)
        try cpu.store(root[0], link(page), .release)
        try cpu.getPage(page)
        try cpu.store(root[0], 0, .release)
        try cpu.putPage(page)
        try cpu.putPage(page)
      })
    let machine = Machine(scenario)
    machine.take(0, 0, 0, 0, 0)
    #expect(machine.pages[1].isAllocated)
    machine.take(0)
    #expect(!machine.pages[1].isAllocated)
    #expect(machine.able == [])
  }

  @Test func moreThan16PagesEndTheSearch() {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("hoard") { cpu in
        try cpu.store(word, 1, .relaxed)
        for _ in 0..<17 { _ = try allocate(cpu) }
      })
    let machine = Machine(scenario)
    #expect(machine.step(0, choice: 0) == .halted)
    let text =
      "cpu allocates more than 16 table pages; give the scenario room for more with "
      + "Scenario(capacity:)"
    #expect(machine.failure == .capacity(text))
  }
}

struct PublicationTests {
  /// Allocating, filling and freeing a private page takes no step at all.
  @Test func pagesOfOnesOwnAreNoSchedulingPoints() {
    let scenario = Scenario()
    for cpu in 0..<3 {
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("prepare") { cpu in
          let page = try allocate(cpu)
          try cpu.store(page[0], 1, .relaxed)
          _ = try cpu.load(page[1], .relaxed)
          _ = try cpu.compareExchange(page[1], expected: 0, desired: 2, .relaxed)
          try cpu.putPage(page)
        })
    }
    let result = interleavings(of: scenario)
    #expect(result.statistics.executions == 1)
    #expect(result.statistics.transitions == 0)
  }

  /// Each CPU links its page in one step: 2 interleavings, 1 class; an access afterwards is a
  /// second step: 4!/(2!·2!) = 6 interleavings.
  @Test func linkingPublishes() {
    func scenario(touchesAfterwards: Bool) -> Scenario {
      let scenario = Scenario()
      let root = scenario.rootTable()
      for cpu in 0..<2 {
        scenario.cpu(
          "cpu \(cpu)",
          CPUOperation("install") { cpu in
            let page = try allocate(cpu)
            try cpu.store(page[0], 1, .relaxed)
            try cpu.store(root[cpu.index], link(page), .release)
            if touchesAfterwards { try cpu.store(page[0], 2, .relaxed) }
          })
      }
      return scenario
    }
    let once = scenario(touchesAfterwards: false)
    #expect(interleavings(of: once).statistics.executions == 2)
    #expect(classes(of: once).statistics.executions == 1)
    let twice = scenario(touchesAfterwards: true)
    #expect(interleavings(of: twice).statistics.executions == 6)
    #expect(classes(of: twice).statistics.executions == 1)
  }

  /// A lower table is published with the upper one it is linked into.
  ///
  /// Linking the two takes no step, because they are private. One step publishes both, and the
  /// following stores are two more.
  @Test func linkingPublishesTheTablesBelow() {
    let scenario = Scenario(geometry: Geometry(levels: 3, entries: 2))
    let root = scenario.rootTable()
    scenario.cpu(
      "cpu",
      CPUOperation("install") { cpu in
        let upper = try allocate(cpu)
        let lower = try allocate(cpu)
        try cpu.store(upper[1], link(lower), .relaxed)
        try cpu.store(lower[0], 5, .relaxed)
        try cpu.store(root[0], link(upper), .release)
        try cpu.store(lower[0], 6, .relaxed)
        try cpu.store(upper[0], 7, .relaxed)
      })
    let result = interleavings(of: scenario)
    #expect(result.statistics.depthMax == 3)
    let machine = Machine(scenario)
    machine.take(0)
    #expect(machine.reachableTables.map(\.name) == ["root", "cpu.0", "cpu.1"])
  }

  /// A compare-exchange that loses links nothing, so the page stays the CPU's own.
  @Test func losingTheRaceDoesNotPublish() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in try cpu.store(root[0], Descriptor.locked.bits, .relaxed) }
    scenario.cpu(
      "cpu",
      CPUOperation("install") { cpu in
        let page = try allocate(cpu)
        _ = try cpu.compareExchange(root[0], expected: 0, desired: link(page), .release)
        try cpu.store(page[0], 1, .relaxed)
        try cpu.free(page)
      })
    #expect(interleavings(of: scenario).statistics.depthMax == 1)
  }

  @Test func publishLetsOthersReachAPage() {
    let scenario = Scenario()
    let slot = scenario.word("slot")
    scenario.cpu(
      "owner",
      CPUOperation("publish") { cpu in
        let page = try allocate(cpu)
        try cpu.publish(page)
        try cpu.store(slot, link(page), .release)
      })
    scenario.cpu("other", reading(slot))
    #expect(classes(of: scenario).ending == .complete)
    #expect(classes(of: scenario).statistics.executions == 2)
  }

  @Test func reachingAnUnpublishedPageEndsTheSearch() {
    let scenario = Scenario()
    let slot = scenario.word("slot")
    scenario.cpu(
      "owner",
      CPUOperation("forget") { cpu in
        let page = try allocate(cpu)
        try cpu.store(slot, link(page), .release)
      })
    scenario.cpu("other", reading(slot))
    let machine = Machine(scenario)
    machine.take(0)
    #expect(machine.step(1, choice: 0) == .halted)
    #expect(machine.failure == .unpublished(cpu: 1, page: "owner.0"))
    #expect(classes(of: scenario).ending == .halted)
  }

  private func reading(_ slot: Location) -> CPUOperation {
    CPUOperation("read") { cpu in
      let found = Descriptor(bits: try cpu.load(slot, .acquire))
      if let page = cpu.table(at: found) { _ = try cpu.load(page[0], .relaxed) }
    }
  }
}
