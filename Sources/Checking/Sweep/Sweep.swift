// Sweeping a model: every combination of its operations up to a size, each explored completely.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// What to sweep, and how far.
public struct SweepOptions: Sendable {
  /// Most CPUs, and most operations of each.
  public var cpus = 2
  public var operations = 1
  /// Whether to go on after the first combination that fails.
  public var findsAll = false
  /// Bounds on the search of each combination; that on seconds is on the whole sweep.
  public var limits = Limits()
  /// Threads, each of which explores a combination at a time.
  public var jobs = 1
  /// Sees after each batch how many combinations are done, and their counts.
  public var watch: (@Sendable (Int, Statistics) -> Void)?
  /// Asked now and then whether to end the sweep; called by all threads.
  public var isInterrupted: @Sendable () -> Bool = { false }

  public init() {}
}

extension SweepOptions {
  /// What makes no sense in them; nil if nothing does.
  var problem: String? {
    if cpus < 1 || operations < 1 {
      return "a sweep of \(cpus) CPUs with \(operations) operations: there is at least one of each"
    }
    return jobs < 1 ? "\(jobs) jobs: there is at least one" : limits.problem
  }
}

/// Why a model cannot be swept; each is the user's to mend.
public enum SweepError: Error, Equatable {
  case noVocabulary
  /// There are too many combinations, or even more than fit: then the count is nil.
  case tooMany(count: Int?, vocabularySize: Int)
  case tooLarge
  /// The model of a combination breaks the rules.
  case badModel(combination: String, CheckError)
}

/// One sweep, in batches of combinations that threads share.
///
/// What is reported follows from the reports of the combinations in their order, never from who
/// was first, so it is the same for any number of threads.
final class Sweep {
  /// How many are begun before the reports of all of them are looked at.
  private static let batchSize = 32

  private let model: Model
  private let options: SweepOptions
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var report: SweepReport
  /// Those that failed, and what symmetries make of them.
  private var failed: [Combination] = []
  private let symmetries: [[Int]]
  private let combinations: [Combination]

  init(_ model: Model, _ options: SweepOptions) throws(SweepError) {
    guard let vocabulary = model.vocabulary else { throw .noVocabulary }
    if let problem = options.problem ?? vocabulary.problem {
      throw .badModel(combination: model.name, .badOptions(problem))
    }
    self.model = model
    self.options = options
    start = clock.now
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
      invariants: scenario.invariants.map(\.id), world: scenario.world(of: words),
      assignments: assignments, withoutSymmetries: count, combinations: combinations.count)
  }

  // MARK: The whole

  func run() throws(SweepError) -> SweepReport {
    var next = 0
    while next < combinations.count, report.stopped == nil {
      var batch: [Combination] = []
      while next < combinations.count, batch.count < Self.batchSize {
        if mayBeSmallest(combinations[next]) {
          batch.append(combinations[next])
        } else {
          report.containFailing += 1
        }
        next += 1
      }
      try take(batch, explore(batch))
      let done = report.explored + report.failures.count + report.containFailing
      options.watch?(done, report.statistics)
      if !options.findsAll, !report.failures.isEmpty { break }
    }
    for index in report.failures.indices { try minimise(&report.failures[index]) }
    return report
  }

  private func mayBeSmallest(_ combination: Combination) -> Bool {
    !failed.contains { combination.contains($0) }
  }

  /// Takes the reports of a batch in order.
  private func take(
    _ batch: [Combination], _ reports: [Result<CheckReport, CheckError>]
  ) throws(SweepError) {
    for (combination, result) in zip(batch, reports) {
      // One before it in the same batch may have failed meanwhile.
      guard mayBeSmallest(combination) else {
        report.containFailing += 1
        continue
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
        if !options.findsAll { return }
      case .incomplete(.bound(.interrupted)):
        report.stopped = .interrupted
        return
      case .incomplete(.bound(.seconds)):
        report.stopped = .seconds
        return
      case .incomplete: report.incomplete.append(found)
      }
    }
  }

  // MARK: Combinations

  private func explore(_ batch: [Combination]) -> [Result<CheckReport, CheckError>] {
    let models = batch.compactMap { model.model(of: $0) }
    let (limits, isInterrupted) = (options.limits, options.isInterrupted)
    let end = limits.seconds.map { start + .seconds($0) }
    return concurrentMap(models.count, jobs: options.jobs) { index in
      var options = CheckOptions()
      options.limits = limits
      // A search that should have ended before it began still begins, and ends at once.
      options.limits.seconds = end.map { max(($0 - .now).inSeconds, 1e-9) }
      options.minimises = false
      options.watch = { _ in !isInterrupted() }
      return Result { () throws(CheckError) in try models[index].check(options) }
    }
  }

  /// Looks for the simplest counterexample of a combination.
  private func minimise(_ failure: inout SweepReport.Failure) throws(SweepError) {
    guard let model = model.model(of: failure.combination) else { return }
    let isInterrupted = options.isInterrupted
    var options = CheckOptions()
    options.watch = { _ in !isInterrupted() }
    do throws(CheckError) {
      let report = try model.check(options)
      if report.verdict == .violated { failure.report = report }
    } catch {
      throw .badModel(combination: model.name, error)
    }
  }
}

extension Model {
  /// Checks every combination of the model's operations up to a size.
  ///
  /// - Throws: `SweepError` if there is nothing to sweep, or too much.
  public func sweep(_ options: SweepOptions) throws(SweepError) -> SweepReport {
    try Sweep(self, options).run()
  }
}
