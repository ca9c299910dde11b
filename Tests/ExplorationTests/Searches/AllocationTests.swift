// Once the code of a model has run, searching allocates nothing per step.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// The allocations of a search on a machine that was searched before: all code has run, and the
/// machine's buffers have their final sizes.
private struct WarmSearch {
  var allocations = 0
  var transitions = 0

  init(_ scenario: Scenario, _ search: (Machine) -> SearchResult) {
    let machine = Machine(scenario)
    _ = search(machine)
    allocations = TestSupport.allocations { transitions = search(machine).statistics.transitions }
  }
}

private func reduced(_ machine: Machine) -> SearchResult {
  SourceSearch(machine, SearchOptions()).run()
}

private func plain(_ machine: Machine) -> SearchResult {
  ExhaustiveSearch(machine, SearchOptions(), mergesStates: false).run()
}

@Suite(.enabled(if: allocationsAreCounted))
struct AllocationTests {
  @Test func theCounterCounts() {
    let count = allocations {
      for _ in 0..<10 { UnsafeMutablePointer<Int>.allocate(capacity: 20).deallocate() }
    }
    #expect(count == 10)
    #expect(allocations {} == 0)
  }

  /// From the start of an execution to its end and back, for every CPU in turn.
  @Test(arguments: [MemoryModel.sequentialConsistency, .totalStoreOrder, .armv8])
  func stepsAndUndosAllocateNothing(model: MemoryModel) throws {
    let lastzero = Textbook.lastzero(6)
    lastzero.memoryModel = model
    expectNoAllocations(Machine(lastzero))
    // Pages of its own, locks, sections and grace periods.
    for name in ["fault-in-parallel", "unmap-under-write-lock"] where model != .totalStoreOrder {
      let catalogued = try #require(Catalogue.model(named: name))
      let scenario = try catalogued.scenario(invariants: ["no-use-after-free"])
      scenario.memoryModel = model
      expectNoAllocations(Machine(scenario))
    }
  }

  private func expectNoAllocations(_ machine: Machine) {
    func thereAndBack() {
      var enabled = machine.enabledCPUs()
      while !enabled.isEmpty {
        _ = machine.step(enabled.lowest, choice: 0)
        enabled = machine.enabledCPUs()
      }
      while machine.depth > 0 { machine.undo() }
    }
    thereAndBack()
    #expect(machine.failure == nil)
    #expect(allocations(thereAndBack) == 0)
  }

  /// A search allocates only its own buffers: as many for 2,005 transitions as for 52,997.
  @Test func reducedSearchesAllocateNothingPerTransition() {
    let small = WarmSearch(Textbook.lastzero(6), reduced)
    let large = WarmSearch(Textbook.lastzero(9), reduced)
    #expect(small.transitions == 2_005)
    #expect(large.transitions == 52_997)
    #expect(large.allocations == small.allocations)
    #expect(large.allocations < 40)
  }

  @Test func plainSearchesAllocateNothingPerTransition() {
    let small = WarmSearch(Textbook.readers(2), plain)
    let large = WarmSearch(Textbook.readers(6), plain)
    #expect(small.transitions == 15)
    #expect(large.transitions == 13_699)
    #expect(large.allocations == small.allocations)
    #expect(large.allocations < 20)
  }

  /// Table pages, locks, sections, grace periods and callbacks, with invariants about events.
  @Test(arguments: ["collapse-in-rcu-callback", "fault-in-parallel", "unmap-under-write-lock"])
  func modelsAllocateNothingPerTransition(name: String) throws {
    let events = [
      "no-use-after-free", "no-double-free", "no-table-linked-twice", "locks-held-by-releaser",
    ]
    let model = try #require(Catalogue.model(named: name))
    let search = WarmSearch(try model.scenario(invariants: events), reduced)
    #expect(search.transitions > 90)
    #expect(search.allocations < 40)
  }

  /// Accesses, walks and invalidations, and reading the caches of all units.
  @Test(.tags(.long), .unlessQuick) func hardwareAllocatesNothingPerTransition() throws {
    let events = [
      "break-before-make", "no-conflicting-tlb-entries", "no-stale-use-after-dsb",
      "no-reuse-while-cached",
    ]
    let model = try #require(Catalogue.model(named: "unmap-and-free"))
    let search = WarmSearch(try model.scenario(invariants: events), reduced)
    #expect(search.transitions > 100_000)
    #expect(search.allocations < 40, "\(search.allocations) in \(search.transitions)")
  }

  /// Recording which CPUs may still hold a page also allocates nothing.
  @Test(arguments: ["collapse-in-rcu-callback", "fault-in-parallel"])
  func gracePeriodsAllocateNothingPerTransition(name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    let search = WarmSearch(try model.scenario(invariants: ["grace-period-safety"]), reduced)
    #expect(search.transitions > 100)
    #expect(search.allocations < 40)
  }
}
