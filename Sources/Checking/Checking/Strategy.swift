// The available searches, and how each is run.

import GracewalkExploration
import GracewalkMachine

/// Which search to run.
public enum Strategy: String, CaseIterable, Codable, Sendable {
  /// Merges equal states and uses partial-order reduction.
  case stateful
  /// Stateless, one execution per class of equivalent ones: wakeup trees.
  case optimal
  /// Stateless, reduced by source sets and sleep sets.
  case source
  /// Stateless, reduced by sleep sets alone.
  case sleep
  /// Every interleaving; equal states are merged, nothing is reduced.
  case exhaustive
  /// Samples executions, each step of a CPU chosen at random.
  case random
  /// Samples executions by random priorities.
  case pct

  /// Searches that skip redundant executions; the fuzzer tests them.
  public static let reduced: [Strategy] = [.stateful, .optimal, .source, .sleep]

  /// True if it skips redundant executions.
  var isReduced: Bool { Strategy.reduced.contains(self) }

  /// True if several threads can share the search.
  package var isDivisible: Bool { isComplete && self != .optimal }

  /// True if the search can prove that an invariant holds.
  public var isComplete: Bool { self != .random && self != .pct }

  /// False for a search of models that finds too little under a memory model.
  ///
  /// The optimal search loses final states where steps wait for stores, since their footprints
  /// depend on others.
  package func isSound(under memoryModel: MemoryModel) -> Bool {
    self != .optimal || memoryModel == .sequentialConsistency
  }

  /// True if the search stores states and continues only once from equal ones.
  public var mergesStates: Bool { self == .stateful || self == .exhaustive }
}

extension Strategy {
  /// Runs the search on a system.
  public func search(_ system: TransitionSystem, _ options: SearchOptions) -> SearchResult {
    switch self {
    case .stateful: return StatefulSearch(system, options).run()
    case .optimal: return OptimalSearch(system, options).run()
    case .source: return SourceSearch(system, options).run()
    case .sleep: return SourceSearch(system, options, usesSourceSets: false).run()
    case .exhaustive: return ExhaustiveSearch(system, options).run()
    case .random: return SamplingSearch(system, options, sampling: .uniform).run()
    case .pct:
      let sampling = Sampling.priorities(changes: options.priorityChanges)
      return SamplingSearch(system, options, sampling: sampling).run()
    }
  }

  /// The same on `jobs` threads, which change nothing but the time.
  ///
  /// More than one only for a search that is divided, which may need several systems even on one.
  ///
  /// `makeSystem`: makes the system, in its initial state.
  public func search(
    jobs: Int, _ options: SearchOptions, _ makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    search(jobs: jobs, options, ParallelSearch.Division(), makeSystem)
  }

  package func search(
    jobs: Int, _ options: SearchOptions, _ division: ParallelSearch.Division,
    _ makeSystem: @escaping () -> TransitionSystem
  ) -> SearchResult {
    switch self {
    case .stateful: ParallelSearch.run(jobs: jobs, options, division, makeSystem: makeSystem)
    case .source, .sleep:
      ParallelSearch.runSource(
        jobs: jobs, options, division, usesSourceSets: self == .source, makeSystem: makeSystem)
    case .exhaustive:
      ParallelSearch.runExhaustive(jobs: jobs, options, division, makeSystem: makeSystem)
    case .optimal, .random, .pct: search(makeSystem(), options)
    }
  }

  /// The same in pieces: after a number of transitions the search is saved and ended, and a new one
  /// resumes it.
  ///
  /// `makeSystem`: makes the system for a piece, in its initial state.
  public func search(
    inPiecesOf transitions: Int, _ options: SearchOptions, _ makeSystem: () -> TransitionSystem
  ) -> SearchResult {
    Strategy.search(inPiecesOf: transitions, options, makeSystem) { search($0, $1) }
  }

  /// The same with any search on one system.
  package static func search(
    inPiecesOf transitions: Int, _ options: SearchOptions, _ makeSystem: () -> TransitionSystem,
    by search: (TransitionSystem, SearchOptions) -> SearchResult
  ) -> SearchResult {
    self.search(inPiecesOf: transitions, options) { search(makeSystem(), $0) }
  }

  /// The same with any search.
  package static func search(
    inPiecesOf transitions: Int, _ options: SearchOptions,
    by search: (SearchOptions) throws -> SearchResult
  ) rethrows -> SearchResult {
    var options = options
    options.watchPeriod = 1
    var saved: [UInt8] = []
    options.checkpoints = Checkpoints(interval: 1e9) { body in
      saved = []
      let writer = CheckpointWriter { saved.append(contentsOf: $0) }
      body(writer)
      writer.finish()
    }
    var end = transitions
    options.watch = { $0.statistics.transitions < end }
    while true {
      let result = try search(options)
      guard result.ending == .bounded(.interrupted) else { return result }
      options.resume = CheckpointReader(saved)
      end = result.statistics.transitions + transitions
    }
  }
}
