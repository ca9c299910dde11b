// Sequence counters: what a reader sees whole, and what it sees torn without looking twice.

import GracewalkExploration
import GracewalkMachine
import TestSupport
import Testing

struct SequenceCounterTests {
  private enum Reader { case looksTwice, looksOnce, doesNotWait }

  /// A writer changes two words; a reader takes them for a pair.
  private func scenario(_ kind: Reader, writers: Int = 1, areAlone: Bool = true) -> Scenario {
    let scenario = Scenario()
    let counter = scenario.sequenceCounter("seq")
    let lock = scenario.spinLock("lock")
    let words = (0..<2).map { scenario.variable("word \($0)", initial: 0) }
    let torn = scenario.word("torn")
    scenario.require(NeverEndsWith(torn, equal: 1))
    for writer in 1...writers {
      scenario.cpu("writer \(writer)", runs: "write") { cpu in
        if areAlone { try cpu.lock(lock) }
        try cpu.writeSeqcountBegin(counter)
        for word in words { try cpu.store(word, writer, .relaxed) }
        try cpu.writeSeqcountEnd(counter)
        if areAlone { try cpu.unlock(lock) }
      }
    }
    scenario.cpu("reader", runs: "read") { cpu in
      let start: Int
      if kind == .doesNotWait {
        start = try cpu.load(counter.count, .acquire)
      } else {
        start = try cpu.readSeqcountBegin(counter)
      }
      let first = try cpu.load(words[0], .relaxed)
      let second = try cpu.load(words[1], .relaxed)
      if kind != .looksOnce, try cpu.readSeqcountRetry(counter, start) { return }
      if first != second { try cpu.store(torn, 1, .relaxed) }
    }
    return scenario
  }

  @Test func aPairThatIsKeptIsWhole() {
    let one = scenario(.looksTwice)
    #expect(interleavings(of: one).ending == .complete)
    #expect(classes(of: one).ending == .complete)
    let two = scenario(.looksTwice, writers: 2)
    #expect(states(of: two).ending == .complete)
    #expect(classes(of: two).ending == .complete)
    // All of it after the writer; all before; or the last look while the writer writes, or after it
    // has, with each of the two words old or new.
    #expect(classes(of: one).statistics.executions == 1 + 1 + 4 + 4)
    #expect(Set(classes(of: two).finalStates) == Set(states(of: two).finalStates))
  }

  @Test func withoutTheSecondLookItMayBeTorn() {
    #expect(interleavings(of: scenario(.looksOnce)).ending == .violation)
    #expect(classes(of: scenario(.looksOnce)).ending == .violation)
  }

  /// The odd count says that somebody writes: who does not wait for an even one sees half of it.
  @Test func anOddCountIsWaitedFor() {
    #expect(states(of: scenario(.doesNotWait)).ending == .violation)
  }

  /// The counter does not exclude writers: two make the count even while they write.
  @Test func writersNeedALock() {
    #expect(states(of: scenario(.looksTwice, writers: 2, areAlone: false)).ending == .violation)
  }
}
