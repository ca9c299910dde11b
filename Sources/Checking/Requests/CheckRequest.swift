// A check as a value that one process can send to another.

import Foundation
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// A check of a model: which model, which of its scenarios, and which search.
///
/// It contains everything that the report depends on, so any process with the same models gets the
/// same report. Only several threads, or bounds on time, make counts differ.
public struct CheckRequest: Codable, Hashable, Sendable {
  /// The model's name; combinations of a model's operations have names, too.
  public var model: String
  public var scenario: ScenarioChoice
  public var search: SearchChoice

  public init(
    _ model: String, scenario: ScenarioChoice = ScenarioChoice(),
    search: SearchChoice = SearchChoice()
  ) {
    self.model = model
    self.scenario = scenario
    self.search = search
  }

  /// The request for a check with these options.
  public init(_ model: String, _ options: CheckOptions) {
    self.init(model, scenario: options.scenario, search: options.search)
  }
}

extension CheckRequest: StoredValue {
  public static let storedName = "request"
  public static let storedVersion = 4

  /// Sixteen digits computed from the contents, the same in every process.
  ///
  /// A cache keyed by it must also record which program gave the answers.
  public var contentName: String {
    get throws(StoredFileError) { try StoredFile(self).name }
  }
}

extension CheckReport: StoredValue {
  public static let storedName = "report"
  public static let storedVersion = 4
}

extension CheckRequest: WorkUnit {
  package func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> CheckReport {
    let model = try context.model(named: model)
    var options = CheckOptions(scenario: scenario, search: search)
    context.supervise(&options)
    guard let path = context.checkpoint, isResumable else { return try model.check(options) }
    return try Self.check(model, options, savedIn: path)
  }

  /// Resumes the check if an earlier process has saved it, and saves it from time to time.
  private static func check(
    _ model: Model, _ options: CheckOptions, savedIn path: String
  ) throws(CheckError) -> CheckReport {
    var options = options
    options.checkpoints = CheckpointFile(path: path)
    options.checkpointInterval = 60
    options.resume = try? Checkpoint(path: path)
    var report: CheckReport
    do {
      report = try model.check(options)
    } catch {
      guard options.resume != nil, case .badCheckpoint = error else { throw error }
      // A saved check that does not fit is worth nothing; the check starts again.
      options.resume = nil
      report = try model.check(options)
    }
    if isFinal(.success(report)) {
      try? FileManager.default.removeItem(atPath: path)
      // As if one process had done it all.
      report.isSaved = false
    }
    return report
  }

  /// With a bound on time it is not, as each part would start counting again.
  package var isResumable: Bool { search.limits.seconds == nil }

  package static func isFinal(_ result: Result<CheckReport, CheckError>) -> Bool {
    guard case .success(let report) = result else { return true }
    switch report.verdict {
    case .incomplete(.bound(.interrupted)), .incomplete(.bound(.seconds)): return false
    default: return true
    }
  }
}
