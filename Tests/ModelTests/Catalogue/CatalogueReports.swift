// The catalogue's checks, each made once per test run, however many tests need it.

import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import Testing

/// The reports of the catalogue's models, with default options.
///
/// A check is made when it is first needed. A test about a second check of the same model makes
/// that one itself.
enum CatalogueReports {
  private typealias Entry = Locked<Result<CheckReport, CheckError>?>

  private static let entries = Locked<[String: Entry]>([:])

  /// The report on a model of the catalogue with these parameters.
  ///
  /// - Parameter violated: the only invariant required; nil for all of the model's.
  static func report(
    _ model: Model, _ parameters: [String: Int] = [:], violated: String? = nil,
    under memoryModel: MemoryModel? = nil
  ) throws -> CheckReport {
    #expect(Catalogue.model(named: model.name) != nil, "\(model.name) is of the catalogue")
    let values = model.values(parameters).values.map { "\($0.name)=\($0.value)" }
    let choice = [violated ?? "", memoryModel?.rawValue ?? ""]
    let key = ([model.name] + values + choice).joined(separator: " ")
    let entry = entries.withLock { entries in
      if let known = entries[key] { return known }
      let new = Entry(nil)
      entries[key] = new
      return new
    }
    let declared = DeclaredCheck(parameters: parameters, violated: violated, under: memoryModel)
    return try entry.withLock { result in
      if let known = result { return known }
      let new = Result { () throws(CheckError) in try model.check(declared.options()) }
      result = new
      return new
    }.get()
  }

  static func report(_ model: Model, _ declared: DeclaredCheck) throws -> CheckReport {
    try report(
      model, declared.parameters, violated: declared.violated, under: declared.memoryModel)
  }

  static func report(named name: String, _ parameters: [String: Int] = [:]) throws -> CheckReport {
    try report(#require(Catalogue.model(named: name)), parameters)
  }

  /// The declared checks of models, made.
  static func declared(_ models: [Model], seconds: Double? = nil) throws -> [JudgedCheck] {
    try models.flatMap { model in
      try model.declaredChecks.map { JudgedCheck($0, try report(model, $0), seconds: seconds) }
    }
  }
}
