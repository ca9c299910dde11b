// gracewalk list: models, C programs, systems, invariants and architectures.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

enum ListCommand {
  static let command = Command(
    name: "list", operands: "[KIND]",
    summary: "list models, C programs, systems, invariants and architectures",
    details: ["KIND is models, programs, systems, invariants or architectures; without it, all."],
    options: [OutputFormat.option(OutputFormat.words)], run: run)

  private struct ModelEntry: Encodable {
    var name: String
    var summary: String
    var scenario: String
    var leavesOut: String?
    var notAnswered: String?
    var expected: [String]
    var notRequired: [String: String]?
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

  private struct ProgramEntry: Encodable {
    var name: String
    var summary: String
    var expected: [String]
    /// The same under other memory models.
    var under: [String: [String]]?
  }

  private struct SystemEntry: Encodable {
    var name: String
    var summary: String
    var start: String
    var operations: [String]
  }

  private struct InvariantEntry: Encodable {
    var id: String
    var kind: String
    var appliesTo: String
    var statement: String
    var rationale: String
    var source: String
  }

  private struct ArchitectureEntry: Encodable {
    var id: String
    var name: String
    var details: String
    var features: String
  }

  private struct Document: Encodable {
    var format = "gracewalk list 1"
    var models: [ModelEntry]?
    var programs: [ProgramEntry]?
    var systems: [SystemEntry]?
    var invariants: [InvariantEntry]?
    var architectures: [ArchitectureEntry]?
  }

  private static func run(_ arguments: Arguments) throws -> Int32 {
    let kinds = ["models", "programs", "systems", "invariants", "architectures"]
    guard arguments.operands.count <= 1, arguments.operands.allSatisfy(kinds.contains) else {
      throw UsageError(
        "list takes 'models', 'programs', 'systems', 'invariants' or 'architectures'; see "
          + "\(RunningProgram.name) list --help")
    }
    let wants = { (kind: String) in (arguments.operands.first ?? kind) == kind }
    if try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json {
      print(
        try json(
          Document(
            models: wants("models") ? arguments.models.map(entry) : nil,
            programs: wants("programs") ? arguments.source.programs.models.map(entry) : nil,
            systems: wants("systems") ? arguments.models.compactMap(systemEntry) : nil,
            invariants: wants("invariants") ? invariants(arguments).map(entry) : nil,
            architectures: wants("architectures") ? Architecture.all.map(entry) : nil)))
      return ExitStatus.holds
    }
    let style = Terminal.style
    var sections: [[String]] = []
    if wants("models") { sections.append(arguments.models.flatMap { lines($0, style) }) }
    let programs = arguments.source.programs.models
    if wants("programs"), !programs.isEmpty {
      sections.append(programs.flatMap { lines($0, style) })
    }
    let systems = arguments.models.compactMap(systemEntry)
    if wants("systems"), systems.isEmpty, !wants("models") {
      sections.append(["no model has a vocabulary, so there is none to sweep"])
    } else if wants("systems"), !systems.isEmpty {
      sections.append(
        systems.flatMap {
          [
            "\(style.bold($0.name)): sweep of \($0.operations.joined(separator: "; "))",
            "  \($0.start)",
          ]
        })
    }
    if wants("invariants") {
      sections.append(
        invariants(arguments).flatMap {
          ["\(style.bold($0.id)) (\($0.kind.rawValue))", "  \($0.statement)"]
        })
    }
    if wants("architectures") {
      sections.append(
        Architecture.all.flatMap {
          ["\(style.bold($0.id)) (\($0.features.text))", "  \($0.details)"]
        })
    }
    print(sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n"))
    return ExitStatus.holds
  }

  /// The catalogue's invariants, and those that models define themselves.
  private static func invariants(_ arguments: Arguments) -> [any Invariant] {
    InvariantCatalogue.described + arguments.models.ownInvariants
  }

  static func lines(_ model: Model, _ style: Style) -> [String] {
    let verdict: String
    switch model.expectation {
    case .holds: verdict = style.good("holds")
    case .violates(let ids): verdict = style.bad("violates") + " \(ids.joined(separator: ", "))"
    }
    return ["\(style.bold(model.name)): \(verdict)", "  \(model.summary)"]
      + (model.omission.map { ["  leaves out: \($0)"] } ?? [])
      + model.exempt.map { "  not required: \($0.invariant), as \($0.reason)" }
      + (model.openQuestion.map { ["  \(MemoryModel.standard.notAnswered): \($0)"] } ?? [])
  }

  private static func lines(_ program: ProgramModel, _ style: Style) -> [String] {
    let verdict =
      program.violates.isEmpty
      ? style.good("holds")
      : style.bad("violates") + " \(program.violates.joined(separator: " or "))"
    let others = program.others.map {
      "  under \($0.memoryModel.text): \(ProgramModel.verdict($0.violates))"
    }
    return ["\(style.bold(program.name)) (C): \(verdict)", "  \(program.summary)"] + others
  }

  private static func entry(_ program: ProgramModel) -> ProgramEntry {
    ProgramEntry(
      name: program.name, summary: program.summary,
      expected: ProgramModel.expected(program.violates),
      under: program.others.isEmpty
        ? nil
        : Dictionary(
          uniqueKeysWithValues: program.others.map {
            ($0.memoryModel.rawValue, ProgramModel.expected($0.violates))
          }))
  }

  private static func entry(_ architecture: Architecture) -> ArchitectureEntry {
    ArchitectureEntry(
      id: architecture.id, name: architecture.name, details: architecture.details,
      features: architecture.features.text)
  }

  private static func entry(_ model: Model) -> ModelEntry {
    var expected = ["holds"]
    if case .violates(let ids) = model.expectation { expected = ids }
    return ModelEntry(
      name: model.name, summary: model.summary, scenario: model.scenarioText,
      leavesOut: model.omission, notAnswered: model.openQuestion, expected: expected,
      notRequired: model.exempt.isEmpty
        ? nil
        : Dictionary(uniqueKeysWithValues: model.exempt.map { ($0.invariant, $0.reason) }),
      parameters: Dictionary(
        uniqueKeysWithValues: model.parameters.map {
          let range = "\($0.range.lowerBound) to \($0.range.upperBound)"
          return ($0.name, "\($0.summary), \(range), default \($0.standard)")
        }),
      origin: model.origin.map {
        OriginEntry(
          author: $0.author, list: $0.list, date: $0.date, subject: $0.subject,
          question: $0.question)
      })
  }

  private static func systemEntry(_ model: Model) -> SystemEntry? {
    model.vocabulary.map {
      SystemEntry(
        name: model.name, summary: model.summary, start: $0.start, operations: $0.operations)
    }
  }

  private static func entry(_ invariant: any Invariant) -> InvariantEntry {
    InvariantEntry(
      id: invariant.id, kind: invariant.kind.rawValue, appliesTo: invariant.applicability.text,
      statement: invariant.statement, rationale: invariant.rationale, source: invariant.source)
  }
}
