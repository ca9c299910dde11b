// Saved and resumed searches give the same results as uninterrupted ones.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestExpectations
import TestSupport
import Testing

/// Collects what a search saves, in memory.
private final class Saves {
  var all: [[UInt8]] = []

  func checkpoints(interval: Double) -> Checkpoints {
    Checkpoints(interval: interval) { body in
      var bytes: [UInt8] = []
      let writer = CheckpointWriter { bytes.append(contentsOf: $0) }
      body(writer)
      writer.finish()
      self.all.append(bytes)
    }
  }
}

@Suite struct CheckpointTests {
  private static var options: SearchOptions {
    var options = SearchOptions(limits: Limits(executions: 60))
    options.collectsFinalStates = true
    options.seed = 5
    return options
  }

  private func machine(_ name: String, isExact: Bool = false) -> Machine {
    guard let scenario = try? Catalogue.model(named: name)?.scenario() else {
      preconditionFailure("there is no model \(name)")
    }
    return Machine(scenario, isExact: isExact)
  }

  /// Each piece uses a fresh machine, which has run no code yet.
  @Test(.tags(.long), .unlessQuick, arguments: Strategy.allCases, [1, 3, 40])
  func piecesMakeAWhole(strategy: Strategy, piece: Int) throws {
    for name in ["drop-last-reference", "shared-memcache", "collapse-waits-in-section"] {
      let expected = strategy.search(machine(name), Self.options)
      let result = pieces(strategy, piece, Self.options) { machine(name) }
      expectEqual(result, expected, name)
    }
    for seed in [3, 18] as [UInt64] {
      let expected = strategy.search(Machine(randomScenario(seed: seed)), Self.options)
      let result = pieces(strategy, piece, Self.options) {
        Machine(randomScenario(seed: seed))
      }
      expectEqual(result, expected, "seed \(seed)")
    }
  }

  /// Larger searches: lengthened summary rows, grown tables, callbacks, choices.
  @Test(
    .tags(.long), .unlessQuick,
    arguments: [
      ("collapse-in-rcu-callback", Strategy.stateful, 2_999),
      ("collapse-in-rcu-callback", .source, 3_999),
      ("fault-in-parallel", .stateful, 4_999),
      ("fault-in-parallel", .exhaustive, 19_999), ("collapse-free-at-once", .source, 7),
    ])
  func largerPiecesMakeAWhole(name: String, strategy: Strategy, piece: Int) throws {
    var options = SearchOptions()
    options.collectsFinalStates = true
    for isExact in strategy.mergesStates ? [false, true] : [false] {
      options.isExact = isExact
      let expected = strategy.search(machine(name, isExact: isExact), options)
      let result = pieces(strategy, piece, options) { machine(name, isExact: isExact) }
      expectEqual(result, expected, "\(isExact)")
    }
  }

  /// Under a bound on preemptions, and with a bound that is raised each time.
  @Test func boundsAreKept() throws {
    var options = SearchOptions(limits: Limits(preemptions: 1))
    options.collectsFinalStates = true
    let name = "unmap-under-write-lock"
    let expected = Strategy.exhaustive.search(machine(name), options)
    #expect(expected.ending == .bounded(.preemptions))
    expectEqual(
      pieces(.exhaustive, 50, options) { machine(name) }, expected, "preemptions")

    let saves = Saves()
    options = SearchOptions()
    options.checkpoints = saves.checkpoints(interval: 1e9)
    let whole = Strategy.stateful.search(machine(name), SearchOptions())
    for states in stride(from: 100, to: whole.statistics.states, by: 100) {
      options.limits.states = states
      let result = Strategy.stateful.search(machine(name), options)
      #expect(result.ending == .bounded(.states))
      #expect(result.statistics.states == states)
      options.resume = CheckpointReader(try #require(saves.all.last))
    }
    options.limits.states = nil
    expectEqual(Strategy.stateful.search(machine(name), options), whole, "states")
    #expect(saves.all.count == (whole.statistics.states - 1) / 100)
  }

  /// Collisions are counted in every piece.
  @Test(arguments: [Strategy.stateful, .exhaustive], [7, 50])
  func exactStatesAreKept(strategy: Strategy, piece: Int) throws {
    final class KeysCut: Forwarding {
      override var stateKey: UInt64 { base.stateKey & 7 }
    }
    var options = SearchOptions()
    options.isExact = true
    for seed in 0..<2 as Range<UInt64> {
      let system = { KeysCut(Machine(randomScenario(seed: seed), isExact: true)) }
      let expected = strategy.search(system(), options)
      #expect(expected.statistics.collisions > 0)
      expectEqual(pieces(strategy, piece, options) { system() }, expected, "seed \(seed)")
    }
  }

  /// 300 programs in each mode; `gracewalk fuzz --pieces` runs more.
  @Test(.tags(.long), .unlessQuick, arguments: Strategy.allCases.filter(\.isComplete))
  func searchesInPiecesAgree(strategy: Strategy) {
    let seeds = 30_000..<30_300 as Range<UInt64>
    let whole = Fuzzer(strategy).run(seeds: seeds, size: .small)
    let report = Fuzzer(strategy, inPiecesOf: 5).run(seeds: seeds, size: .small)
    #expect(report.mismatches == [])
    #expect(report.transitions == whole.transitions)
    #expect(report.violated == whole.violated && report.violated > 0)
  }

  /// A checkpoint written during a search is as good as one written at its end.
  @Test func savesOnTheWayAreWhole() throws {
    let saves = Saves()
    var options = SearchOptions()
    options.watchPeriod = 2
    options.checkpoints = saves.checkpoints(interval: 0)
    let name = "drop-last-reference"
    let expected = Strategy.source.search(machine(name), options)
    #expect(saves.all.count == 17)
    for bytes in saves.all {
      var options = SearchOptions()
      options.resume = CheckpointReader(bytes)
      expectEqual(Strategy.source.search(machine(name), options), expected, "")
    }
  }

  @Test func searchesThatAreNotSavedAreNotTouched() throws {
    let machine = machine("collapse-in-rcu-callback")
    var options = SearchOptions()
    let saves = Saves()
    options.checkpoints = saves.checkpoints(interval: 1e9)
    #expect(Strategy.stateful.search(machine, options).statistics.states == 4_707)
    #expect(saves.all.isEmpty)
  }

  // MARK: What does not fit

  /// The bytes of a search saved after a number of transitions.
  private func saved(
    _ system: TransitionSystem, _ strategy: Strategy = .stateful, after transitions: Int = 40
  ) throws -> [UInt8] {
    let saves = Saves()
    var options = SearchOptions()
    options.watchPeriod = 1
    options.watch = { $0.statistics.transitions < transitions }
    options.checkpoints = saves.checkpoints(interval: 1e9)
    #expect(strategy.search(system, options).ending == .bounded(.interrupted))
    return try #require(saves.all.last)
  }

  @Test func aChangeAnywhereIsSeen() throws {
    let bytes = try saved(machine("drop-last-reference"), after: 10)
    #expect(CheckpointReader(bytes) != nil)
    for index in stride(from: 0, to: bytes.count, by: 3) {
      var changed = bytes
      changed[index] ^= 1 << UInt8(index % 8)
      #expect(CheckpointReader(changed) == nil)
      #expect(CheckpointReader(Array(bytes[..<index])) == nil)
    }
    #expect(CheckpointReader(bytes + [0]) == nil)
  }

  /// Shorter, but with a correct checksum: it is read to its end and not beyond.
  @Test(arguments: Strategy.allCases)
  func truncatedFilesAreRefused(strategy: Strategy) throws {
    let bytes = try saved(machine("drop-last-reference"), strategy, after: 10).dropLast(8)
    for length in stride(from: 0, to: bytes.count, by: 28) {
      var options = SearchOptions()
      options.resume = CheckpointReader(Self.sealed(bytes[..<length]))
      let result = strategy.search(machine("drop-last-reference"), options)
      #expect(result.ending == .refused(.malformed), "\(length) of \(bytes.count)")
    }
    var options = SearchOptions()
    options.resume = CheckpointReader(Self.sealed(bytes + [0, 0, 0, 0]))
    let result = strategy.search(machine("drop-last-reference"), options)
    #expect(result.ending == .refused(.malformed))
  }

  private static func sealed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var sealed: [UInt8] = []
    let writer = CheckpointWriter { sealed.append(contentsOf: $0) }
    bytes.withUnsafeBytes { writer.write($0) }
    writer.finish()
    return sealed
  }

  /// Two CPUs; only the last store of the first differs.
  private func storingLast(_ last: UInt64) -> Scenario {
    let scenario = Scenario()
    let word = scenario.word("word")
    scenario.cpu(
      "a",
      CPUOperation("store") { cpu in
        try cpu.store(word, 1, .relaxed)
        try cpu.store(word, last, .relaxed)
      })
    scenario.cpu("b", CPUOperation("load") { cpu in _ = try cpu.load(word, .relaxed) })
    return scenario
  }

  /// Saved below the second store, where the state differs.
  @Test func aSystemThatHasChangedIsNoticed() throws {
    let bytes = try saved(Machine(storingLast(2)), .source, after: 2)
    var options = SearchOptions()
    options.resume = CheckpointReader(bytes)
    #expect(
      Strategy.source.search(Machine(storingLast(3)), options).ending
        == .refused(.systemChanged(depth: 2)))
    options.resume = CheckpointReader(bytes)
    #expect(Strategy.source.search(Machine(storingLast(2)), options).ending == .complete)
  }

  @Test func exactAndHashedSearchesDoNotMix() throws {
    let bytes = try saved(machine("drop-last-reference"), after: 10)
    var options = SearchOptions()
    options.isExact = true
    options.resume = CheckpointReader(bytes)
    let result = Strategy.stateful.search(
      machine("drop-last-reference", isExact: true), options)
    #expect(result.ending == .refused(.malformed))
  }

  /// Code that behaves differently when it runs again is detected before its search is saved.
  @Test func worthlessResultsAreNotSaved() {
    final class Counter: @unchecked Sendable { var count: UInt64 = 0 }
    let counter = Counter()
    let scenario = Scenario()
    let word = scenario.word("word")
    for cpu in 0..<2 {
      scenario.cpu(
        "cpu \(cpu)",
        CPUOperation("store") { cpu in
          try cpu.store(word, 1, .relaxed)
          counter.count += 1
          try cpu.store(word, counter.count, .relaxed)
        })
    }
    let saves = Saves()
    var options = SearchOptions()
    options.watchPeriod = 1
    options.watch = { $0.statistics.transitions < 3 }
    options.checkpoints = saves.checkpoints(interval: 1e9)
    let machine = Machine(scenario)
    #expect(Strategy.stateful.search(machine, options).ending == .bounded(.interrupted))
    #expect(saves.all.isEmpty)
    guard case .notDeterministic = machine.failure else {
      Issue.record("\(String(describing: machine.failure))")
      return
    }
  }

  private func pieces(
    _ strategy: Strategy, _ piece: Int, _ options: SearchOptions,
    _ makeSystem: () -> TransitionSystem
  ) -> SearchResult {
    strategy.search(inPiecesOf: piece, options, makeSystem)
  }
}
