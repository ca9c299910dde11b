// A check as a value that one process can send to another.

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
  public static let storedVersion = 2

  /// Sixteen digits computed from the contents, the same in every process.
  ///
  /// A cache keyed by it must also record which program gave the answers.
  public var contentName: String {
    get throws(StoredFileError) { try StoredFile(self).name }
  }
}

extension CheckReport: StoredValue {
  public static let storedName = "report"
  public static let storedVersion = 1
}

extension CheckRequest: WorkUnit {
  package func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> CheckReport {
    let model = try context.model(named: model)
    var options = CheckOptions(scenario: scenario, search: search)
    context.supervise(&options)
    return try model.check(options)
  }
}
