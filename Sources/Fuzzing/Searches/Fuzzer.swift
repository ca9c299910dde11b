// Comparing every search with the exhaustive one, on random programs.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// Compares searches on random programs.
public struct Fuzzer {
  /// A disagreement.
  public struct Mismatch: Equatable, Codable, Sendable {
    public var seed: UInt64
    public var what: String
    /// The simplest program found that still shows the disagreement, a line per CPU.
    public var program: [String]
  }

  /// The results of a run.
  public struct Report: Codable, Sendable {
    public var programs = 0
    /// Programs in which some invariant can fail; proves that verdicts are compared at all.
    public var violated = 0
    public var transitions = 0
    /// Pairs of steps that were taken in both orders.
    public var pairs = 0
    /// Comparisons skipped because the exhaustive search reached `statesMax` states.
    public var skipped = 0
    /// Programs with something that the interpreter does not know.
    public var unknown = 0
    public var mismatches: [Mismatch] = []

    /// Adds the results of other seeds.
    mutating func add(_ other: Report) {
      programs += other.programs
      violated += other.violated
      transitions += other.transitions
      pairs += other.pairs
      skipped += other.skipped
      unknown += other.unknown
      mismatches += other.mismatches
    }
  }

  /// The number of disagreements after which a run ends.
  public static let mismatchesMax = 10

  /// The searches under test; all are compared with one run of the exhaustive search.
  private var subjects: [FuzzSubject]
  /// Whether programs have identical CPUs.
  var usesSymmetry: Bool
  /// Set if the machine is compared with an interpreter, and no search with another.
  var interpretation: Interpretation?

  /// - Parameters:
  ///   - isExact: whether the search compares states in full.
  ///   - isOptimal: whether the search claims never to begin a redundant execution.
  ///   - usesSymmetry: whether programs have identical CPUs, and the search merges states that
  ///     differ only by an exchange of them.
  ///   - matchesStates: whether the search need not find every final state unless asked to.
  ///   - search: the search to compare with the exhaustive one.
  public init(
    isExact: Bool = false, isOptimal: Bool = false, usesSymmetry: Bool = false,
    matchesStates: Bool = false,
    search: @escaping (TransitionSystem, SearchOptions) -> SearchResult
  ) {
    self.usesSymmetry = usesSymmetry
    subjects = [
      FuzzSubject(
        name: "search", isExact: isExact, isOptimal: isOptimal, usesSymmetry: usesSymmetry
      ) { search($0(), $1) }
    ]
    subjects[0].matchesStates = matchesStates
  }

  /// The fuzzer of one of the strategies.
  ///
  /// - `jobs`: threads; more than one only for a search that is divided, and then early, which
  ///   must count what one thread counts. If the number is odd, members of a stateful search leave
  ///   states to those that have them, as units of a cluster do.
  /// - `piece`: transitions after which the search is saved and another one resumes it.
  public init(
    _ strategy: Strategy, isExact: Bool = false, usesSymmetry: Bool = false, jobs: Int = 1,
    inPiecesOf piece: Int? = nil
  ) {
    self.usesSymmetry = usesSymmetry
    subjects = [
      FuzzSubject(
        strategy, isExact: isExact, usesSymmetry: usesSymmetry,
        isInPieces: piece != nil && jobs == 1
      ) { makeSystem, options in
        let isDivided = jobs > 1 && strategy.isDivisible
        let division = isDivided ? Self.division(jobs) : ParallelSearch.Division()
        guard let piece else { return strategy.search(jobs: jobs, options, division, makeSystem) }
        return Strategy.search(inPiecesOf: piece, options) {
          strategy.search(jobs: jobs, $0, division, makeSystem)
        }
      }
    ]
    guard jobs > 1, strategy.isDivisible else { return }
    subjects[0].alone = { makeSystem, options in
      strategy.search(jobs: 1, options, Self.division(jobs), makeSystem)
    }
    self.jobs = jobs
    if strategy == .stateful { return }
    subjects[0].undivided = { strategy.search($0(), $1) }
    guard strategy == .exhaustive else { return }
    // Unlike the exhaustive search, it never visits a state again that it reaches by fewer steps.
    subjects[0].undivided = { LivenessSearch($0(), $1, looksForLivelocks: false).run() }
    subjects[0].isOrderFree = true
  }

  static func division(_ jobs: Int) -> ParallelSearch.Division {
    var division = ParallelSearch.Division.fine
    division.leavesClaimed = jobs % 2 == 1
    return division
  }

  /// The fuzzer of several strategies at once.
  public init(_ strategies: [Strategy]) {
    usesSymmetry = false
    subjects = strategies.map { strategy in
      FuzzSubject(strategy) { strategy.search($0(), $1) }
    }
  }

  /// The limit on states: one program in hundreds of thousands is too large to be worth comparing.
  public var statesMax = 500_000

  /// Kinds of instructions in addition to the common ones; with `repeats`, only the search for
  /// livelocks is compared.
  public var mix: RandomProgram.Mix = []

  /// Whether tables have three levels.
  public var isDeep = false

  /// The memory model of the programs.
  public var memoryModel = MemoryModel.standard

  /// Transitions after which that search is saved and another one resumes it.
  public var piece: Int?

  /// Threads of that search; with more than one it is also divided, and compared with itself on one
  /// thread.
  private(set) var jobs = 1

  /// The number of states of a program in which footprints are tested; 0 for none.
  public var statesOfPairsMax = 0

  /// Compares final states and verdicts for each seed.
  public func run(
    seeds: Range<UInt64>, size: RandomProgram.Size = .full,
    stopAfter: Int = Fuzzer.mismatchesMax,
    shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    for seed in seeds {
      var program = RandomProgram(mix, seed: seed, size: size, identical: usesSymmetry)
      if isDeep { program = program.deeper }
      if let what = compare(program, &report) {
        report.mismatches.append(
          Mismatch(seed: seed, what: what, program: simplest(program).text))
      }
      report.programs += 1
      if report.mismatches.count >= stopAfter || !shouldContinue(report) { break }
    }
    return report
  }

  /// Simplifies as long as the searches still disagree.
  private func simplest(_ program: RandomProgram) -> RandomProgram {
    var ignored = Report()
    let next = program.simpler.first { compare($0, &ignored) != nil }
    return next.map { simplest($0) } ?? program
  }

  /// Compares without and with invariants; returns the first disagreement.
  private func compare(_ program: RandomProgram, _ report: inout Report) -> String? {
    if let interpretation { return Self.mismatch(program, interpretation, &report) }
    if program.hasRepeats {
      return Self.livelockMismatch(&report, jobs: jobs, inPiecesOf: piece) { [memoryModel] in
        program.scenario(under: memoryModel)
      }
    }
    func compare(_ invariants: [any Invariant]) -> Comparison {
      self.compare(
        { [memoryModel] outcomes in
          let scenario = program.scenario(under: memoryModel, noting: outcomes)
          scenario.require(invariants)
          return scenario
        }, &report)
    }
    if let what = compare([]).mismatch ?? lossMismatch(program) { return what }
    if memoryModel == .armv8, let what = Self.foresightMismatch({ program.scenario(under: .armv8) })
    {
      return what
    }
    if memoryModel == .armv8, usesSymmetry,
      let what = Self.exchangeMismatch({ program.scenario(under: .armv8) })
    {
      return what
    }
    var left = Self.invariants(of: program)
    for round in 0... {
      let checked = compare(left)
      if round == 0, checked.violated != nil { report.violated += 1 }
      if let what = checked.mismatch { return what }
      // An invariant that always fails first would mask the others.
      guard let id = checked.violated else { break }
      left.removeAll { $0.id == id }
    }
    // The invariant about contexts fails so often that it is compared alone.
    let last: (any Invariant)? =
      program.hasContext
      ? NoOtherPageOutlivesVM()
      : program.hasSpecification ? OperationsLinearise(to: RandomSpecification()) : nil
    guard let last else { return nil }
    let checked = compare([last])
    if checked.violated != nil { report.violated += 1 }
    return checked.mismatch
  }

  /// The greatest number of states of programs whose final states are compared among models.
  private static let statesOfInclusionMax = 20_000

  /// Final states under sequential consistency that there are not under the memory model, in words;
  /// nil if none.
  ///
  /// Armv8 does not have all those of x86-TSO: an `LDAR` waits for an `STLR` before it.
  private func lossMismatch(_ program: RandomProgram) -> String? {
    let standard = MemoryModel.sequentialConsistency
    if memoryModel == standard { return nil }
    guard let strong = Self.finalStates(of: program.scenario(under: standard)),
      let weak = Self.finalStates(of: program.scenario(under: memoryModel))
    else { return nil }
    let lost = strong.subtracting(weak).count
    if lost == 0 { return nil }
    return "\(lost) of \(strong.count) final states under \(standard.text) are "
      + "not there under \(memoryModel.text)"
  }

  /// What code can see where every CPU has ended; nil if there are too many states.
  private static func finalStates(of scenario: Scenario) -> Set<[UInt64]>? {
    let outcomes = Outcomes()
    scenario.require(OutcomesNoted(outcomes) { $0.haveAllEnded ? [$0.outcomeKey] : nil })
    var options = SearchOptions()
    options.limits.states = statesOfInclusionMax
    let ending = ExhaustiveSearch(Machine(scenario), options).run().ending
    return ending == .complete ? Set(outcomes.all) : nil
  }

  /// The result of comparing the searches on a scenario.
  private struct Comparison {
    var mismatch: String?
    /// The invariant that fails in the exhaustive search.
    var violated: String?
  }

  private func compare(
    _ noting: @escaping @Sendable (Outcomes?) -> Scenario, _ report: inout Report
  ) -> Comparison {
    let scenario: @Sendable () -> Scenario = { noting(nil) }
    var options = SearchOptions()
    options.collectsFinalStates = true
    // The oracle uses no symmetry, so it must find all images of each final state.
    var bounded = options
    bounded.limits.states = statesMax
    let outcomes = Outcomes()
    let machine = Machine(noting(outcomes))
    let oracle = ExhaustiveSearch(machine, bounded).run()
    if oracle.ending == .bounded(.states) {
      report.skipped += 1
      return Comparison()
    }
    var comparison = Comparison()
    if oracle.ending == .violation, let violation = machine.violation {
      comparison.violated = machine.scenario.invariants[violation.invariant].id
    }
    for subject in subjects {
      let (result, coverage) = subject.run(options, scenario)
      report.transitions += result.statistics.transitions
      comparison.mismatch =
        subject.disagreement(result, oracle)
        ?? subject.difference(result, options, scenario)
        ?? subject.differenceOfOutcomes(oracle, outcomes, noting)
      if comparison.mismatch == nil, oracle.ending == .complete, coverage != Coverage(of: [machine])
      {
        comparison.mismatch =
          "coverage: oracle \(Coverage(of: [machine])), \(subject.name) \(coverage)"
      }
      if comparison.mismatch != nil { return comparison }
    }
    if statesOfPairsMax > 0 { comparison.mismatch = footprintMismatch(scenario(), &report) }
    return comparison
  }

  /// An object missing from a footprint, or nil.
  private func footprintMismatch(_ scenario: Scenario, _ report: inout Report) -> String? {
    let machine = Machine(scenario)
    let oracle = FootprintOracle(machine, statesMax: statesOfPairsMax)
    let breach = oracle.run()
    report.pairs += oracle.pairs
    return breach.map { breach in
      let steps = [breach.cpu, breach.other].map {
        "\(machine.name(ofCPU: $0)): \(machine.pendingText(of: $0))"
      }
      return "footprints: \(steps[0]), then \(steps[1]): \(breach.what)"
    }
  }
}

extension Strategy {
  /// The searches with reductions that can be used under a memory model.
  package static func reduced(under model: MemoryModel) -> [Strategy] {
    switch model {
    case .sequentialConsistency: reduced
    case .totalStoreOrder: reduced.filter { $0 != .optimal }
    // Searches without states would take nearly all interleavings.
    case .armv8: [.stateful]
    }
  }
}

extension RandomProgram {
  /// Its scenario under a memory model.
  package func scenario(under model: MemoryModel, noting outcomes: Outcomes? = nil) -> Scenario {
    let scenario = scenario(noting: outcomes)
    scenario.memoryModel = model
    return scenario
  }
}

/// A search under test, with its claims.
private struct FuzzSubject {
  typealias Search = (
    _ makeSystem: @escaping () -> TransitionSystem, SearchOptions
  ) -> SearchResult

  let name: String
  let isExact: Bool
  let isOptimal: Bool
  let usesSymmetry: Bool
  /// Whether the search is saved and resumed in pieces.
  let isInPieces: Bool
  private let search: Search

  init(
    name: String, isExact: Bool, isOptimal: Bool, usesSymmetry: Bool, isInPieces: Bool = false,
    search: @escaping Search
  ) {
    self.name = name
    self.isInPieces = isInPieces
    self.isExact = isExact
    self.isOptimal = isOptimal
    self.usesSymmetry = usesSymmetry
    self.search = search
  }

  init(
    _ strategy: Strategy, isExact: Bool = false, usesSymmetry: Bool = false,
    isInPieces: Bool = false, search: @escaping Search
  ) {
    self.init(
      name: strategy.rawValue, isExact: isExact, isOptimal: strategy == .optimal,
      usesSymmetry: usesSymmetry, isInPieces: isInPieces, search: search)
    matchesStates = strategy == .stateful && !isExact
  }

  /// Whether the search takes states for others that differ in nothing that is still read.
  var matchesStates = false

  /// How the verdict or the outcomes differ from the oracle's if the search does not have to find
  /// every final state; nil if they agree.
  func differenceOfOutcomes(
    _ oracle: SearchResult, _ outcomes: Outcomes,
    _ noting: @escaping @Sendable (Outcomes?) -> Scenario
  ) -> String? {
    guard matchesStates else { return nil }
    let found = Outcomes()
    let (result, _) = run(SearchOptions()) { noting(found) }
    if oracle.ending != result.ending {
      return "verdicts: oracle \(oracle.ending), matching states \(result.ending)"
    }
    if let what = difference(result, SearchOptions(), { noting(Outcomes()) }) {
      return "matching states, \(what)"
    }
    guard oracle.ending == .complete, found.all != outcomes.all else { return nil }
    return "outcomes: oracle \(outcomes.all), matching states \(found.all)"
  }

  /// Set if another search must find and count the same.
  var alone: Search?

  /// Set if a search that is not divided must complete as many executions.
  var undivided: Search?
  /// Whether it must also have as many states and transitions.
  var isOrderFree = false

  /// What the other search finds or counts otherwise; nil if there is none or it agrees.
  func difference(
    _ result: SearchResult, _ given: SearchOptions, _ scenario: @escaping @Sendable () -> Scenario
  ) -> String? {
    guard let alone else { return nil }
    let identities = isExact ? Identities(isShared: true) : nil
    let other = alone({ Machine(scenario(), identities: identities) }, options(given))
    if other.ending != result.ending || other.schedule != result.schedule {
      return "results: one thread \(other.ending), several \(result.ending)"
    }
    if other.statistics != result.statistics {
      return "counts: one thread \(other.statistics), several \(result.statistics)"
    }
    guard let undivided, result.ending == .complete else { return nil }
    let (whole, parts) = (
      undivided({ [isExact] in Machine(scenario(), isExact: isExact) }, options(given)).statistics,
      result.statistics
    )
    if whole.executions != parts.executions {
      return "executions: undivided \(whole.executions), divided \(parts.executions)"
    }
    if isOrderFree, whole.states != parts.states || whole.transitions != parts.transitions {
      return "counts: undivided \(whole), divided \(parts)"
    }
    return nil
  }

  private func options(_ given: SearchOptions) -> SearchOptions {
    var options = given
    options.isExact = isExact
    options.usesSymmetry = usesSymmetry
    return options
  }

  /// The result and coverage of the search; for a search in pieces, those of the last piece.
  func run(
    _ given: SearchOptions, _ scenario: @escaping @Sendable () -> Scenario
  ) -> (SearchResult, Coverage) {
    var machines: [Machine] = []
    var identities = isExact ? Identities(isShared: true) : nil
    let result = search(
      {
        if isInPieces {
          machines = []
          if isExact { identities = Identities(isShared: true) }
        }
        machines.append(Machine(scenario(), identities: identities))
        return machines[machines.count - 1]
      }, options(given))
    return (result, Coverage(of: machines))
  }

  /// How a result disagrees with the oracle's, or nil.
  func disagreement(_ result: SearchResult, _ oracle: SearchResult) -> String? {
    if oracle.ending != result.ending {
      return "verdicts: oracle \(oracle.ending), \(name) \(result.ending)"
    }
    if oracle.ending == .complete && oracle.finalStates != result.finalStates {
      return
        "final states: oracle \(oracle.finalStates.count), \(name) \(result.finalStates.count)"
    }
    if isOptimal && result.statistics.blocked > 0 {
      return "\(name) began \(result.statistics.blocked) executions in vain"
    }
    return nil
  }
}
