// Bits of words and of entries, changed in one step.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct BitsTests {
  @Test func eachMeansWhatItsNameSays() {
    let scenario = Scenario()
    let word = scenario.word("word", initial: 0b1100)
    let count = scenario.variable("count", initial: 3)
    let seen = (0..<4).map { scenario.word("seen \($0)") }
    scenario.cpu("cpu", runs: "go") { cpu in
      try cpu.store(seen[0], try cpu.fetchAnd(word, 0b0110, .relaxed), .relaxed)
      try cpu.store(seen[1], try cpu.fetchOr(word, 0b0011, .relaxed), .relaxed)
      try cpu.store(seen[2], try cpu.fetchXor(word, 0b0101, .relaxed), .relaxed)
      try cpu.store(seen[3], UInt64(try cpu.fetchSub(count, 5, .relaxed)), .relaxed)
    }
    let machine = Machine(scenario)
    machine.finish()
    #expect(seen.map { machine.value(of: $0) } == [0b1100, 0b0100, 0b0111, 3])
    #expect(machine.value(of: word) == 0b0010)
    #expect(machine.value(of: count) == -2)
  }

  /// Two CPUs set a bit each: in either order both are set, and a load and a store lose one.
  @Test func noBitIsLost() {
    func scenario(atomic: Bool) -> Scenario {
      let scenario = Scenario()
      let word = scenario.word("word")
      for cpu in 0..<2 {
        scenario.cpu("cpu \(cpu)", runs: "set") { cpu in
          let bit = UInt64(1) << UInt64(cpu.index)
          if atomic {
            _ = try cpu.fetchOr(word, bit, .relaxed)
          } else {
            try cpu.store(word, try cpu.load(word, .relaxed) | bit, .relaxed)
          }
        }
      }
      scenario.require(NeverEndsWith(word, equal: 1))
      return scenario
    }
    #expect(interleavings(of: scenario(atomic: true)).statistics.executions == 2)
    #expect(classes(of: scenario(atomic: true)).statistics.executions == 2)
    #expect(interleavings(of: scenario(atomic: true)).ending == .complete)
    #expect(interleavings(of: scenario(atomic: false)).ending == .violation)
  }

  /// An entry is write-protected while it is replaced: what comes last wins, and no bit is torn.
  @Test func entriesKeepTheirTables() {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(root.entry(0), .table(page), .relaxed)
    }
    scenario.cpu("protector", runs: "protect") { cpu in
      _ = try cpu.fetchAnd(root.entry(0), ~Descriptor.writeBit, .release)
    }
    scenario.cpu("unlinker", runs: "unlink") { cpu in
      let old = try cpu.fetchXor(root.entry(0), Descriptor.validBit, .acquireRelease)
      if let page = cpu.table(at: old) { try cpu.free(page) }
    }
    let all = interleavings(of: scenario, collectingFinalStates: true)
    #expect(all.ending == .complete)
    #expect(Set(classes(of: scenario).finalStates) == Set(all.finalStates))
    #expect(classes(of: scenario).statistics.executions == 2)
  }
}
