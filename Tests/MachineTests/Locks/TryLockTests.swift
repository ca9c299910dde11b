// Locks that are tried, downgraded, or lie in a page.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct TryLockTests {
  /// The same code on two CPUs, and the word that says that something went wrong.
  private static func scenario(
    _ count: Int = 2, _ body: @escaping @Sendable (VirtualCPU, Objects) throws -> Void
  ) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let objects = Objects(
      lock: scenario.spinLock("lock"), readWriteLock: scenario.readWriteLock("rw"),
      root: scenario.rootTable(), value: scenario.variable("value", initial: 0),
      wrong: scenario.word("wrong"))
    scenario.require(NeverEndsWith(objects.wrong, equal: 1))
    for cpu in 0..<count {
      scenario.cpu("cpu \(cpu)", runs: "go") { cpu in try body(cpu, objects) }
    }
    return scenario
  }

  private struct Objects: Sendable {
    var lock: SpinLock
    var readWriteLock: ReadWriteLock
    var root: TablePage
    var value: Word<Int>
    var wrong: Location

    /// What no other CPU may interrupt.
    func count(_ cpu: VirtualCPU) throws {
      let old = try cpu.load(value, .relaxed)
      try cpu.store(value, old + 1, .relaxed)
      if try cpu.load(value, .relaxed) != old + 1 { try cpu.store(wrong, 1, .relaxed) }
    }
  }

  /// Two orders in which both take the lock, and two in which one comes too early for the other.
  @Test func aTryThatFailsIsNoWait() {
    let right = Self.scenario { cpu, objects in
      guard try cpu.tryLock(objects.lock) else { return }
      try objects.count(cpu)
      try cpu.unlock(objects.lock)
    }
    #expect(classes(of: right).statistics.executions == 4)
    #expect(classes(of: right).ending == .complete)
    #expect(interleavings(of: right).ending == .complete)
    #expect(states(of: right).finalStates.count == classes(of: right).finalStates.count)
  }

  @Test func whoIgnoresTheAnswerIsNotAlone() {
    let wrong = Self.scenario { cpu, objects in
      let isTaken = try cpu.tryLock(objects.lock)
      try objects.count(cpu)
      if isTaken { try cpu.unlock(objects.lock) }
    }
    #expect(classes(of: wrong).ending == .violation)
    #expect(interleavings(of: wrong).ending == .violation)
  }

  /// Who holds a lock cannot have it again: the second try fails, and waits for nobody.
  @Test func aLockThatIsHeldIsNotTakenAgain() {
    let scenario = Self.scenario(1) { cpu, objects in
      let first = try cpu.tryLock(objects.lock)
      let second = try cpu.tryLock(objects.lock)
      let writer = try cpu.tryWriteLock(objects.readWriteLock)
      let reader = try cpu.tryReadLock(objects.readWriteLock)
      if !first || second || !writer || reader { try cpu.store(objects.wrong, 1, .relaxed) }
      try cpu.unlock(objects.lock)
      try cpu.writeUnlock(objects.readWriteLock)
    }
    #expect(interleavings(of: scenario).ending == .complete)
  }

  /// Readers do not notice each other; a writer is one among the orders of all.
  @Test func readersAndWritersTry() {
    let readers = Self.scenario { cpu, objects in
      guard try cpu.tryReadLock(objects.readWriteLock) else {
        return try cpu.store(objects.wrong, 1, .relaxed)
      }
      try cpu.readUnlock(objects.readWriteLock)
    }
    #expect(interleavings(of: readers).ending == .complete)
    #expect(classes(of: readers).statistics.executions == 1)
    let writers = Self.scenario { cpu, objects in
      guard try cpu.tryWriteLock(objects.readWriteLock) else { return }
      try objects.count(cpu)
      try cpu.writeUnlock(objects.readWriteLock)
    }
    #expect(interleavings(of: writers).ending == .complete)
    #expect(classes(of: writers).statistics.executions == 4)
    let mixed = Self.scenario { cpu, objects in
      if try cpu.tryReadLock(objects.readWriteLock) {
        _ = try cpu.load(objects.value, .relaxed)
        try cpu.readUnlock(objects.readWriteLock)
      }
      if try cpu.tryWriteLock(objects.readWriteLock) {
        try objects.count(cpu)
        try cpu.writeUnlock(objects.readWriteLock)
      }
    }
    let all = interleavings(of: mixed, collectingFinalStates: true)
    #expect(all.ending == .complete)
    #expect(Set(classes(of: mixed).finalStates) == Set(all.finalStates))
  }

  /// Between a writer and the reader that it becomes comes no other writer.
  @Test func aDowngradeLetsNoWriterIn() {
    func scenario(atOnce: Bool) -> Scenario {
      Self.scenario { cpu, objects in
        try cpu.writeLock(objects.readWriteLock)
        let value = try cpu.load(objects.value, .relaxed) + 1
        try cpu.store(objects.value, value, .relaxed)
        if atOnce {
          try cpu.downgrade(objects.readWriteLock)
        } else {
          try cpu.writeUnlock(objects.readWriteLock)
          try cpu.readLock(objects.readWriteLock)
        }
        if try cpu.load(objects.value, .relaxed) != value {
          try cpu.store(objects.wrong, 1, .relaxed)
        }
        try cpu.readUnlock(objects.readWriteLock)
      }
    }
    #expect(interleavings(of: scenario(atOnce: true)).ending == .complete)
    #expect(classes(of: scenario(atOnce: true)).statistics.executions == 2)
    #expect(interleavings(of: scenario(atOnce: false)).ending == .violation)
    #expect(classes(of: scenario(atOnce: false)).ending == .violation)
  }

  /// Readers get in as soon as the writer is one of them.
  @Test func aDowngradeLetsReadersIn() {
    let scenario = Scenario()
    let lock = scenario.readWriteLock("rw")
    let both = scenario.word("both")
    scenario.cpu("writer", runs: "write") { cpu in
      try cpu.writeLock(lock)
      try cpu.downgrade(lock)
      try cpu.wait(until: both, .equals(1))
      try cpu.readUnlock(lock)
    }
    scenario.cpu("reader", runs: "read") { cpu in
      try cpu.readLock(lock)
      try cpu.store(both, 1, .release)
      try cpu.readUnlock(lock)
    }
    let result = interleavings(of: scenario)
    #expect(result.ending == .complete)
    // The reader comes first, or gets in while the writer waits for it.
    #expect(classes(of: scenario).statistics.executions == 2)
  }

  @Test func pagesHaveLocksOfTheirOwn() {
    let same = Self.scenario { cpu, objects in
      try cpu.lock(objects.root.lock)
      try objects.count(cpu)
      try cpu.unlock(objects.root.lock)
    }
    #expect(interleavings(of: same).statistics.executions == 2)
    #expect(classes(of: same).statistics.executions == 2)
    let tried = Self.scenario { cpu, objects in
      guard try cpu.tryLock(objects.root.lock) else { return }
      try objects.count(cpu)
      try cpu.unlock(objects.root.lock)
    }
    #expect(classes(of: tried).statistics.executions == 4)
    #expect(interleavings(of: tried).ending == .complete)
    // A lock of its own for each page excludes nobody.
    let own = Self.scenario { cpu, objects in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.lock(page.lock)
      try objects.count(cpu)
      try cpu.unlock(page.lock)
    }
    #expect(interleavings(of: own).ending == .violation)
  }
}
