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
  }

  /// What a run of the fuzzer did.
  public struct Report: Sendable {
    public var programs = 0
    /// Programs in which some invariant can fail: shows that verdicts are compared at all.
    public var violated = 0
    public var transitions = 0
    public var mismatches: [Mismatch] = []
  }

  /// Makes the search under test.
  private let search: (TransitionSystem, SearchOptions) -> SearchResult

  /// - Parameter search: the search to hold against the exhaustive one.
  public init(search: @escaping (TransitionSystem, SearchOptions) -> SearchResult) {
    self.search = search
  }

  /// The fuzzer of one of the strategies.
  public init(_ strategy: Strategy = .source) {
    self.init { strategy.search($0, $1) }
  }

  /// Compares final states and verdicts for each seed.
  public func run(
    seeds: Range<UInt64>, size: RandomProgram.Size = .full, stopAfter: Int = 10
  ) -> Report {
    var report = Report()
    for seed in seeds {
      let bare = { RandomProgram.scenario(seed: seed, size: size) }
      compare(seed, bare, &report)
      let checked = {
        let scenario = bare()
        scenario.require(Fuzzer.invariants)
        return scenario
      }
      compare(seed, checked, &report)
      report.programs += 1
      if report.mismatches.count >= stopAfter { break }
    }
    return report
  }

  /// Deadlocks are common in random programs, so they are not judged with the rest: one would
  /// hide everything else.
  private static let invariants: [any Invariant] = [
    NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(), GracePeriodSafety(),
    NoLeakedTablePage(),
  ]

  private func compare(_ seed: UInt64, _ scenario: () -> Scenario, _ report: inout Report) {
    var options = SearchOptions()
    options.collectsFinalStates = true
    let oracle = ExhaustiveSearch(Machine(scenario()), options).run()
    let result = search(Machine(scenario()), options)
    report.transitions += result.statistics.transitions
    if oracle.ending == .violation { report.violated += 1 }
    if oracle.ending != result.ending {
      let what = "verdicts: oracle \(oracle.ending), search \(result.ending)"
      report.mismatches.append(Mismatch(seed: seed, what: what))
    } else if oracle.ending == .complete && oracle.finalStates != result.finalStates {
      let what =
        "final states: oracle \(oracle.finalStates.count), search \(result.finalStates.count)"
      report.mismatches.append(Mismatch(seed: seed, what: what))
    }
  }
}
