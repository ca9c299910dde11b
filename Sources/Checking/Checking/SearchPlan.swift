// Which search fits what is asked, and why.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// The search that will run.
///
/// What an invariant looks at decides which reductions are sound (see `InvariantKind`), and a
/// bound on preemptions cuts executions that a reduction relies on; in both cases the plan turns
/// the reduction off and says so.
public struct SearchPlan: Sendable {
  public let strategy: Strategy
  /// Why the strategy is not the one asked for, or what a bound does to it; nil if neither.
  public private(set) var note: String?
  /// Whether states that differ only by an exchange of identical CPUs are merged.
  public let usesSymmetry: Bool
  public let limits: Limits
  public let seed: UInt64
  /// Threads that search.
  public let jobs: Int
  /// Whether states are kept and compared in full; without states there is nothing to compare.
  public let isExact: Bool
  /// Whether CPUs may loop, so that the graph of states has cycles.
  private let mayRepeat: Bool
  /// Whether executions that loop for ever are looked for.
  public let looksForLivelocks: Bool
  /// Whether executions are sampled on the side while the search is long.
  let samples: Bool
  private let priorityChanges: Int
  private let watch: Watch?

  private struct Watch: @unchecked Sendable {
    // Called by the search, on the thread that runs it.
    var body: (SearchProgress) -> Bool
  }

  init(_ options: CheckOptions, _ scenario: Scenario) {
    var limits = options.limits
    let isReduced = Strategy.reduced.contains(options.strategy)
    if isReduced { limits.depth = min(limits.depth, Limits.reducedDepthMax) }
    self.limits = limits
    watch = options.watch.map { Watch(body: $0) }
    let states = scenario.invariants.filter { $0.kind == .state }.map(\.id)
    seed = options.seed
    priorityChanges = options.priorityChanges
    mayRepeat = scenario.mayRepeat
    // A sample knows no preemptions: it would find what the bound is there to leave out.
    samples =
      options.usesSamples && options.strategy.isComplete && options.limits.preemptions == nil
    let mustProgress = scenario.invariants.contains { $0 is any RepetitionInvariant }
    looksForLivelocks = mayRepeat && mustProgress && options.strategy.isComplete
    if isReduced, let first = states.first {
      strategy = .exhaustive
      note = "reduction switched off: \(first) is about every state, not only about what happens"
    } else if isReduced, options.limits.preemptions != nil {
      strategy = .exhaustive
      note = "reduction switched off: it is not complete under a bound on preemptions"
    } else if isReduced, mayRepeat {
      strategy = .exhaustive
      note = "reduction switched off: CPUs may repeat, and it is sound only where none loops"
    } else if isReduced, options.limits.depth < Limits.defaultDepth {
      strategy = options.strategy
      note =
        "where executions are cut at a depth, a reduced search may also leave out shorter ones; "
        + "--mode exhaustive covers everything up to the bound"
    } else {
      strategy = options.strategy
      note = nil
    }
    if mayRepeat, mustProgress, let text = Self.livelockNote(options) {
      note = note.map { "\($0); \(text)" } ?? text
    }
    isExact = options.isExact && strategy.mergesStates
    let isSaved = options.checkpoints != nil || options.resume != nil
    jobs = strategy == .stateful && !isExact && !isSaved ? options.jobs : 1
    let isSymmetric =
      options.usesSymmetry && strategy == .stateful && !scenario.identicalCPUs.isEmpty
    usesSymmetry = isSymmetric && scenario.allowsSymmetry && !isExact
    if isSymmetric, let text = isExact ? Self.exactNote : scenario.symmetryNote {
      note = note.map { "\($0); \(text)" } ?? text
    }
  }

  private static let exactNote =
    "identical CPUs not exchanged: states are compared in full, as they are"

  /// Which livelocks are not looked for, if that is so.
  private static func livelockNote(_ options: CheckOptions) -> String? {
    if !options.strategy.isComplete { return "livelocks not looked for: samples end" }
    guard cutsExecutions(options.limits) else { return nil }
    return "livelocks not looked for unless all states are within the bound"
  }

  /// Whether a bound may keep the search from states that others lead to.
  private static func cutsExecutions(_ limits: Limits) -> Bool {
    limits.preemptions != nil || limits.depth < Limits.defaultDepth
  }

  /// Steps of an execution where CPUs loop: the search takes long ways to states that are near.
  private static let repeatingDepth = 1_000_000

  /// The search in words.
  public var text: String {
    switch strategy {
    case .stateful:
      "stateful search with dynamic partial-order reduction"
        + (usesSymmetry ? ", identical CPUs exchanged" : "")
    case .optimal: "optimal-DPOR with wakeup trees"
    case .source: "source-DPOR with sleep sets"
    case .sleep: "sleep sets"
    case .exhaustive:
      "exhaustive search, equal states merged"
        + (looksForLivelocks ? ", livelocks looked for" : "")
    case .random: "random executions, seed \(seed)"
    case .pct: "executions by random priorities, \(priorityChanges) changes, seed \(seed)"
    }
  }

  /// Runs the search on fresh machines, and also returns those: more than one if several threads
  /// search.
  ///
  /// - Parameters:
  ///   - jobs: at most so many threads.
  ///   - session: how to save the search, or what to go on with.
  func run(
    jobs jobsMax: Int = .max, _ session: CheckpointSession?,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    var options = SearchOptions(limits: limits)
    options.watch = watch?.body
    options.seed = seed
    options.priorityChanges = priorityChanges
    options.isExact = isExact
    options.usesSymmetry = usesSymmetry
    session?.prepare(&options)
    let first = makeMachine()
    if first.judgeStart() != .clean { return (.immediate(first), [first]) }
    guard samples else { return search(first, min(jobs, jobsMax), options, makeMachine) }
    let phases = SamplingPhases(
      depth: limits.depth, goesOn: options.resume != nil, makeSystem: makeMachine)
    let watch = options.watch
    options.watch = { progress in
      phases.look(after: progress.statistics.transitions, seconds: progress.secondsToBound) {
        watch?(progress) ?? true
      } && watch?(progress) ?? true
    }
    var (result, machines) = search(first, min(jobs, jobsMax), options, makeMachine)
    if let finding = phases.finding, result.ending == .bounded(.interrupted) {
      result.ending = .violation
      result.schedule = finding.schedule
      result.explored = nil
      result.sample = finding
    }
    return (result, machines)
  }

  /// Runs the search on a machine that was made for it, and on more of them if it needs some.
  private func search(
    _ first: Machine, _ jobs: Int, _ options: SearchOptions,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    if mayRepeat, strategy == .exhaustive { return repeating(first, options, makeMachine) }
    if jobs == 1 { return (strategy.search(first, options), [first]) }
    let machines = Locked([Machine]())
    let result = ParallelSearch.run(jobs: jobs, options) {
      let machine = makeMachine()
      machines.withLock { $0.append(machine) }
      return machine
    }
    return (result, machines.withLock { $0 })
  }

  /// Runs a search where CPUs may loop.
  ///
  /// Up to a bound that cuts executions, the exhaustive search is exact, as it goes on from a state
  /// again where more of the bound is left. If it did not meet the bound, all states are within it.
  private func repeating(
    _ first: Machine, _ options: SearchOptions, _ makeMachine: () -> Machine
  ) -> (SearchResult, [Machine]) {
    var machine = first
    if Self.cutsExecutions(options.limits) {
      let result = ExhaustiveSearch(machine, options).run()
      guard looksForLivelocks, result.ending == .complete else { return (result, [machine]) }
      machine = makeMachine()
    }
    var options = options
    options.limits.depth = max(options.limits.depth, Self.repeatingDepth)
    let search = LivenessSearch(machine, options, looksForLivelocks: looksForLivelocks)
    return (search.run(), [machine])
  }
}

extension Scenario {
  /// An invariant that may tell identical CPUs apart.
  private var invariantAboutCPUs: String? {
    identicalCPUs.isEmpty ? nil : invariants.first { !$0.treatsCPUsAlike }?.id
  }

  /// True if there are identical CPUs, and nothing that is judged tells them apart.
  var allowsSymmetry: Bool {
    !identicalCPUs.isEmpty && !hasHardware && invariantAboutCPUs == nil
  }

  /// Why identical CPUs are not exchanged, or not all.
  var symmetryNote: String? {
    if hasHardware {
      return "identical CPUs not exchanged: each has a memory management unit of its own"
    }
    if let invariant = invariantAboutCPUs {
      return "identical CPUs not exchanged: \(invariant) may tell them apart"
    }
    return symmetryLimit
  }
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

  /// The same on so many threads; more than one only for a stateful search.
  ///
  /// `makeSystem`: makes the system, in its initial state, for each of the threads.
  public func search(
    jobs: Int, _ options: SearchOptions,
    _ makeSystem: @escaping @Sendable () -> TransitionSystem
  ) -> SearchResult {
    guard jobs > 1, self == .stateful else { return search(makeSystem(), options) }
    return ParallelSearch.run(jobs: jobs, options, makeSystem: makeSystem)
  }

  /// The same in pieces: after every so many transitions the search is saved and ended, and a new
  /// one goes on from what was saved.
  ///
  /// `makeSystem`: makes the system for a piece, in its initial state.
  public func search(
    inPiecesOf transitions: Int, _ options: SearchOptions, _ makeSystem: () -> TransitionSystem
  ) -> SearchResult {
    Strategy.search(inPiecesOf: transitions, options, makeSystem) { search($0, $1) }
  }

  /// The same with any search.
  package static func search(
    inPiecesOf transitions: Int, _ options: SearchOptions, _ makeSystem: () -> TransitionSystem,
    by search: (TransitionSystem, SearchOptions) -> SearchResult
  ) -> SearchResult {
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
      let result = search(makeSystem(), options)
      guard result.ending == .bounded(.interrupted) else { return result }
      options.resume = CheckpointReader(saved)
      end = result.statistics.transitions + transitions
    }
  }
}
