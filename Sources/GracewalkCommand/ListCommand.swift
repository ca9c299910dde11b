// gracewalk list: what there is to check, and what it is checked for.

import Gracewalk
import Models
import Reporting

enum ListCommand {
  static let command = Command(
    name: "list", operands: "[models|invariants]",
    summary: "list the models and invariants",
    options: [SharedOptions.format], run: run)

  private struct ModelEntry: Encodable {
    var name: String
    var summary: String
    var scenario: String
    var leavesOut: String?
    var notAnswered: String?
    var expected: [String]
    var parameters: [String: String]
    var origin: OriginEntry?
  }

  private struct OriginEntry: Encodable {
    var author: String
    var list: String
    var date: String
    var subject: String
    var question: String
  }

  private struct InvariantEntry: Encodable {
    var id: String
    var kind: String
    var statement: String
    var rationale: String
    var source: String
  }

  private struct Document: Encodable {
    var format = "gracewalk list 1"
    var models: [ModelEntry]?
    var invariants: [InvariantEntry]?
  }

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.operands.count <= 1,
      ["models", "invariants"].contains(arguments.operands.first ?? "models")
    else { throw UsageError("list takes 'models' or 'invariants'; see gracewalk list --help") }
    let wantsModels = arguments.operands.first != "invariants"
    let wantsInvariants = arguments.operands.first != "models"
    if try SharedOptions.isJSON(arguments) {
      print(
        try json(
          Document(
            models: wantsModels ? Catalogue.models.map(entry) : nil,
            invariants: wantsInvariants ? InvariantCatalogue.described.map(entry) : nil)))
      return ExitStatus.holds
    }
    let style = Terminal.style
    if wantsModels { for model in Catalogue.models { show(model, style) } }
    if wantsModels && wantsInvariants { print("") }
    if wantsInvariants {
      for invariant in InvariantCatalogue.described {
        print("\(style.bold(invariant.id)) (\(invariant.kind.rawValue))")
        print("  \(invariant.statement)")
      }
    }
    return ExitStatus.holds
  }

  private static func show(_ model: Model, _ style: Style) {
    let verdict: String
    switch model.expectation {
    case .holds: verdict = style.good("holds")
    case .violates(let ids): verdict = style.bad("violates") + " \(ids.joined(separator: ", "))"
    }
    print("\(style.bold(model.name)): \(verdict)")
    print("  \(model.summary)")
    if let omission = model.omission { print("  leaves out: \(omission)") }
    if let question = model.openQuestion { print("  \(CheckText.notAnswered): \(question)") }
  }

  private static func entry(_ model: Model) -> ModelEntry {
    var expected = ["holds"]
    if case .violates(let ids) = model.expectation { expected = ids }
    return ModelEntry(
      name: model.name, summary: model.summary, scenario: model.scenarioText,
      leavesOut: model.omission, notAnswered: model.openQuestion, expected: expected,
      parameters: Dictionary(
        uniqueKeysWithValues: model.parameters.map {
          let range = "\($0.range.lowerBound) to \($0.range.upperBound)"
          return ($0.name, "\($0.summary), \(range), standard \($0.standard)")
        }),
      origin: model.origin.map {
        OriginEntry(
          author: $0.author, list: $0.list, date: $0.date, subject: $0.subject,
          question: $0.question)
      })
  }

  private static func entry(_ invariant: any Invariant) -> InvariantEntry {
    InvariantEntry(
      id: invariant.id, kind: invariant.kind.rawValue, statement: invariant.statement,
      rationale: invariant.rationale, source: invariant.source)
  }
}
