// Sweeping a model: every combination of its operations up to a size, each explored completely.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// The bounds of a sweep.
public struct SweepOptions: Sendable {
  /// The maximum number of CPUs, and of operations on each.
  public var cpus = 2
  public var operations = 1
  /// Whether to continue after the first combination that fails.
  public var findsAll = false
  /// Bounds on the search of each combination; that on seconds is on the whole sweep.
  public var limits = Limits()
  /// Threads, each of which explores a combination at a time.
  public var jobs = 1
  /// Called after each batch with the number of combinations done and their counts.
  public var watch: (@Sendable (Int, Statistics) -> Void)?
  /// Polled for whether to end the sweep; called by all threads.
  public var isInterrupted: @Sendable () -> Bool = { false }

  public init() {}
}

extension SweepOptions {
  /// The first invalid value, or nil.
  var problem: String? {
    if cpus < 1 || operations < 1 {
      return "a sweep of \(cpus) CPUs with \(operations) operations: there is at least one of each"
    }
    return jobs < 1 ? "\(jobs) jobs: there is at least one" : limits.problem
  }
}

/// Why a model cannot be swept; all are mistakes that the user can correct.
public enum SweepError: Error, Equatable {
  case noVocabulary
  /// There are too many combinations; the count is nil if it overflows.
  case tooMany(count: Int?, vocabularySize: Int)
  case tooLarge
  /// The model of a combination breaks the rules.
  case badModel(combination: String, CheckError)
}

/// One sweep: an executor checks the combinations in batches.
///
/// The result is computed from the combinations' reports in order, never from which finished first,
/// so it is the same for any executor.
final class Sweep {
  /// The minimum size of a batch.
  private static let batchSize = 32
  /// From this size on, a batch ends where combinations get larger.
  private static let largeBatch = 256

  private let model: Model
  private let options: SweepOptions
  private let executor: any Executor
  private let start = ContinuousClock.now
  private var report: SweepReport
  /// Combinations that failed, and their images under symmetries.
  private var failed: [Combination] = []
  private let symmetries: [[Int]]
  private let combinations: [Combination]

  init(
    _ model: Model, _ options: SweepOptions, _ executor: any Executor
  ) throws(SweepError) {
    guard let vocabulary = model.vocabulary else { throw .noVocabulary }
    if let problem = options.problem ?? vocabulary.problem {
      throw .badModel(combination: model.name, .badOptions(problem))
    }
    self.model = model
    self.options = options
    self.executor = executor
    let (scenario, words) = vocabulary.build()
    let space = CombinationSpace(
      vocabularySize: words.count, cpusMax: options.cpus, operationsMax: options.operations,
      symmetries: vocabulary.symmetries)
    guard let count = space.combinationCount, count <= SweepReport.most,
      let assignments = space.assignmentCount
    else { throw .tooMany(count: space.combinationCount, vocabularySize: words.count) }
    guard options.cpus <= Model.sweptCPUsMax, options.operations <= Model.sweptOperationsMax else {
      throw .tooLarge
    }
    symmetries = space.symmetries
    combinations = space.combinations
    report = SweepReport(
      model, options, operations: words.map(\.operation.name), start: vocabulary.start,
      invariants: scenario.invariants.map(\.id), setting: scenario.setting(of: words),
      assignments: assignments, withoutSymmetries: count, combinations: combinations.count)
  }

  // MARK: The whole

  func run() throws(SweepError) -> SweepReport {
    var next = 0
    while next < combinations.count, report.stopped == nil {
      var batch: [Combination] = []
      while next < combinations.count, !isFull(batch, next) {
        if mayBeSmallest(combinations[next]) {
          batch.append(combinations[next])
        } else {
          report.containFailing += 1
        }
        next += 1
      }
      try explore(batch)
      let done = report.explored + report.failures.count + report.containFailing
      options.watch?(done, report.statistics)
      if !options.findsAll, !report.failures.isEmpty { break }
    }
    try minimise()
    return report
  }

  /// True if a batch is to be checked before a combination is added to it.
  ///
  /// A batch for many machines ends where combinations get larger, since many of those that follow
  /// may contain one that fails.
  private func isFull(_ batch: [Combination], _ next: Int) -> Bool {
    if executor.width == .max { return false }
    if batch.count >= max(Self.batchSize, 2 * executor.width) { return true }
    guard batch.count >= Self.largeBatch, let last = batch.last else { return false }
    return combinations[next].operationCount > last.operationCount
  }

  private func mayBeSmallest(_ combination: Combination) -> Bool {
    !failed.contains { combination.contains($0) }
  }

  // MARK: Combinations

  /// Checks a batch, and takes the reports in order.
  private func explore(_ batch: [Combination]) throws(SweepError) {
    var search = SearchChoice()
    search.limits = options.limits
    search.limits.seconds = nil
    search.minimises = false
    var watch = watch
    watch.end = options.limits.seconds.map { start + .seconds($0) }
    let findsAll = options.findsAll
    watch.isLast = { !findsAll && $0.verdict == .violated }
    var failure: SweepError?
    let isWhole = executor.run(
      batch.map { CheckRequest(model.name(of: $0), search: search) }, watch
    ) { done in
      do throws(SweepError) {
        return try take(batch[done.number], done.result)
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    let isOver = report.stopped != nil || !options.findsAll && !report.failures.isEmpty
    if !isWhole, !isOver { report.stopped = .interrupted }
  }

  /// Takes the report of a combination; returns whether the sweep continues.
  private func take(
    _ combination: Combination, _ result: Result<CheckReport, CheckError>
  ) throws(SweepError) -> Bool {
    // An earlier one in the same batch may have failed meanwhile.
    guard mayBeSmallest(combination) else {
      report.containFailing += 1
      return true
    }
    let found: CheckReport
    switch result {
    case .failure(let error): throw .badModel(combination: model.name(of: combination), error)
    case .success(let report): found = report
    }
    switch found.verdict {
    case .holds: report.add(found)
    case .violated:
      report.failures.append(SweepReport.Failure(combination, found))
      for symmetry in symmetries { failed.append(combination.image(under: symmetry)) }
      return options.findsAll
    case .incomplete(.bound(.interrupted)): report.stopped = .interrupted
    case .incomplete(.bound(.seconds)): report.stopped = .seconds
    case .incomplete: report.incomplete.append(found)
    }
    return report.stopped == nil
  }

  private var watch: WorkWatch<CheckRequest> {
    let isInterrupted = options.isInterrupted
    var watch = WorkWatch<CheckRequest>()
    watch.isInterrupted = isInterrupted
    watch.begin = { _ in { _ in !isInterrupted() } }
    return watch
  }

  /// Looks for the simplest counterexample of each combination that failed.
  private func minimise() throws(SweepError) {
    var failure: SweepError?
    // Counterexamples that are not reached here stay as they were found.
    _ = executor.run(
      report.failures.map { CheckRequest(model.name(of: $0.combination)) }, watch
    ) { done in
      switch done.result {
      case .success(let found):
        if found.verdict == .violated { report.failures[done.number].report = found }
      case .failure(let error):
        failure = .badModel(
          combination: model.name(of: report.failures[done.number].combination), error)
      }
      return failure == nil
    }
    if let failure { throw failure }
  }
}

extension Model {
  /// Checks every combination of the model's operations up to a size.
  ///
  /// - Throws: `SweepError` if there is nothing to sweep, or too much.
  public func sweep(_ options: SweepOptions) throws(SweepError) -> SweepReport {
    try sweep(options, by: ThreadExecutor([self], jobs: options.jobs))
  }

  /// The same with an executor that runs the checks.
  package func sweep(
    _ options: SweepOptions, by executor: any Executor
  ) throws(SweepError) -> SweepReport {
    try Sweep(self, options, executor).run()
  }
}
