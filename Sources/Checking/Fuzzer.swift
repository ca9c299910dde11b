// Holding every search against the exhaustive one, on random programs.

import Exploration
import Invariants
import Machine

/// Compares searches on random programs.
public struct Fuzzer {
  /// A disagreement.
  public struct Mismatch: Equatable, Sendable {
    public var seed: UInt64
    public var what: String
    /// The simplest program found that still shows a disagreement, a line per CPU.
    public var program: [String]
  }

  /// What a run of the fuzzer did.
  public struct Report: Sendable {
    public var programs = 0
    /// Programs in which some invariant can fail: shows that verdicts are compared at all.
    public var violated = 0
    public var transitions = 0
    /// Comparisons left out because the exhaustive search has more than `statesMax` states.
    public var skipped = 0
    public var mismatches: [Mismatch] = []
  }

  /// Makes the search under test.
  private let search: (TransitionSystem, SearchOptions) -> SearchResult

  private let isExact: Bool

  /// - Parameters:
  ///   - isExact: whether the search compares states in full.
  ///   - search: the search to hold against the exhaustive one.
  public init(
    isExact: Bool = false, search: @escaping (TransitionSystem, SearchOptions) -> SearchResult
  ) {
    self.isExact = isExact
    self.search = search
  }

  /// The fuzzer of one of the strategies.
  ///
  /// - Parameter piece: transitions after which the search is saved and another goes on.
  public init(_ strategy: Strategy, isExact: Bool = false, inPiecesOf piece: Int? = nil) {
    self.init(isExact: isExact) { system, options in
      guard let piece else { return strategy.search(system, options) }
      return strategy.search(inPiecesOf: piece, options) { system }
    }
  }

  /// One program in hundreds of thousands has so many states that comparing it is not worth it.
  static let statesMax = 500_000

  /// Compares final states and verdicts for each seed.
  public func run(
    seeds: Range<UInt64>, size: RandomProgram.Size = .full, stopAfter: Int = 10
  ) -> Report {
    var report = Report()
    for seed in seeds {
      let program = RandomProgram(seed: seed, size: size)
      if let what = compare(program, &report) {
        report.mismatches.append(
          Mismatch(seed: seed, what: what, program: simplest(program).text))
      }
      report.programs += 1
      if report.mismatches.count >= stopAfter { break }
    }
    return report
  }

  /// Simplifies as long as the searches still disagree.
  private func simplest(_ program: RandomProgram) -> RandomProgram {
    var ignored = Report()
    let next = program.simpler.first { compare($0, &ignored) != nil }
    return next.map { simplest($0) } ?? program
  }

  /// Deadlocks are common in random programs, so they are not judged with the rest: one would
  /// hide everything else.
  private static let invariants: [any Invariant] = [
    NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(), GracePeriodSafety(),
    NoLeakedTablePage(),
  ]

  /// Compares without and with invariants; returns the first disagreement.
  private func compare(_ program: RandomProgram, _ report: inout Report) -> String? {
    let bare = compare({ program.scenario() }, &report)
    let checked = compare(
      {
        let scenario = program.scenario()
        scenario.require(Fuzzer.invariants)
        return scenario
      }, &report)
    return bare ?? checked
  }

  private func compare(_ scenario: () -> Scenario, _ report: inout Report) -> String? {
    var options = SearchOptions()
    options.collectsFinalStates = true
    var bounded = options
    bounded.limits.states = Fuzzer.statesMax
    let oracle = ExhaustiveSearch(Machine(scenario()), bounded).run()
    if oracle.ending == .bounded(.states) {
      report.skipped += 1
      return nil
    }
    options.isExact = isExact
    let result = search(Machine(scenario(), isExact: isExact), options)
    report.transitions += result.statistics.transitions
    if oracle.ending == .violation { report.violated += 1 }
    if oracle.ending != result.ending {
      return "verdicts: oracle \(oracle.ending), search \(result.ending)"
    }
    if oracle.ending == .complete && oracle.finalStates != result.finalStates {
      return
        "final states: oracle \(oracle.finalStates.count), search \(result.finalStates.count)"
    }
    return nil
  }
}
