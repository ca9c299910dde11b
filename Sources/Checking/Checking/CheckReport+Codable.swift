// A report as a value in a file: a verdict of "holds" is accepted only if the rest of the file is
// consistent with it.

import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// Pictures of the counterexample are not stored; running it again makes them.
extension CheckReport: Codable {
  private enum CodingKeys: CodingKey {
    case checked, scenario, omission, origin, openQuestion, declaredViolations, hasHardware
    case strategy, jobs, search, note, limits, isExact, scope, lastLevel, verdict, statistics
    case counterexample, coverage, notJudged, isRestricted, sampledExecutions, speedHints, isSaved
    case callPaths, explored
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    checked = try container.decode(CheckedScenario.self, forKey: .checked)
    scenario = try container.decode(String.self, forKey: .scenario)
    omission = try container.decodeIfPresent(String.self, forKey: .omission)
    origin = try container.decodeIfPresent(Origin.self, forKey: .origin)
    openQuestion = try container.decodeIfPresent(String.self, forKey: .openQuestion)
    declaredViolations = try container.decode([String].self, forKey: .declaredViolations)
    hasHardware = try container.decode(Bool.self, forKey: .hasHardware)
    strategy = try container.decode(Strategy.self, forKey: .strategy)
    jobs = try container.decode(Int.self, forKey: .jobs)
    search = try container.decode(String.self, forKey: .search)
    note = try container.decodeIfPresent(String.self, forKey: .note)
    limits = try container.decode(Limits.self, forKey: .limits)
    isExact = try container.decode(Bool.self, forKey: .isExact)
    scope = try container.decode(String.self, forKey: .scope)
    lastLevel = try container.decode(Int.self, forKey: .lastLevel)
    verdict = try container.decode(Verdict.self, forKey: .verdict)
    statistics = try container.decode(Statistics.self, forKey: .statistics)
    counterexample = try container.decodeIfPresent(Trace.self, forKey: .counterexample)
    coverage = try container.decode(Coverage.self, forKey: .coverage)
    notJudged = try container.decode([UnjudgedInvariant].self, forKey: .notJudged)
    isRestricted = try container.decode(Bool.self, forKey: .isRestricted)
    sampledExecutions = try container.decodeIfPresent(Int.self, forKey: .sampledExecutions)
    speedHints = try container.decode([String].self, forKey: .speedHints)
    isSaved = try container.decode(Bool.self, forKey: .isSaved)
    callPaths = try container.decode(CallPaths.self, forKey: .callPaths)
    explored = try container.decodeIfPresent(Double.self, forKey: .explored)
    if let problem {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: container.codingPath, debugDescription: problem))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(checked, forKey: .checked)
    try container.encode(scenario, forKey: .scenario)
    try container.encodeIfPresent(omission, forKey: .omission)
    try container.encodeIfPresent(origin, forKey: .origin)
    try container.encodeIfPresent(openQuestion, forKey: .openQuestion)
    try container.encode(declaredViolations, forKey: .declaredViolations)
    try container.encode(hasHardware, forKey: .hasHardware)
    try container.encode(strategy, forKey: .strategy)
    try container.encode(jobs, forKey: .jobs)
    try container.encode(search, forKey: .search)
    try container.encodeIfPresent(note, forKey: .note)
    try container.encode(limits, forKey: .limits)
    try container.encode(isExact, forKey: .isExact)
    try container.encode(scope, forKey: .scope)
    try container.encode(lastLevel, forKey: .lastLevel)
    try container.encode(verdict, forKey: .verdict)
    try container.encode(statistics, forKey: .statistics)
    try container.encodeIfPresent(counterexample, forKey: .counterexample)
    try container.encode(coverage, forKey: .coverage)
    try container.encode(notJudged, forKey: .notJudged)
    try container.encode(isRestricted, forKey: .isRestricted)
    try container.encodeIfPresent(sampledExecutions, forKey: .sampledExecutions)
    try container.encode(speedHints, forKey: .speedHints)
    try container.encode(isSaved, forKey: .isSaved)
    try container.encode(callPaths, forKey: .callPaths)
    try container.encodeIfPresent(explored, forKey: .explored)
  }

  /// An upper bound on counts, low enough that sums do not overflow.
  private static let countMax = 1 << 48
  /// An upper bound on the levels of tables.
  private static let levelMax = 64

  /// A contradiction, or a number that no check produces; nil for the report of a real check.
  private var problem: String? {
    limits.problem ?? numberProblem ?? verdictProblem ?? counterexampleProblem
  }

  private var numberProblem: String? {
    let counts = [
      statistics.executions, statistics.blocked, statistics.truncated, statistics.transitions,
      statistics.states, statistics.collisions, statistics.statesCovered, statistics.depthMax,
      sampledExecutions ?? 0,
    ]
    if counts.contains(where: { !(0...Self.countMax).contains($0) }) { return "counts of nothing" }
    if jobs < 1 { return "\(jobs) jobs" }
    if let explored, !(0...1).contains(explored) { return "an explored part of \(explored)" }
    let levels = [lastLevel] + coverage.levels.compactMap(\.number)
    return levels.allSatisfy((0...Self.levelMax).contains) ? nil : "levels that no table has"
  }

  private var verdictProblem: String? {
    switch verdict {
    case .violated where counterexample == nil: return "violated, without a counterexample"
    case .holds, .incomplete:
      if counterexample != nil { return "a counterexample, and not violated" }
      if sampledExecutions != nil { return "found by a sample, and not violated" }
    case .violated: break
    }
    if case .incomplete(.vacuous(let missing)) = verdict, missing.isEmpty {
      return "something must happen, and is not named"
    }
    guard coversAll else { return nil }
    // Only a complete search can prove that a model holds.
    if !strategy.isComplete { return "holds, as far as samples show" }
    if explored != nil { return "holds, and only a part was explored" }
    return nil
  }

  private var counterexampleProblem: String? {
    guard let counterexample else { return nil }
    if counterexample.scenario != checked { return "a counterexample of another check" }
    guard let id = violatedInvariant else { return "a counterexample that violates nothing" }
    return invariants.contains(id) ? nil : "a counterexample to what was not required"
  }
}
