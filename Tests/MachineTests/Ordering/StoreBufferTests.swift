// x86-TSO in models: what waits in a store buffer, and what drains it.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import TestSupport
import Testing

private typealias Code = @Sendable (VirtualCPU, SharedWords) throws -> Void

/// The words of a test, and where its CPUs put what they have read.
private struct SharedWords: Sendable {
  var x: Location
  var y: Location
  var seen: [Location]
}

struct StoreBufferTests {
  /// Whether some execution ends with these values read, by every search.
  private func isAllowed(
    _ model: MemoryModel, _ codes: [Code], seeing values: [UInt64]
  ) -> Bool {
    let endings = [Strategy.exhaustive, .stateful, .source, .sleep].map { strategy in
      let scenario = Scenario()
      scenario.memoryModel = model
      let words = SharedWords(
        x: scenario.word("x"), y: scenario.word("y"),
        seen: codes.indices.map { scenario.word("seen \($0)") })
      for (number, code) in codes.enumerated() {
        scenario.cpu("cpu \(number)", CPUOperation("run") { try code($0, words) })
      }
      scenario.atEnd("it is not seen") { machine in
        words.seen.map { machine.value(of: $0) } != values
      }
      return strategy.search(Machine(scenario), SearchOptions()).ending
    }
    #expect(Set(endings.map { "\($0)" }).count == 1, "\(endings)")
    return endings[0] == .violation
  }

  private func storeBuffering(_ between: @escaping @Sendable (VirtualCPU) throws -> Void) -> [Code]
  {
    [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try between(cpu)
        try cpu.store(words.seen[0], try cpu.load(words.y, .relaxed), .relaxed)
      },
      { cpu, words in
        try cpu.store(words.y, 1, .relaxed)
        try between(cpu)
        try cpu.store(words.seen[1], try cpu.load(words.x, .relaxed), .relaxed)
      },
    ]
  }

  @Test func loadsPassStores() {
    let codes = storeBuffering { _ in }
    #expect(isAllowed(.totalStoreOrder, codes, seeing: [0, 0]))
    #expect(!isAllowed(.sequentialConsistency, codes, seeing: [0, 0]))
  }

  @Test func fullFencesDrain() {
    #expect(
      !isAllowed(
        .totalStoreOrder, storeBuffering { try $0.fence(.sequentiallyConsistent) }, seeing: [0, 0]))
    #expect(
      isAllowed(.totalStoreOrder, storeBuffering { try $0.fence(.acquireRelease) }, seeing: [0, 0]))
  }

  /// Other CPUs see stores in their order, and a CPU sees its own at once.
  @Test func storesStayInOrder() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.store(words.x, 1, .relaxed)
        try cpu.store(words.y, 1, .relaxed)
        try cpu.store(words.seen[0], try cpu.load(words.x, .relaxed), .relaxed)
      },
      { cpu, words in
        let y = try cpu.load(words.y, .relaxed)
        let x = try cpu.load(words.x, .relaxed)
        try cpu.store(words.seen[1], y * 2 + x, .relaxed)
      },
    ]
    #expect(isAllowed(.totalStoreOrder, codes, seeing: [1, 1]))
    #expect(!isAllowed(.totalStoreOrder, codes, seeing: [1, 2]))
    #expect(!isAllowed(.totalStoreOrder, codes, seeing: [0, 3]))
  }

  @Test func lockedOperationsDrain() {
    let codes: [Code] = [
      { cpu, words in
        _ = try cpu.exchange(words.x, 1, .relaxed)
        try cpu.store(words.seen[0], try cpu.load(words.y, .relaxed), .relaxed)
      },
      { cpu, words in
        _ = try cpu.fetchAdd(words.y, 1, .relaxed)
        try cpu.store(words.seen[1], try cpu.load(words.x, .relaxed), .relaxed)
      },
    ]
    #expect(!isAllowed(.totalStoreOrder, codes, seeing: [0, 0]))
    #expect(isAllowed(.totalStoreOrder, codes, seeing: [1, 1]))
  }

  /// To release a lock is a store like any other: it does not drain.
  @Test func unlockingDoesNotDrain() {
    for (hasFence, isSeen) in [(false, true), (true, false)] {
      let endings = [Strategy.exhaustive, .stateful].map { strategy in
        let scenario = Scenario()
        scenario.memoryModel = .totalStoreOrder
        let words = SharedWords(
          x: scenario.word("x"), y: scenario.word("y"),
          seen: [scenario.word("seen 0"), scenario.word("seen 1")])
        for number in 0..<2 {
          let lock = scenario.spinLock("lock \(number)")
          let first = number == 0 ? words.x : words.y
          let second = number == 0 ? words.y : words.x
          scenario.cpu(
            "cpu \(number)",
            CPUOperation("run") { cpu in
              try cpu.lock(lock)
              try cpu.store(first, 1, .relaxed)
              if hasFence { try cpu.fence(.sequentiallyConsistent) }
              try cpu.unlock(lock)
              try cpu.store(words.seen[number], try cpu.load(second, .relaxed), .relaxed)
            })
        }
        scenario.atEnd("it is not seen") { machine in
          words.seen.contains { machine.value(of: $0) != 0 }
        }
        return strategy.search(Machine(scenario), SearchOptions()).ending
      }
      #expect(endings == Array(repeating: isSeen ? .violation : .complete, count: 2))
    }
  }

  /// A grace period sees what was stored in the sections that it waited for.
  @Test func gracePeriodsWaitForStoresOfSections() {
    let codes: [Code] = [
      { cpu, words in
        try cpu.rcuReadLock()
        let flag = try cpu.load(words.y, .relaxed)
        try cpu.store(words.x, 1, .relaxed)
        try cpu.rcuReadUnlock()
        try cpu.store(words.seen[0], flag, .relaxed)
      },
      { cpu, words in
        try cpu.store(words.y, 1, .relaxed)
        try cpu.synchronizeRCU()
        try cpu.store(words.seen[1], 2 + (try cpu.load(words.x, .relaxed)), .relaxed)
      },
    ]
    // A section that began before the store to y was visible is over, and its own store visible.
    #expect(!isAllowed(.totalStoreOrder, codes, seeing: [0, 2]))
    #expect(isAllowed(.totalStoreOrder, codes, seeing: [0, 3]))
    #expect(isAllowed(.totalStoreOrder, codes, seeing: [1, 2]))
  }

  /// A store that is not visible yet has a place of its own; too many are refused, not lost.
  @Test func aBufferHasACapacity() {
    let scenario = Scenario()
    scenario.memoryModel = .totalStoreOrder
    let word = scenario.word("word")
    scenario.cpu(
      "cpu",
      CPUOperation("run") { cpu in
        for number in 0..<20 { try cpu.store(word, UInt64(number), .relaxed) }
      })
    let machine = Machine(scenario)
    let result = ExhaustiveSearch(machine, SearchOptions()).run()
    #expect(result.ending == .halted)
    guard case .cap(let text) = machine.failure else {
      Issue.record("\(String(describing: machine.failure))")
      return
    }
    #expect(text.contains("more than 16 stores that are not visible yet"))
  }
}
