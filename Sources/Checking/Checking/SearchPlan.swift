// Which search runs for a scenario and options, and why.

import GracewalkExploration
import GracewalkMachine

/// The search that will run.
///
/// The kind of an invariant decides which reductions are sound (see `InvariantKind`), and a bound
/// on preemptions cuts executions that a reduction relies on. In both cases the plan switches the
/// reduction off and says so.
public struct SearchPlan: Sendable {
  public let strategy: Strategy
  /// Why the strategy is not the one requested, or how a bound affects it; nil if neither.
  public let note: String?
  /// Whether states that differ only by an exchange of identical CPUs are merged.
  public let usesSymmetry: Bool
  public let limits: Limits
  public let seed: UInt64
  /// Whether several threads can share the search.
  let mayDivide: Bool
  /// Threads that search.
  public let jobs: Int
  /// Whether states are kept and compared in full; without states there is nothing to compare.
  public let isExact: Bool
  /// Whether CPUs may loop, so that the graph of states has cycles.
  let mayRepeat: Bool
  /// Whether the search looks for executions that loop forever.
  public let looksForLivelocks: Bool
  /// Whether a long search also samples random executions.
  let samples: Bool
  private let priorityChanges: Int
  /// Units of a long search; 1 if it is not divided among machines.
  public let units: Int
  /// The length of a unit's rounds, if it does not grow with the search.
  let unitLength: Int?
  /// What machines learn of their code, under Armv8.
  ///
  /// A search that is divided among processes has none: all would have to know the same.
  /// Nor has one with loops, since a livelock has to return to the same state when it is replayed.
  let foresight: Foresight?
  private let watch: Watch?
  private let distant: Distant?

  private struct Watch: @unchecked Sendable {
    // Called by the search, on the thread that runs it.
    var body: (SearchProgress) -> Bool
  }

  private struct Distant: @unchecked Sendable {
    // Called on the same thread.
    var rounds: DistantRounds
  }

  init(_ options: CheckOptions, _ scenario: Scenario) {
    let asked = options.search
    var notes: [String] = []
    if let reason = Self.objectionToReducing(asked, scenario) {
      strategy = .exhaustive
      notes.append("reduction switched off: \(reason)")
    } else {
      strategy = asked.strategy
      if strategy.isReduced, asked.limits.depth < Limits.defaultDepth {
        notes.append(Self.cutNote)
      }
    }
    // The bound is that of the requested search, even if another one runs.
    limits = asked.strategy.isReduced ? asked.limits.reduced : asked.limits
    seed = asked.seed
    priorityChanges = asked.priorityChanges
    isExact = asked.isExact && strategy.mergesStates
    watch = options.watch.map { Watch(body: $0) }
    // Samples do not count preemptions: they would find executions that the bound excludes.
    samples = asked.usesSamples && asked.strategy.isComplete && asked.limits.preemptions == nil
    mayRepeat = scenario.mayRepeat
    mayDivide =
      switch strategy {
      case .stateful: true
      case .exhaustive: !limits.cutExecutions
      default: strategy.isDivisible
      }
    jobs = mayDivide ? asked.jobs : 1
    units = strategy == .stateful && !mayRepeat && !isExact ? asked.units : 1
    unitLength = units > 1 ? asked.unitLength : nil
    let isAlone = units == 1 && options.session.distantRounds == nil
    let mayForesee =
      scenario.memoryModel == .armv8 && strategy.isComplete && isAlone && !scenario.mayRepeat
    foresight = mayForesee ? Foresight() : nil
    distant = options.session.distantRounds.map { Distant(rounds: $0) }

    let mustProgress =
      mayRepeat && scenario.invariants.contains { $0 is any RepetitionInvariant }
    looksForLivelocks = mustProgress && asked.strategy.isComplete
    if mustProgress, let text = Self.livelockNote(asked) { notes.append(text) }

    let mayExchange =
      asked.usesSymmetry && strategy == .stateful && !mayRepeat && !scenario.identicalCPUs.isEmpty
    usesSymmetry = mayExchange && scenario.allowsSymmetry && !isExact
    if mayExchange, let text = isExact ? Self.exactNote : scenario.symmetryNote {
      notes.append(text)
    }
    note = notes.isEmpty ? nil : notes.joined(separator: "; ")
  }

  /// Why a requested reduction would not be sound; nil if it would be.
  private static func objectionToReducing(
    _ asked: SearchChoice, _ scenario: Scenario
  ) -> String? {
    guard asked.strategy.isReduced else { return nil }
    if let first = scenario.invariants.first(where: \.needsEveryState) {
      return "\(first.id) is about every state, not only about what happens"
    }
    if asked.limits.preemptions != nil { return "it is not complete under a bound on preemptions" }
    if scenario.memoryModel == .armv8, asked.strategy != .stateful {
      return "under \(scenario.memoryModel.text) only the stateful search reduces"
    }
    if scenario.memoryModel == .armv8, scenario.invariants.contains(where: { $0.kind == .state }) {
      return "under \(scenario.memoryModel.text) it is not known to be sound for state invariants"
    }
    guard scenario.mayRepeat else { return nil }
    if scenario.memoryModel == .armv8 {
      return "under \(scenario.memoryModel.text) it is not known to be sound where CPUs may repeat"
    }
    if asked.strategy != .stateful {
      return "CPUs may repeat, and it is sound only where none loops"
    }
    if asked.limits.cutExecutions {
      return "CPUs may repeat, and it relies on executions that are not cut"
    }
    return nil
  }

  private static let cutNote =
    "where executions are cut at a depth, a reduced search may also leave out shorter ones; "
    + "--mode exhaustive covers everything up to the bound"

  private static let exactNote =
    "identical CPUs not exchanged: states are compared in full, as they are"

  /// Which livelocks the search does not look for; nil if it looks for all.
  private static func livelockNote(_ asked: SearchChoice) -> String? {
    if !asked.strategy.isComplete { return "livelocks not looked for: samples end" }
    guard asked.limits.cutExecutions else { return nil }
    return "livelocks not looked for unless all states are within the bound"
  }

  /// The depth bound if CPUs loop: the search may reach near states by long paths.
  private static let repeatingDepth = 1_000_000

  /// A description of the search.
  public var text: String {
    switch strategy {
    case .stateful:
      "stateful search with dynamic partial-order reduction"
        + (usesSymmetry ? ", identical CPUs exchanged" : "")
        + (looksForLivelocks ? ", livelocks looked for" : "")
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
  ///   - jobs: the maximum number of threads.
  ///   - session: how to save the search, and where to resume from.
  func run(
    jobs jobsMax: Int = .max, _ session: CheckpointSession?,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    // A bound on seconds is one on all searches together.
    let start = ContinuousClock().now
    foresight?.learn(makeMachine())
    do throws(CheckpointError) {
      try session?.restore(foresight, makeMachine)
    } catch {
      return (SearchResult(ending: .refused(error), statistics: Statistics(), schedule: nil), [])
    }
    var session = session
    return repeatUntilForeseen(makeMachine, steps: \.statistics.transitions) {
      defer { session?.beginsAgain = true }
      return runOnce(jobs: jobsMax, session, since: start, makeMachine)
    }
  }

  /// Searches, and again knowing more, as long as some machine's code did what was not foreseen.
  ///
  /// - Parameters:
  ///   - steps: the number of steps that were taken for a result.
  ///   - search: gives a result, and the machines that it comes from.
  func repeatUntilForeseen<Result>(
    _ makeMachine: () -> Machine, steps: (Result) -> Int, _ search: () -> (Result, [Machine])
  ) -> (Result, [Machine]) {
    while true {
      let found = search()
      guard let foresight, let machine = found.1.first(where: \.outranForesight) else {
        return found
      }
      foresight.learn(after: machine, steps: steps(found.0), makeMachine)
    }
  }

  private func runOnce(
    jobs jobsMax: Int, _ session: CheckpointSession?, since start: ContinuousClock.Instant,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    var options = SearchOptions(limits: limits)
    if foresight != nil { options.start = start }
    options.watch = watch?.body
    options.seed = seed
    options.priorityChanges = priorityChanges
    options.isExact = isExact
    options.usesSymmetry = usesSymmetry
    session?.prepare(&options, foresight)
    let first = makeMachine()
    if first.judgeStart() != .clean { return (.immediate(first), [first]) }
    guard samples else { return search(first, min(jobs, jobsMax), options, makeMachine) }
    let phases = SamplingPhases(
      depth: limits.depth, isResumed: options.resume != nil, makeSystem: makeMachine)
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

  private var division: ParallelSearch.Division {
    guard units > 1 else { return ParallelSearch.Division() }
    var division = ParallelSearch.Division.units(units)
    if let unitLength {
      (division.turns, division.growth) = (unitLength, nil)
      division.start = min(division.start, unitLength)
    }
    return division
  }

  /// Plays parts of the search that another process has divided.
  func roundPlayer(_ makeMachine: @escaping @Sendable () -> Machine) -> RoundPlayer {
    var options = SearchOptions(limits: limits)
    options.usesSymmetry = usesSymmetry
    return RoundPlayer(options, division, makeSystem: makeMachine)
  }

  /// Runs the search on a given machine, and makes more machines if it needs them.
  private func search(
    _ first: Machine, _ jobs: Int, _ options: SearchOptions,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    if mayRepeat, strategy.mergesStates { return repeating(first, jobs, options, makeMachine) }
    var machines: [Machine] = []
    var options = options
    if units > 1 { options.distantRounds = distant?.rounds }
    let result = strategy.search(jobs: jobs, options, division) {
      // Members that come back from another process replace what they were.
      for index in machines.indices.dropFirst().reversed()
      where isKnownUniquelyReferenced(&machines[index]) {
        machines.remove(at: index)
      }
      machines.append(machines.isEmpty ? first : makeMachine())
      return machines[machines.count - 1]
    }
    return (result, machines)
  }

  /// Runs a search where CPUs may loop.
  ///
  /// Under a bound that cuts executions, the exhaustive search is exact, since it explores a state
  /// again when more of the bound is left. If it never reached the bound, all states are within it.
  private func repeating(
    _ first: Machine, _ jobs: Int, _ options: SearchOptions,
    _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    var machine = first
    if options.limits.cutExecutions {
      let result = ExhaustiveSearch(machine, options).run()
      guard looksForLivelocks, result.ending == .complete else { return (result, [machine]) }
      machine = makeMachine()
    }
    var options = options
    options.limits.depth = max(options.limits.depth, Self.repeatingDepth)
    let isReduced = strategy == .stateful
    let found = divided(machine, jobs, options, reduction: isReduced ? [] : nil, makeMachine)
    guard isReduced, found.0.ending == .violation else { return found }
    // The full search finds the simplest.
    options.checkpoints = nil
    options.resume = nil
    let full = divided(makeMachine(), jobs, options, reduction: nil, makeMachine)
    return full.0.ending == .violation ? full : found
  }

  private func divided(
    _ first: Machine, _ jobs: Int, _ options: SearchOptions,
    reduction: PersistentSets.Omission?, _ makeMachine: @escaping @Sendable () -> Machine
  ) -> (SearchResult, [Machine]) {
    var machines: [Machine] = []
    let result = ParallelSearch.runRepeating(
      jobs: jobs, options, division, looksForLivelocks: looksForLivelocks, reduction: reduction
    ) {
      machines.append(machines.isEmpty ? first : makeMachine())
      return machines[machines.count - 1]
    }
    return (result, machines)
  }
}

extension Scenario {
  /// An invariant that may tell identical CPUs apart.
  private var invariantAboutCPUs: String? {
    identicalCPUs.isEmpty ? nil : invariants.first { !$0.treatsCPUsAlike }?.id
  }

  /// True if there are identical CPUs that can be exchanged, and no invariant tells them apart.
  var allowsSymmetry: Bool {
    !identicalCPUs.isEmpty && !hasHardware && invariantAboutCPUs == nil
  }

  /// Why identical CPUs are not exchanged, or only some of them.
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
