// The machine's events about pages, seen through an invariant that fails on every event.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct PageEventTests {
  /// The first event, if CPUs with these bodies run one after the other.
  ///
  /// One table page, "boot.1", exists from the start, linked at `root[0]`.
  private func report(
    _ kind: EventKinds, requirements: Machine.Requirements = [],
    _ bodies: (@Sendable (VirtualCPU, TablePage) throws -> Void)...
  ) -> String? {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
    }
    for (number, body) in bodies.enumerated() {
      scenario.cpu("cpu \(number)", CPUOperation("run") { cpu in try body(cpu, root) })
    }
    scenario.require(Sees(kind, requirements: requirements))
    let machine = Machine(scenario)
    while machine.violation == nil, let cpu = machine.able.first {
      _ = machine.step(cpu, choice: 0)
    }
    return machine.violation?.report.message
  }

  /// The page at `root[0]`.
  private static func found(_ cpu: VirtualCPU, _ root: TablePage) throws -> TablePage {
    guard let page = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire))) else {
      throw NoPage()
    }
    return page
  }

  @Test func accessAfterFree() {
    let message = report(
      .accessAfterFree, { cpu, root in try cpu.free(try Self.found(cpu, root)) },
      { cpu, root in _ = try cpu.load(try Self.found(cpu, root)[1], .relaxed) })
    #expect(message == "cpu 1, boot.1, boot.1[1]")
  }

  @Test func accessOfAnAllocatedPageIsNone() {
    let message = report(.accessAfterFree) { cpu, root in
      try cpu.store(try Self.found(cpu, root)[0], 1, .relaxed)
    }
    #expect(message == nil)
  }

  /// References and the private word belong to the page as its entries do.
  @Test func headerWordsCountAsThePage() {
    let references = report(.accessAfterFree) { cpu, root in
      let page = try Self.found(cpu, root)
      try cpu.free(page)
      try cpu.getPage(page)
    }
    #expect(references == "cpu 0, boot.1, boot.1.references")
    let privateWord = report(.accessAfterFree) { cpu, root in
      let page = try Self.found(cpu, root)
      try cpu.free(page)
      _ = try cpu.load(page.privateWord, .relaxed)
    }
    #expect(privateWord == "cpu 0, boot.1, boot.1.private")
  }

  @Test func doubleFree() {
    let twice: @Sendable (VirtualCPU, TablePage) throws -> Void = { cpu, root in
      try cpu.free(try Self.found(cpu, root))
    }
    #expect(report(.freeOfFreedPage, twice, twice) == "cpu 1, boot.1, boot.1")
    #expect(report(.freeOfFreedPage, twice) == nil)
  }

  @Test func linkedTwice() {
    let message = report(.linkedAgain) { cpu, root in
      let page = try Self.found(cpu, root)
      try cpu.store(root[1], Descriptor.table(page).bits, .relaxed)
    }
    #expect(message == "cpu 0, boot.1, root[1]")
  }

  @Test func movedIsNotLinkedTwice() {
    let message = report(.linkedAgain) { cpu, root in
      let page = try Self.found(cpu, root)
      try cpu.store(root[0], 0, .relaxed)
      try cpu.store(root[1], Descriptor.table(page).bits, .relaxed)
      // The same value once more links nothing new.
      try cpu.store(root[1], Descriptor.table(page).bits, .relaxed)
    }
    #expect(message == nil)
  }

  @Test(arguments: [false, true])
  func freedInAGracePeriod(waits: Bool) {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
    }
    scenario.cpu(
      "reader",
      CPUOperation("walk") { cpu in
        try cpu.rcuReadLock()
        _ = try cpu.load(root[0], .acquire)
        try cpu.rcuReadUnlock()
      })
    scenario.cpu(
      "remover",
      CPUOperation("remove") { cpu in
        let page = try Self.found(cpu, root)
        try cpu.store(root[0], 0, .relaxed)
        if waits { try cpu.synchronizeRCU() }
        try cpu.free(page)
      })
    scenario.require(Sees(.freedInGracePeriod, requirements: .readersAtUnlink))
    #expect(classes(of: scenario).ending == (waits ? .complete : .violation))
    #expect(states(of: scenario).ending == (waits ? .complete : .violation))
  }

  /// Frees are reported in every order in which the search takes the two CPUs.
  @Test func raceOfTwoFreesIsFoundByBothSearches() {
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root[0], Descriptor.table(page).bits, .relaxed)
    }
    for name in ["first", "second"] {
      scenario.cpu(
        name,
        CPUOperation("remove") { cpu in
          let found = Descriptor(bits: try cpu.load(root[0], .acquire))
          guard let page = cpu.table(at: found) else { return }
          try cpu.store(root[0], 0, .release)
          try cpu.free(page)
        })
    }
    scenario.require(Sees(.freeOfFreedPage))
    #expect(classes(of: scenario).ending == .violation)
    #expect(interleavings(of: scenario).ending == .violation)
  }
}
