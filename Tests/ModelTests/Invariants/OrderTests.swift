// Ordering of CPUs: the sections that grace periods wait for, and locks still held at the end.

import Gracewalk
import Testing

/// A verdict with its message.
struct Finding: Equatable {
  var invariant: String?
  var message = "holds"
  var details: [String] = []

  static let holds = Finding()

  static func violates(_ id: String, _ message: String, _ details: [String] = []) -> Finding {
    Finding(invariant: id, message: message, details: details)
  }
}

/// The outcome of a check, the same for every search.
func finding(
  requiring invariants: [any Invariant] = [], only ids: [String]? = nil,
  _ fill: @escaping @Sendable (Scenario, TablePage) -> Void
) throws -> Finding {
  let model = Model(name: "order", summary: "order", scenario: "order", expectation: .holds) { _ in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    fill(scenario, scenario.rootTable())
    scenario.require(invariants)
    return scenario
  }
  var found: [Finding] = []
  for strategy in [Strategy.stateful, .optimal, .source, .exhaustive] {
    var options = CheckOptions()
    options.strategy = strategy
    options.invariants = ids
    let report = try model.check(options)
    guard case .violated(let id, let violation) = report.counterexample?.recording.end else {
      #expect(report.verdict == .holds)
      found.append(.holds)
      continue
    }
    found.append(.violates(id, violation.message, violation.details))
  }
  #expect(found.allSatisfy { $0 == found[0] })
  return found[0]
}

/// A linked table, a walker that reads it, and a CPU that frees it.
private enum Reader { case masked, inSection, bare, overlapping }
private enum Free { case callback, synchronize, interrupt, atOnce }

private func walkAndFree(
  _ kind: ReadCopyUpdate, _ reader: Reader, _ free: Free, _ scenario: Scenario, _ root: TablePage
) {
  scenario.readCopyUpdate = kind
  scenario.boot { cpu in
    guard let table = try cpu.allocateTable() else { return }
    try cpu.store(root[0], Descriptor.table(table).bits, .release)
  }
  scenario.cpu(
    "walker",
    CPUOperation("walk") { cpu in
      if reader == .masked { try cpu.maskInterrupts() }
      if reader == .inSection || reader == .overlapping { try cpu.rcuReadLock() }
      if let table = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire))) {
        if reader == .overlapping {
          try cpu.maskInterrupts()
          try cpu.rcuReadUnlock()
        }
        _ = try cpu.load(table[0], .relaxed)
        if reader == .overlapping { try cpu.unmaskInterrupts() }
      } else if reader == .overlapping {
        try cpu.rcuReadUnlock()
      }
      if reader == .masked { try cpu.unmaskInterrupts() }
      if reader == .inSection { try cpu.rcuReadUnlock() }
    })
  scenario.cpu(
    "freer", usesCallbacks: free == .callback,
    CPUOperation("free") { cpu in
      let entry = Descriptor(bits: try cpu.exchange(root[0], 0, .acquireRelease))
      guard let table = cpu.table(at: entry) else { return }
      switch free {
      case .callback: try cpu.callRCU { cpu in try cpu.free(table) }
      case .synchronize: try cpu.synchronizeRCU()
      case .interrupt: try cpu.interruptOthers()
      case .atOnce: break
      }
      if free != .callback { try cpu.free(table) }
    })
}

@Suite struct GracePeriodKindTests {
  private static let usedAfterFree = "walker uses boot.1[0] after table page boot.1 was freed"

  private func isSafe(_ kind: ReadCopyUpdate, _ reader: Reader, _ free: Free) throws -> Bool {
    let found = try finding(requiring: [NoUseAfterFree(), NoLeakedTablePage()]) {
      walkAndFree(kind, reader, free, $0, $1)
    }
    if found == .holds { return true }
    #expect(found.message == Self.usedAfterFree)
    return false
  }

  /// Since Linux 4.20, grace periods wait for masked interrupts: GUP-fast against tables that are
  /// freed in an RCU callback.
  @Test func maskedInterruptsHoldUpConsolidatedGracePeriods() throws {
    #expect(try isSafe(.consolidated, .masked, .callback))
    #expect(try isSafe(.consolidated, .masked, .synchronize))
    #expect(try isSafe(.consolidated, .inSection, .callback))
    #expect(try isSafe(.consolidated, .inSection, .synchronize))
  }

  /// No CPU may still hold a page when it is freed, whether it uses the page or not.
  @Test(arguments: [ReadCopyUpdate.consolidated, .separate])
  func freedPagesAreHeldByNoCPU(_ kind: ReadCopyUpdate) throws {
    let found = try finding(requiring: [GracePeriodSafety()]) {
      walkAndFree(kind, .masked, .callback, $0, $1)
    }
    let message =
      "freer/rcu frees table page boot.1 while walker may still hold it: with masked interrupts "
      + "since before the page was unlinked"
    #expect(found == (kind == .consolidated ? .holds : .violates("grace-period-safety", message)))
  }

  @Test func theyDoNotHoldUpSeparateOnes() throws {
    #expect(try !isSafe(.separate, .masked, .callback))
    #expect(try !isSafe(.separate, .masked, .synchronize))
    #expect(try isSafe(.separate, .inSection, .callback))
    #expect(try isSafe(.separate, .inSection, .synchronize))
  }

  @Test(arguments: [ReadCopyUpdate.consolidated, .separate])
  func withoutEitherSideNothingIsSafe(_ kind: ReadCopyUpdate) throws {
    #expect(try !isSafe(kind, .masked, .atOnce))
    #expect(try !isSafe(kind, .bare, .callback))
    #expect(try !isSafe(kind, .bare, .synchronize))
  }

  /// A CPU in a section takes an interrupt at once, so waiting for it is not a grace period.
  @Test(arguments: [ReadCopyUpdate.consolidated, .separate])
  func interruptsDoNotWaitForSections(_ kind: ReadCopyUpdate) throws {
    #expect(try isSafe(kind, .masked, .interrupt))
    #expect(try !isSafe(kind, .inSection, .interrupt))
  }

  /// A section that is left while interrupts are masked lasts until they are unmasked.
  @Test func overlappingSectionsAreOne() throws {
    #expect(try isSafe(.consolidated, .overlapping, .callback))
    #expect(try isSafe(.consolidated, .overlapping, .synchronize))
    #expect(try !isSafe(.separate, .overlapping, .synchronize))
  }
}

@Suite struct HeldAtTheEndTests {
  private static let locks = LocksHeldByReleaser.id
  private static let grace = GracePeriodSafety.id

  /// Memory runs out, and the error path forgets the lock.
  @Test func aLockThatAnErrorPathForgets() throws {
    let found = try finding(requiring: InvariantCatalogue.tables) { scenario, root in
      let lock = scenario.spinLock("mmu_lock")
      scenario.mayRunOutOfMemory = true
      scenario.cpu(
        "a",
        CPUOperation("map") { cpu in
          try cpu.lock(lock)
          guard let table = try cpu.allocateTable() else { return 1 }
          try cpu.getPage(root)
          try cpu.store(root[0], Descriptor.table(table).bits, .release)
          try cpu.unlock(lock)
          return 0
        })
    }
    #expect(found == .violates(Self.locks, "a has ended and still holds mmu_lock since map"))
  }

  @Test func readersAndWritersThatHoldALock() throws {
    let found = try finding { scenario, _ in
      let (first, second) = (scenario.readWriteLock("first"), scenario.readWriteLock("second"))
      scenario.cpu(
        "a",
        CPUOperation("read") { cpu in try cpu.readLock(first) },
        CPUOperation("write") { cpu in try cpu.writeLock(second) })
    }
    #expect(
      found
        == .violates(
          Self.locks, "a has ended and still holds first for reading since read",
          ["a has ended and still holds second for writing since write"]))
  }

  /// A lock or section that spans two operations is released in the second.
  @Test func spanningOperationsIsAllowed() throws {
    let found = try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      let lock = scenario.spinLock("lock")
      scenario.cpu(
        "a",
        CPUOperation("begin") { cpu in
          try cpu.maskInterrupts()
          try cpu.lock(lock)
          try cpu.rcuReadLock()
        },
        CPUOperation("end") { cpu in
          try cpu.rcuReadUnlock()
          try cpu.unlock(lock)
          try cpu.unmaskInterrupts()
        })
    }
    #expect(found == .holds)
  }

  @Test func sectionsAndMasksLeftOpen() throws {
    let section = try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      scenario.cpu("a", CPUOperation("enter, forget") { cpu in try cpu.rcuReadLock() })
    }
    let message = "a has ended, and is still in a read-side section since enter, forget"
    #expect(section == .violates(Self.grace, message))
    let mask = try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      scenario.cpu("a", CPUOperation("mask") { cpu in try cpu.maskInterrupts() })
    }
    #expect(mask == .violates(Self.grace, "a has ended, and its interrupts are masked since mask"))
  }

  /// A CPU that waits for a forgotten lock is stuck, but the report names the forgotten release.
  @Test func aForgottenLockThatIsWaitedFor() throws {
    let fill: @Sendable (Scenario, TablePage) -> Void = { scenario, _ in
      let lock = scenario.spinLock("lock")
      scenario.cpu("a", CPUOperation("take") { cpu in try cpu.lock(lock) })
      scenario.cpu(
        "b",
        CPUOperation("use") { cpu in
          try cpu.lock(lock)
          try cpu.unlock(lock)
        })
    }
    #expect(
      try finding(only: [Self.locks], fill)
        == .violates(Self.locks, "a has ended and still holds lock since take"))
    #expect(
      try finding(only: ["progress"], fill)
        == .violates(
          "progress", "deadlock: b can never continue",
          ["b waits at: lock lock, held by a since take, which has ended"]))
  }

  /// A callback releases what it takes: no other callback may do so for it.
  @Test func callbacksEndWithNothingHeld() throws {
    let lock = try finding { scenario, _ in
      let lock = scenario.spinLock("lock")
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("defer") { cpu in
          try cpu.callRCU { cpu in try cpu.lock(lock) }
          try cpu.callRCU { cpu in try cpu.unlock(lock) }
        })
    }
    #expect(lock == .violates(Self.locks, "a callback of a/rcu ends and still holds lock"))
    let section = try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("defer") { cpu in try cpu.callRCU { cpu in try cpu.rcuReadLock() } })
    }
    #expect(section == .violates(Self.grace, "a callback of a/rcu ends inside a read-side section"))
    let mask = try finding(requiring: [GracePeriodSafety()]) { scenario, _ in
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("defer") { cpu in try cpu.callRCU { cpu in try cpu.maskInterrupts() } })
    }
    #expect(mask == .violates(Self.grace, "a callback of a/rcu ends with masked interrupts"))
  }
}

@Suite struct LockRuleTests {
  private static let locks = LocksHeldByReleaser.id

  /// Judged whatever a model requires; but if options name invariants, only those are judged.
  @Test func unlockingAFreeLock() throws {
    let fill: @Sendable (Scenario, TablePage) -> Void = { scenario, _ in
      let lock = scenario.spinLock("l")
      scenario.cpu("a", CPUOperation("unlock only") { cpu in try cpu.unlock(lock) })
    }
    #expect(try finding(fill) == .violates(Self.locks, "a releases l without holding it"))
    #expect(try finding(only: ["progress"], fill) == .holds)
  }

  @Test func invariantsThatCannotFailAreNotListed() throws {
    let model = Model(name: "none", summary: "", scenario: "", expectation: .holds) { _ in
      let scenario = Scenario()
      scenario.cpu("a", CPUOperation("nothing") { _ in })
      return scenario
    }
    #expect(try !model.check().invariants.contains(Self.locks))
  }

  private enum Take { case spin, read, write }

  private func take(_ first: Take, _ second: Take) throws -> Finding {
    try finding { scenario, _ in
      let spin = scenario.spinLock("lock")
      let readWrite = scenario.readWriteLock("mmap_lock")
      @Sendable func take(_ kind: Take, _ cpu: VirtualCPU) throws {
        switch kind {
        case .spin: try cpu.lock(spin)
        case .read: try cpu.readLock(readWrite)
        case .write: try cpu.writeLock(readWrite)
        }
      }
      scenario.cpu(
        "a",
        CPUOperation("twice") { cpu in
          try take(first, cpu)
          try take(second, cpu)
          first == .spin ? try cpu.unlock(spin) : try cpu.readUnlock(readWrite)
        })
    }
  }

  @Test func recursionIsSaidAsSuch() throws {
    let itself = "which is recursion: it waits for itself"
    #expect(
      try take(.spin, .spin)
        == .violates(Self.locks, "a takes lock while it holds it already, \(itself)"))
    #expect(
      try take(.read, .read)
        == .violates(
          Self.locks,
          "a takes mmap_lock for reading while it holds it for reading already, which is "
            + "recursion: a writer that queues in between waits for the first, and the second for "
            + "the writer"))
    #expect(
      try take(.read, .write)
        == .violates(
          Self.locks,
          "a takes mmap_lock for writing while it holds it for reading already, \(itself)"))
    #expect(
      try take(.write, .read)
        == .violates(
          Self.locks,
          "a takes mmap_lock for reading while it holds it for writing already, \(itself)"))
    #expect(
      try take(.write, .write)
        == .violates(
          Self.locks,
          "a takes mmap_lock for writing while it holds it for writing already, \(itself)"))
  }

  /// Without a judgement of recursion, a CPU that takes a lock twice waits for itself.
  @Test func recursionIsADeadlockToo() throws {
    let found = try finding(only: ["progress"]) { scenario, _ in
      let lock = scenario.spinLock("lock")
      scenario.cpu(
        "a",
        CPUOperation("twice") { cpu in
          try cpu.lock(lock)
          try cpu.lock(lock)
        })
    }
    #expect(
      found
        == .violates(
          "progress", "deadlock: a can never continue",
          ["a waits at: lock lock, held by itself since twice"]))
  }
}
