// Executions cut short in the middle of model code leave nothing behind.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

/// Counts of living objects and of all objects ever created.
///
/// Each belongs to one test, which runs on one thread: no lock.
private final class Census: @unchecked Sendable {
  var living = 0
  var made = 0
}

/// An object to which model code holds a reference.
private final class Resident {
  let census: Census
  var count = 0

  init(_ census: Census) {
    self.census = census
    census.living += 1
    census.made += 1
  }

  deinit { census.living -= 1 }
}

/// Two CPUs that hold objects, in frames, arrays and `defer`, whenever they wait.
private func scenario(_ census: Census) -> Scenario {
  let scenario = Scenario()
  let word = scenario.word("word")
  @Sendable func inner(_ cpu: VirtualCPU, _ outer: Resident) throws(Abandoned) -> UInt64 {
    let held = [Resident(census), Resident(census)]
    defer { outer.count += held.count }
    return try cpu.load(word, .relaxed) + cpu.fetchAdd(word, 1, .relaxed)
  }
  for cpu in 0..<2 {
    scenario.cpu(
      "cpu \(cpu)",
      CPUOperation("hold") { cpu in
        let resident = Resident(census)
        defer { resident.count -= 1 }
        return try cpu.scope("inner") { () throws(Abandoned) -> UInt64 in
          try inner(cpu, resident)
        }
      })
  }
  return scenario
}

struct AbandonTests {
  /// 12,000 machines with two CPUs each, dropped in the middle of an operation; in a process of
  /// their own, because other tests use memory, too.
  @Test func droppedMachinesLeaveNothing() async {
    await #expect(processExitsWith: .success) {
      let census = Census()
      func drop(_ count: Int) {
        for number in 0..<count {
          let machine = Machine(scenario(census))
          machine.take(0)
          if number % 2 == 0 { machine.take(1) }
        }
      }
      drop(1_000)
      let before = residentBytes()
      drop(11_000)
      #expect(census.living == 0)
      #expect(census.made == 72_000)
      guard let before, let after = residentBytes() else { return }
      #expect(after - before < 4 << 20)
    }
  }

  /// One machine whose code runs again for every history, over and over.
  @Test func codeThatRunsAgainLeavesNothing() {
    let census = Census()
    do {
      let machine = Machine(scenario(census))
      _ = ExhaustiveSearch(machine, SearchOptions(), mergesStates: false).run()
      for _ in 0..<2_000 { machine.audit() }
      #expect(machine.failure == nil)
      #expect(census.made > 20_000)
    }
    #expect(census.living == 0)
  }

  /// Code that catches `Abandoned` gets it again from its next action.
  @Test func codeThatCatchesEverythingUnwindsAllTheSame() {
    let census = Census()
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "stubborn",
      CPUOperation("try") { cpu in
        let resident = Resident(census)
        for _ in 0..<10 { do { _ = try cpu.load(word, .relaxed) } catch { resident.count += 1 } }
        withExtendedLifetime(resident) {}
      })
    do {
      let machine = Machine(scenario)
      machine.take(0, 0)
      #expect(census.living == 1)
    }
    #expect(census.living == 0)
  }

  /// Code that continues while its machine is being deallocated must not use the machine.
  @Test(arguments: [false, true])
  func codeThatContinuesWhileItsMachineIsFreed(isExact: Bool) {
    let scenario = Scenario()
    let word = scenario.word("word")
    let operation = CPUOperation("swallow") { cpu in
      do { _ = try cpu.load(word, .relaxed) } catch {}
    }
    scenario.cpu("cpu", operation, operation)
    for _ in 0..<10 { #expect(Machine(scenario, isExact: isExact).depth == 0) }
  }

  /// Both CPUs read and modify an object of theirs between their actions, suspended in between.
  @Test func sharedObjectsDoNotTrip() {
    let shared = Resident(Census())
    let scenario = Scenario()
    let word = scenario.word("word")
    for cpu in 0..<2 {
      nonisolated(unsafe) let shared = shared
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("modify") { cpu in
          for _ in 0..<3 {
            shared.count += 1
            _ = try cpu.fetchAdd(word, shared.count > 0 ? 1 : 0, .relaxed)
            shared.count += 1
          }
        })
    }
    #expect(interleavings(of: scenario).statistics.executions == 20)
    #expect(shared.count > 12)
  }
}
