// The waits of CPUs, the freeing of roots, and names in traces.

import Gracewalk
import Testing

@Suite struct AtomicSectionTests {
  private func waiting(
    _ enter: @escaping @Sendable (VirtualCPU, SpinLock, ReadWriteLock) throws -> Void,
    barrier: Bool, _ leave: @escaping @Sendable (VirtualCPU, SpinLock, ReadWriteLock) throws -> Void
  ) throws -> Finding {
    try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      let (spin, readWrite) = (scenario.spinLock("lock"), scenario.readWriteLock("mmap_lock"))
      scenario.cpu(
        "a",
        CPUOperation("wait") { cpu in
          try enter(cpu, spin, readWrite)
          if barrier { try cpu.rcuBarrier() } else { try cpu.synchronizeRCU() }
          try leave(cpu, spin, readWrite)
        })
    }
  }

  /// A CPU that must not sleep must not wait for a grace period; it may hold a reader-writer
  /// semaphore.
  @Test(arguments: [true, false])
  func atomicContextsMustNotWait(barrier: Bool) throws {
    let grace = GracePeriodSafety.id
    #expect(
      try waiting({ cpu, lock, _ in try cpu.lock(lock) }, barrier: barrier) { cpu, lock, _ in
        try cpu.unlock(lock)
      } == .violates(grace, "a waits for a grace period while it holds the spin lock lock"))
    #expect(
      try waiting({ cpu, _, _ in try cpu.maskInterrupts() }, barrier: barrier) { cpu, _, _ in
        try cpu.unmaskInterrupts()
      } == .violates(grace, "a waits for a grace period while its own interrupts are masked"))
    #expect(
      try waiting({ cpu, _, _ in try cpu.rcuReadLock() }, barrier: barrier) { cpu, _, _ in
        try cpu.rcuReadUnlock()
      } == .violates(grace, "a waits for a grace period inside its own read-side section"))
    #expect(
      try waiting({ cpu, _, lock in try cpu.writeLock(lock) }, barrier: barrier) { cpu, _, lock in
        try cpu.writeUnlock(lock)
      } == .holds)
  }
}

@Suite struct FreedRootTests {
  private static let use = NoUseAfterFree.id

  @Test(arguments: [true, false])
  func aRootIsNotFreedWhereWalksBegin(byReference: Bool) throws {
    let found = try finding(requiring: InvariantCatalogue.tables) { scenario, root in
      scenario.cpu(
        "a",
        CPUOperation("free root") { cpu in
          if byReference { _ = try cpu.putPage(root) } else { try cpu.free(root) }
        })
    }
    #expect(
      found
        == .violates(
          Self.use, "a frees root table root, where walks begin",
          ["a root may be freed only with its context, and the scenario has no context to release"])
    )
  }

  private func teardown(releases: Bool, mmu: Bool) throws -> Finding {
    try finding(requiring: [NoUseAfterFree(), NoDoubleFree(), TeardownOrder()]) { scenario, root in
      let vm = scenario.context("vm", ownsPages: true)
      if mmu {
        scenario.cpu("vcpu", mmu: MMU(root, speculatesOn: [0], times: 1), [])
      }
      scenario.cpu(
        "teardown",
        CPUOperation("destroy") { cpu in
          try cpu.free(root)
          if releases { try cpu.release(vm) }
        })
    }
  }

  /// A root may be freed with its context, but not while an MMU still walks it.
  @Test func aRootGoesWithItsContext() throws {
    #expect(try teardown(releases: true, mmu: false) == .holds)
    #expect(
      try teardown(releases: false, mmu: false)
        == .violates(
          Self.use,
          "root table root, where walks begin, is freed, but no context that could own it was "
            + "released"))
    let walked = try teardown(releases: true, mmu: true)
    let use = "vcpu/mmu uses root[0] after table page root was freed"
    #expect(walked == .violates(Self.use, use, ["root was there from the start"]))
  }
}

@Suite struct WaitingTextTests {
  /// The holder of a lock that all others wait for.
  @Test func aDeadlockNamesTheHolders() throws {
    let found = try finding { scenario, _ in
      let locks = [scenario.spinLock("left"), scenario.spinLock("right")]
      for cpu in 0..<2 {
        let order = cpu == 0 ? locks : [locks[1], locks[0]]
        scenario.cpu(
          "cpu \(cpu)",
          CPUOperation("hold both") { cpu in
            for lock in order { try cpu.lock(lock) }
            for lock in order { try cpu.unlock(lock) }
          })
      }
    }
    #expect(
      found
        == .violates(
          "progress", "deadlock: cpu 0 and cpu 1 can never continue",
          [
            "cpu 0 waits at: lock right, held by cpu 1 since hold both",
            "cpu 1 waits at: lock left, held by cpu 0 since hold both",
          ]))
  }

  @Test func aWaitSaysWhatTheWordIs() throws {
    let found = try finding { scenario, _ in
      let word = scenario.word("ready", initial: 2)
      scenario.cpu("a", CPUOperation("wait") { cpu in try cpu.wait(until: word, .equals(1)) })
    }
    #expect(
      found
        == .violates(
          "progress", "deadlock: a can never continue", ["a waits at: wait ready = 1, which is 2"]))
  }

  /// A reader that never leaves: the grace period waits for it, and so does an interrupt.
  @Test func aGracePeriodNamesTheAwaitedCPUs() throws {
    let grace = try finding(only: ["progress"]) { scenario, _ in
      let word = scenario.word("never")
      scenario.cpu(
        "a",
        CPUOperation("read") { cpu in
          try cpu.rcuReadLock()
          try cpu.maskInterrupts()
          try cpu.wait(until: word, .equals(1))
        })
      scenario.cpu("b", CPUOperation("update") { cpu in try cpu.synchronizeRCU() })
      scenario.cpu("c", CPUOperation("send") { cpu in try cpu.interruptOthers() })
      scenario.cpu(
        "d", usesCallbacks: true,
        CPUOperation("defer") { cpu in
          try cpu.callRCU { _ in }
          try cpu.rcuBarrier()
        })
    }
    // The fewest CPUs that can be stuck are those that began to wait while a was inside. The others
    // depend on the schedule, so only these are compared.
    #expect(grace.invariant == "progress")
    #expect(grace.details.first == "a waits at: wait never = 1, which is 0")
  }

  /// All of them wait for the same reader.
  @Test func everyKindOfWaitNamesTheAwaitedCPUs() {
    let scenario = Scenario()
    let word = scenario.word("never")
    scenario.cpu(
      "a",
      CPUOperation("read") { cpu in
        try cpu.rcuReadLock()
        try cpu.maskInterrupts()
        try cpu.wait(until: word, .equals(1))
      })
    scenario.cpu("b", CPUOperation("update") { cpu in try cpu.synchronizeRCU() })
    scenario.cpu("c", CPUOperation("send") { cpu in try cpu.interruptOthers() })
    scenario.cpu(
      "d", usesCallbacks: true,
      CPUOperation("defer") { cpu in
        try cpu.callRCU { _ in }
        try cpu.rcuBarrier()
      })
    let machine = Machine(scenario)
    for cpu in [0, 0, 1, 2, 3, 3] { _ = machine.step(cpu, choice: 0) }
    let reader = "in a read-side section since read"
    let masked = "with masked interrupts since read"
    #expect(machine.stuckCPUs == [0, 1, 2, 3, 4])
    #expect(
      machine.stuckCPUs.map { machine.waitingText(of: $0) } == [
        "wait never = 1, which is 0",
        "synchronize: grace period over, for a, \(reader) and \(masked)",
        "ipi: all taken, for a, \(masked)",
        "rcu barrier: callbacks done, for a callback of d",
        "callback: grace period over, for a, \(reader) and \(masked)",
      ])
  }
}

@Suite struct NamingTests {
  /// A page that is kept in a word is not leaked.
  @Test func aPageInAWordIsHeldThere() throws {
    let scenario = Scenario()
    _ = scenario.rootTable()
    let cache = scenario.word("cache")
    scenario.cpu(
      "a",
      CPUOperation("keep") { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.publish(table)
        try cpu.store(cache, table.address, .release)
        try cpu.store(cache, 0, .release)
      })
    let machine = Machine(scenario)
    let line = "a.0: [0] invalid  [1] invalid"
    #expect(machine.tableText().last == "unreachable: \(line)")
    _ = machine.step(0, choice: 0)
    #expect(machine.tableText().last == "held in cache: \(line)")
    _ = machine.step(0, choice: 0)
    #expect(machine.tableText().last == "unreachable: \(line)")
  }

  /// An address without a page is reported as a wild pointer.
  @Test func wildPointersAreNamed() throws {
    let wild = { @Sendable (scenario: Scenario, free: Bool) in
      let word = scenario.word("word")
      scenario.cpu(
        "a",
        CPUOperation("follow") { cpu in
          _ = try cpu.load(word, .relaxed)
          // The first page this CPU would allocate.
          guard let own = try cpu.allocateTable() else { return }
          let next = Descriptor(bits: Descriptor.table(own).bits + 0x1000)
          guard let page = cpu.table(at: next) else { return }
          if free { try cpu.free(page) } else { _ = try cpu.load(page[0], .relaxed) }
        })
    }
    #expect(
      try finding(requiring: [NoUseAfterFree()]) { scenario, _ in wild(scenario, false) }
        == .violates(
          "no-use-after-free",
          "a uses a.1[0] through a wild pointer: page a.1 was never allocated"))
    #expect(
      try finding(requiring: [NoDoubleFree()]) { scenario, _ in wild(scenario, true) }
        == .violates(
          "no-double-free", "a frees through a wild pointer: page a.1 was never allocated"))
    #expect(
      try finding(requiring: [TeardownOrder()]) { scenario, _ in
        _ = scenario.context("vm")
        scenario.cpu("a", CPUOperation("use") { cpu in try cpu.use(contextAt: 0x40) })
      } == .violates("teardown-order", "a uses a wild pointer: no context is at 0x40"))
  }

  /// Traces and coverage use the same names for the states of an entry.
  @Test func entriesHaveOneSetOfWords() {
    let page = Descriptor.page(0)
    let machine = Machine(Scenario())
    for entry in [
      page, page.readOnly, page.writableClean, page.withoutAccessFlag,
      page.readOnly.withoutAccessFlag, page.writableClean.withoutAccessFlag,
    ] {
      #expect(machine.text(of: entry) == entry.kind.text(leaf: "page 0x0"))
    }
  }
}
