// Locks: which CPUs may hold them together, and releases by CPUs that do not hold them.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// CPUs that add one to a word, not atomically, between two other actions.
private func counting(
  _ cpus: Int, _ word: Location, in scenario: Scenario,
  before: @escaping @Sendable (VirtualCPU) throws -> Void = { _ in },
  after: @escaping @Sendable (VirtualCPU) throws -> Void = { _ in }
) {
  for cpu in 0..<cpus {
    scenario.cpu(
      "cpu \(cpu)",
      CPUOperation("count") { cpu in
        try before(cpu)
        let old = try cpu.load(word, .relaxed)
        try cpu.store(word, old + 1, .relaxed)
        try after(cpu)
      })
  }
}

struct LockTests {
  /// Load and store of two CPUs: 4!/(2!·2!) = 6 interleavings, two of them without a lost update.
  @Test func withoutALockUpdatesGetLost() {
    let scenario = Scenario()
    let word = scenario.word("word")
    counting(2, word, in: scenario)
    scenario.require(NeverEndsWith(word, equal: 1))
    #expect(interleavings(of: scenario).ending == .violation)
  }

  /// The holder runs alone: as many interleavings as orders of the CPUs.
  @Test(arguments: [(2, 2), (3, 6), (4, 24)])
  func spinLocksExclude(cpus: Int, orders: Int) {
    let scenario = Scenario()
    let word = scenario.word("word")
    let lock = scenario.spinLock("lock")
    counting(
      cpus, word, in: scenario, before: { cpu in try cpu.lock(lock) },
      after: { cpu in try cpu.unlock(lock) })
    let all = interleavings(of: scenario, collectingFinalStates: true)
    #expect(all.statistics.executions == orders)
    #expect(all.finalStates.count == 1)
    #expect(classes(of: scenario).statistics.executions == orders)
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.value(of: word) == UInt64(cpus))
  }

  @Test(arguments: [(2, 2), (3, 6)])
  func writersExclude(cpus: Int, orders: Int) {
    let scenario = Scenario()
    let word = scenario.word("word")
    let lock = scenario.readWriteLock("lock")
    counting(
      cpus, word, in: scenario, before: { cpu in try cpu.writeLock(lock) },
      after: { cpu in try cpu.writeUnlock(lock) })
    let all = interleavings(of: scenario, collectingFinalStates: true)
    #expect(all.statistics.executions == orders)
    #expect(all.finalStates.count == 1)
    #expect(classes(of: scenario).statistics.executions == orders)
  }

  /// Three steps each, none waits: 6!/(3!·3!) = 20 interleavings, all equivalent.
  @Test func readersRunInParallel() {
    let scenario = readers(2)
    #expect(interleavings(of: scenario).statistics.executions == 20)
    #expect(classes(of: scenario).statistics.executions == 1)
    #expect(classes(of: readers(5)).statistics.executions == 1)
  }

  private func readers(_ count: Int) -> Scenario {
    let scenario = Scenario()
    let word = scenario.word("word")
    let lock = scenario.readWriteLock("lock")
    for cpu in 0..<count {
      scenario.cpu(
        "reader \(cpu)",
        CPUOperation("read") { cpu in
          try cpu.readLock(lock)
          _ = try cpu.load(word, .relaxed)
          try cpu.readUnlock(lock)
        })
    }
    return scenario
  }

  @Test func aWriterWaitsForEveryReaderAndReadersForIt() {
    let scenario = Scenario()
    let lock = scenario.readWriteLock("lock")
    for cpu in 0..<2 {
      scenario.cpu(
        "reader \(cpu)",
        CPUOperation("read") { cpu in
          try cpu.readLock(lock)
          try cpu.readUnlock(lock)
        })
    }
    scenario.cpu(
      "writer",
      CPUOperation("write") { cpu in
        try cpu.writeLock(lock)
        try cpu.writeUnlock(lock)
      })
    let machine = Machine(scenario)
    #expect(machine.able == [0, 1, 2])
    machine.take(0)
    #expect(machine.able == [0, 1])
    machine.take(1, 0)
    #expect(machine.able == [1])
    machine.take(1)
    #expect(machine.able == [2])
    machine.take(2)
    #expect(machine.able == [2])
    let another = Machine(scenario)
    another.take(2)
    #expect(another.able == [2])
    another.take(2)
    #expect(another.able == [0, 1])
  }

  /// The last of 62 CPUs is a reader like every other, not a writer.
  @Test func asManyReadersAsPossibleShareALock() {
    let machine = Machine(readers(Machine.cpuCountMax))
    machine.take(Machine.cpuCountMax - 1)
    #expect(machine.able.count == Machine.cpuCountMax)
    machine.finish()
    #expect(machine.stuckCPUs.isEmpty)
  }

  @Test func locksAreIndependentOfEachOther() {
    let scenario = Scenario()
    let locks = (0..<2).map { scenario.spinLock("lock \($0)") }
    for cpu in 0..<2 {
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("hold") { cpu in
          try cpu.lock(locks[cpu.index])
          try cpu.unlock(locks[cpu.index])
        })
    }
    #expect(classes(of: scenario).statistics.executions == 1)
  }
}

struct LockMisuseTests {
  private enum Hold { case nothing, spin, read, write }
  private enum Release { case spin, read, write }

  private static func report(_ hold: Hold, _ release: Release, byAnother: Bool) -> String? {
    let scenario = Scenario()
    let spin = scenario.spinLock("spin")
    let readWrite = scenario.readWriteLock("rw")
    let take: @Sendable (VirtualCPU) throws -> Void = { cpu in
      switch hold {
      case .nothing: break
      case .spin: try cpu.lock(spin)
      case .read: try cpu.readLock(readWrite)
      case .write: try cpu.writeLock(readWrite)
      }
    }
    scenario.cpu("first", CPUOperation("take") { cpu in if byAnother { try take(cpu) } })
    scenario.cpu(
      "second",
      CPUOperation("release") { cpu in
        if !byAnother { try take(cpu) }
        switch release {
        case .spin: try cpu.unlock(spin)
        case .read: try cpu.readUnlock(readWrite)
        case .write: try cpu.writeUnlock(readWrite)
        }
      })
    scenario.require(Sees(.releasedUnheldLock))
    let machine = Machine(scenario)
    while machine.violation == nil, let cpu = machine.able.first {
      _ = machine.step(cpu, choice: 0)
    }
    return machine.violation?.report.message
  }

  @Test(arguments: [Hold.spin, .read, .write], [Release.spin, .read, .write])
  private func onlyTheHolderReleasesAndInTheSameMode(hold: Hold, release: Release) {
    let fits = "\(hold)" == "\(release)"
    let name = release == .spin ? "spin" : "rw"
    let complaint = "second, no page, \(name)"
    #expect(Self.report(hold, release, byAnother: false) == (fits ? nil : complaint))
    #expect(Self.report(hold, release, byAnother: true) == complaint)
    #expect(Self.report(.nothing, release, byAnother: false) == complaint)
  }

  @Test func aFailedReleaseLeavesTheLockToItsHolder() {
    let scenario = Scenario()
    let lock = scenario.spinLock("lock")
    scenario.cpu("holder", CPUOperation("take") { cpu in try cpu.lock(lock) })
    scenario.cpu("stranger", CPUOperation("release") { cpu in try cpu.unlock(lock) })
    scenario.cpu("next", CPUOperation("take") { cpu in try cpu.lock(lock) })
    let machine = Machine(scenario)
    machine.take(0, 1)
    #expect(machine.able == [])
    #expect(machine.stuckCPUs == [2])
  }
}
