// Comparing the liveness search with its oracle, on random programs whose loops forget turns.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

extension Fuzzer {
  /// With more states the oracle takes too long.
  private static let statesOfOracle = 3_000
  /// Rounds of at most this many steps are compared with all shorter ones.
  private static let roundMax = 8

  /// The first mismatch of the liveness search on a scenario, or nil.
  static func livelockMismatch(
    _ report: inout Report, jobs: Int, inPiecesOf piece: Int?,
    _ scenario: @escaping () -> Scenario
  ) -> String? {
    let oracle = LivelockOracle(scenario(), statesMax: statesOfOracle)
    if case .bounded = oracle.ending {
      report.skipped += 1
      return nil
    }
    var options = SearchOptions()
    options.limits.depth = 1_000_000
    options.collectsFinalStates = true
    let machine = Machine(scenario())
    guard machine.judgeStart() == .clean else { return nil }
    let result = LivenessSearch(machine, options).run()
    report.transitions += result.statistics.transitions
    if let what = disagreement(result, oracle, scenario) { return what }
    if result.ending == .complete {
      machine.audit()
      if let failure = machine.failure { return "audit: \(machine.text(of: failure))" }
    }
    if result.ending == .violation { report.violated += 1 }
    options.isExact = true
    let exact = LivenessSearch(Machine(scenario(), isExact: true), options).run()
    guard exact.isSame(as: result) else { return "states compared in full: \(exact)" }
    options.isExact = false
    let what = mismatchOfReduced(oracle, result, options, jobs: jobs, inPiecesOf: piece, scenario)
    if let what { return what }
    if jobs > 1, let what = mismatchOfDivided(result, options, jobs, inPiecesOf: piece, scenario) {
      return what
    }
    guard let piece else { return nil }
    let pieces = Strategy.search(inPiecesOf: piece, options, { Machine(scenario()) }) {
      LivenessSearch($0, $1).run()
    }
    return pieces.isSame(as: result) ? nil : "in pieces: \(pieces)"
  }

  /// What a divided search finds or counts otherwise, or nil.
  private static func mismatchOfDivided(
    _ whole: SearchResult, _ options: SearchOptions, _ jobs: Int, inPiecesOf piece: Int?,
    _ scenario: @escaping () -> Scenario
  ) -> String? {
    func search(_ jobs: Int, _ options: SearchOptions) -> SearchResult {
      ParallelSearch.runRepeating(jobs: jobs, options, division(jobs)) { Machine(scenario()) }
    }
    let one = search(1, options)
    if !search(jobs, options).isSame(as: one) { return "divided: results of several threads" }
    if let piece {
      let pieces = Strategy.search(inPiecesOf: piece, options) { search(jobs, $0) }
      guard pieces.isSame(as: one) else { return "divided, in pieces: \(pieces)" }
    }
    // The order of visits decides how deep the search goes, and which violation it finds first.
    var same = one
    same.statistics.depthMax = whole.statistics.depthMax
    let isFull = whole.ending == .complete || whole.schedule?.loop != nil
    let isRight = isFull ? same.isSame(as: whole) : one.ending == whole.ending
    return isRight ? nil : "divided: \(one), not \(whole)"
  }

  /// What a reduced search misses, or counts otherwise with more threads, or nil.
  private static func mismatchOfReduced(
    _ oracle: LivelockOracle, _ full: SearchResult, _ options: SearchOptions, jobs: Int,
    inPiecesOf piece: Int?, _ scenario: @escaping () -> Scenario
  ) -> String? {
    func search(_ jobs: Int, _ options: SearchOptions, isExact: Bool = false) -> SearchResult {
      let division = jobs > 0 ? division(jobs) : ParallelSearch.Division()
      let identities = isExact ? Identities(isShared: true) : nil
      return ParallelSearch.runRepeating(
        jobs: max(jobs, 1), options, division, reduction: []
      ) { Machine(scenario(), identities: identities) }
    }
    let whole = search(0, options)
    let undivided = LivenessSearch(Machine(scenario()), options, reduces: true).run()
    guard whole.isSame(as: undivided) else { return "reduced: \(whole), not \(undivided)" }
    if let what = loss(in: whole, oracle, full, scenario) { return "reduced: \(what)" }
    if let piece {
      let pieces = Strategy.search(inPiecesOf: piece, options) { search(0, $0) }
      guard pieces.isSame(as: whole) else { return "reduced, in pieces: \(pieces)" }
    }
    guard jobs > 1 else { return nil }
    let one = search(1, options)
    if let what = loss(in: one, oracle, full, scenario) { return "reduced, divided: \(what)" }
    if !search(jobs, options).isSame(as: one) { return "reduced: results of several threads" }
    var exact = options
    exact.isExact = true
    guard search(jobs, exact, isExact: true).isSame(as: one) else { return "reduced, in full" }
    guard let piece else { return nil }
    let pieces = Strategy.search(inPiecesOf: piece, options) { search(jobs, $0) }
    return pieces.isSame(as: one) ? nil : "reduced, divided, in pieces: \(pieces)"
  }

  /// What a reduced search misses, or nil.
  private static func loss(
    in reduced: SearchResult, _ oracle: LivelockOracle, _ full: SearchResult,
    _ scenario: () -> Scenario
  ) -> String? {
    if reduced.ending != full.ending { return "\(reduced.ending), not \(full.ending)" }
    guard oracle.ending == .complete else { return nil }
    if reduced.finalStates != full.finalStates { return "final states differ" }
    if oracle.hasLivelock != (reduced.schedule?.loop != nil) {
      return oracle.hasLivelock ? "no livelock" : "a livelock that is none"
    }
    return reduced.schedule.flatMap { recordingFault($0, scenario()) }
  }

  private static func disagreement(
    _ result: SearchResult, _ oracle: LivelockOracle, _ scenario: () -> Scenario
  ) -> String? {
    guard oracle.ending == .complete else {
      let isSame = result.ending == oracle.ending && result.schedule?.loop == nil
      return isSame ? nil : "verdicts: oracle \(oracle.ending), search \(result.ending)"
    }
    if result.statistics.states != oracle.stateCount {
      return "states: oracle \(oracle.stateCount), search \(result.statistics.states)"
    }
    if result.finalStates != oracle.finalStates.sorted() { return "final states differ" }
    guard let earliest = oracle.earliest else {
      if oracle.hasLivelock { return "[internal] the oracle contradicts itself" }
      return result.ending == .complete ? nil : "no livelock, search \(result.ending)"
    }
    guard let schedule = result.schedule, let loop = schedule.loop, result.isSimplest else {
      return "livelock, search \(result.ending)"
    }
    if loop != earliest.steps { return "begins after \(earliest.steps), search \(loop)" }
    let round = schedule.steps.count - loop
    let isShorter =
      round <= roundMax
      && earliest.states.contains { oracle.hasRound(from: $0, ofAtMost: round - 1) }
    if isShorter { return "a round has fewer steps than \(round)" }
    return recordingFault(schedule, scenario())
  }

  /// What is wrong with the execution of a livelock's schedule, or nil.
  private static func recordingFault(_ schedule: Schedule, _ scenario: Scenario) -> String? {
    guard Schedule(text: schedule.text) == schedule else { return "\(schedule.text) unread" }
    scenario.require(ProgressOfCPUs())
    do throws(RecordingError) {
      let end = try Recording(schedule, of: scenario).end
      if case .violated(invariant: ProgressOfCPUs.id, _) = end { return nil }
      return "recorded: \(end)"
    } catch {
      return "not to be recorded: \(error)"
    }
  }
}

extension SearchResult {
  fileprivate func isSame(as other: SearchResult) -> Bool {
    ending == other.ending && statistics == other.statistics && schedule == other.schedule
      && finalStates == other.finalStates && isSimplest == other.isSimplest
  }
}
