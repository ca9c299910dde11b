// A sweep's report as JSON. The shape is versioned; keys are sorted.

import GracewalkChecking
import GracewalkExploration

/// The report of a sweep.
public struct SweepDocument: Encodable, Sendable {
  struct Counts: Encodable, Sendable {
    /// Ways to assign operations to CPUs.
    var assignments: Int
    var upToOrderOfCPUs: Int
    /// The number up to symmetries of operations: the sum of the counts below.
    var combinations: Int
    var exploredCompletely: Int
    var failed: Int
    var containFailing: Int
    var incomplete: Int
    var notLookedAt: Int
    /// Executions of the combinations explored completely.
    var executions: Int
    var states: Int
    var transitions: Int
    var depthMax: Int
  }

  struct Largest: Encodable, Sendable {
    var name: String
    var states: Int
  }

  var format = "gracewalk sweep 1"
  var model: String
  var start: String
  var operations: [String]
  var invariants: [String]
  var cpus: Int
  var operationsPerCPU: Int
  var verdict: String
  /// Whether all smallest failing combinations were requested, not only the first.
  var all: Bool
  var counts: Counts
  var largest: Largest?
  var collisionChance: Double?
  /// The bound that stopped the sweep.
  var stopped: String?
  var failures: [CheckDocument]
  var incomplete: [CheckDocument]
  /// The only value that differs between two runs.
  var seconds: Double?

  public init(_ report: SweepReport, seconds: Double? = nil) {
    model = report.model
    start = report.start
    operations = report.operations
    invariants = report.invariants
    cpus = report.cpus
    operationsPerCPU = report.operationsPerCPU
    verdict = report.verdict.rawValue
    all = report.findsAll
    counts = Counts(
      assignments: report.assignments, upToOrderOfCPUs: report.withoutSymmetries,
      combinations: report.combinations, exploredCompletely: report.explored,
      failed: report.failures.count, containFailing: report.containFailing,
      incomplete: report.incomplete.count, notLookedAt: report.left,
      executions: report.statistics.executions, states: report.statistics.states,
      transitions: report.statistics.transitions, depthMax: report.statistics.depthMax)
    largest = report.largest.map { Largest(name: $0.name, states: $0.states) }
    collisionChance = report.collisionBound?.value
    stopped = report.stopped?.rawValue
    failures = report.failures.map { CheckDocument($0.report) }
    incomplete = report.incomplete.map { CheckDocument($0) }
    self.seconds = seconds
  }
}
