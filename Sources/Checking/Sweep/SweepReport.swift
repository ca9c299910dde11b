// The result of a sweep: its coverage, and the smallest combinations that fail.

import GracewalkExploration
import GracewalkMachine

/// The result of a sweep.
public struct SweepReport: Sendable {
  /// A failing combination that contains no smaller failing one.
  public struct Failure: Sendable {
    public let combination: Combination
    /// The check of that combination, with its counterexample.
    public internal(set) var report: CheckReport

    init(_ combination: Combination, _ report: CheckReport) {
      self.combination = combination
      self.report = report
    }
  }

  /// The maximum number of combinations.
  public static let most = 100_000

  public let model: String
  /// A description of the state before the first operation.
  public let start: String
  public let omission: String?
  public let origin: Origin?
  /// The operations, as traces name them.
  public let operations: [String]
  public let invariants: [String]
  /// The maximum number of CPUs, and of operations on each.
  public let cpus: Int
  public let operationsPerCPU: Int
  /// A description of the tables, memory and hardware.
  public let setting: String
  public let limits: Limits
  /// Whether the sweep continues after the first combination that fails.
  public let findsAll: Bool
  /// The number of ways to assign operations to CPUs in order.
  public let assignments: Int
  /// The number of combinations up to an exchange of CPUs.
  public let withoutSymmetries: Int
  /// The number up to an exchange of CPUs and symmetries of the operations: those to explore.
  public let combinations: Int
  /// Combinations that were explored completely, and hold.
  public internal(set) var explored = 0
  /// The sum of the counts of their searches.
  public internal(set) var statistics = Statistics()
  /// The combination with the most states.
  public internal(set) var largest: (name: String, states: Int)?
  /// The sum of the squares of their states, for `collisionBound`.
  private var squares = UInt128(0)
  /// Combinations skipped because they contain one that fails.
  public internal(set) var containFailing = 0
  /// The smallest combinations that fail, smallest first; only the first, unless all are requested.
  public internal(set) var failures: [Failure] = []
  /// Checks that a bound ended.
  public internal(set) var incomplete: [CheckReport] = []
  /// The bound that ended the sweep; nil if none did.
  public internal(set) var stopped: Bound?

  init(
    _ model: Model, _ options: SweepOptions, operations: [String], start: String,
    invariants: [String], setting: String, assignments: Int, withoutSymmetries: Int,
    combinations: Int
  ) {
    self.model = model.name
    self.start = start
    omission = model.omission
    origin = model.origin
    self.operations = operations
    self.invariants = invariants
    cpus = options.cpus
    operationsPerCPU = options.operations
    self.setting = setting
    limits = options.limits
    findsAll = options.findsAll
    self.assignments = assignments
    self.withoutSymmetries = withoutSymmetries
    self.combinations = combinations
  }

  mutating func add(_ report: CheckReport) {
    explored += 1
    let counts = report.statistics
    statistics.executions += counts.executions
    statistics.states += counts.states
    statistics.transitions += counts.transitions
    statistics.depthMax = max(statistics.depthMax, counts.depthMax)
    squares += UInt128(counts.states) * UInt128(counts.states)
    if counts.states > largest?.states ?? -1 { largest = (report.model, counts.states) }
  }

  public enum Verdict: String, Sendable {
    case holds, violated, incomplete
  }

  public var verdict: Verdict {
    if !failures.isEmpty { return .violated }
    return stopped == nil && explored == combinations ? .holds : .incomplete
  }

  /// Combinations not reached, because one failed or the sweep was stopped.
  public var left: Int {
    combinations - explored - containFailing - failures.count - incomplete.count
  }

  /// A bound on the probability that two different states were merged in some search.
  public var collisionBound: CollisionBound? {
    // A single search with this many states has at least the sum of the bounds.
    let states = Int(Double(squares).squareRoot().rounded(.up))
    return states > 0 ? CollisionBound(states: states) : nil
  }
}

extension Scenario {
  /// The part of the scope that does not depend on the size of the sweep.
  func setting(of words: [Vocabulary.Word]) -> String {
    let tables = hasTables ? "\(geometry.levels)-level tables of \(geometry.entries) entries, " : ""
    let guests = words.contains { $0.mmu != nil }
    let hardware = guests ? "an MMU for each CPU that runs a guest, \(features.summary), " : ""
    return "\(tables)\(hardware)\(memoryModel.text)"
  }
}
