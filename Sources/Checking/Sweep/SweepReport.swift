// What a sweep covered, and the smallest combinations that fail.

import GracewalkExploration
import GracewalkMachine

/// The result of a sweep.
public struct SweepReport: Sendable {
  /// A combination that fails, while none fails that it contains.
  public struct Failure: Sendable {
    public let combination: Combination
    /// The check of that combination, with its counterexample.
    public internal(set) var report: CheckReport

    init(_ combination: Combination, _ report: CheckReport) {
      self.combination = combination
      self.report = report
    }
  }

  /// More combinations are refused.
  public static let most = 100_000

  public let model: String
  /// What there is before the first operation.
  public let start: String
  public let omission: String?
  public let origin: Origin?
  /// The operations, as traces name them.
  public let operations: [String]
  public let invariants: [String]
  /// Most CPUs, and most operations of each.
  public let cpus: Int
  public let operationsPerCPU: Int
  /// What tables and memory there are, in words.
  public let world: String
  public let limits: Limits
  /// Whether the sweep goes on after the first combination that fails.
  public let findsAll: Bool
  /// How many ways there are to give one CPU after the other its operations.
  public let assignments: Int
  /// Those up to an exchange of CPUs.
  public let withoutSymmetries: Int
  /// Those up to an exchange of CPUs and symmetries of the operations: what is to be explored.
  public let combinations: Int
  /// Combinations that were explored completely, and hold.
  public internal(set) var explored = 0
  /// Counts of their searches, added up.
  public internal(set) var statistics = Statistics()
  /// The one of them with most states.
  public internal(set) var largest: (name: String, states: Int)?
  /// The sum of the squares of their states, for `collisionBound`.
  private var squares = UInt128(0)
  /// Combinations that contain one that fails, and were left out for that.
  public internal(set) var containFailing = 0
  /// The smallest combinations that fail, smallest first; the first only, unless all are asked for.
  public internal(set) var failures: [Failure] = []
  /// Checks that met a bound.
  public internal(set) var incomplete: [CheckReport] = []
  /// What ended the sweep before all combinations were taken; nil if nothing but a failure did.
  public internal(set) var stopped: Bound?

  init(
    _ model: Model, _ options: SweepOptions, operations: [String], start: String,
    invariants: [String], world: String, assignments: Int, withoutSymmetries: Int,
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
    self.world = world
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

  /// Combinations that were not looked at, because one failed or the sweep was stopped.
  public var left: Int {
    combinations - explored - containFailing - failures.count - incomplete.count
  }

  /// How likely it is that in some search two different states were merged.
  public var collisionBound: CollisionBound? {
    // As many states in one search would give at least the sum of the bounds.
    let states = Int(Double(squares).squareRoot().rounded(.up))
    return states > 0 ? CollisionBound(states: states) : nil
  }
}

extension Scenario {
  /// The part of the scope of all combinations that is not about how many do how much.
  func world(of words: [Vocabulary.Word]) -> String {
    let tables = hasTables ? "\(geometry.levels)-level tables of \(geometry.entries) entries, " : ""
    let guests = words.contains { $0.mmu != nil }
    let hardware = guests ? "an MMU for each CPU that runs a guest, \(features.summary), " : ""
    return "\(tables)\(hardware)\(memoryModel.text)"
  }
}
