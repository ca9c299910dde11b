// Violations as SARIF results: the place in the model's source, and the steps of each CPU.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// Makes SARIF logs.
public struct SARIFReport: Sendable {
  /// Version of the command.
  public var version: String
  /// Maps `Module/File.swift` (`#fileID`) to a path below the root of the repository; nil if it is
  /// not known.
  public var path: @Sendable (String) -> String?

  public init(version: String, path: @escaping @Sendable (String) -> String?) {
    self.version = version
    self.path = path
  }

  /// A check of one model.
  public func log(_ report: CheckReport) -> SARIFLog {
    var notifications: [SARIFLog.Notification] = []
    if let missing = report.vacuousText {
      notifications.append(error("vacuous: nothing is violated, but \(missing)"))
    } else if let advice = report.advice {
      notifications.append(error("incomplete: \(advice)"))
    }
    notifications += report.notJudged.map { item in
      SARIFLog.Notification(
        level: "warning",
        message: SARIFLog.Message(
          text: "not judged: \(item.invariant), which is for \(item.appliesTo)"))
    }
    let rules = report.invariants
    return log(
      rules, results: report.counterexample.flatMap { result($0, rules) }.map { [$0] } ?? [],
      report.exitStatus, notifications,
      of: report.counterexample.map { [$0] } ?? [])
  }

  /// The catalogue: a declared violation is a suppressed result.
  public func log(_ checks: [JudgedCheck], exitStatus: Int32) -> SARIFLog {
    var rules = InvariantCatalogue.described.map(\.id)
    for id in checks.flatMap(\.report.invariants) where !rules.contains(id) { rules.append(id) }
    var results: [SARIFLog.Result] = []
    var notifications: [SARIFLog.Notification] = []
    for check in checks {
      if var result = check.report.counterexample.flatMap({ result($0, rules) }) {
        if check.isAsDeclared {
          result.suppressions = [
            SARIFLog.Suppression(
              justification: "the model is there to violate it: it leaves out "
                + (check.report.omission ?? "a step"))
          ]
        }
        results.append(result)
      }
      if !check.isAsDeclared {
        notifications.append(
          error(
            "\(check.name) is not as declared: declared: \(check.declared.verdict); found: "
              + CheckText(check.report).verdict))
      }
    }
    return log(
      rules, results: results, exitStatus, notifications,
      of: checks.compactMap(\.report.counterexample))
  }

  /// A replay.
  public func log(_ trace: Trace) -> SARIFLog {
    let found = result(trace, trace.invariants)
    return log(
      trace.invariants, results: found.map { [$0] } ?? [], found == nil ? 0 : 1, [],
      of: [trace])
  }

  private func log(
    _ rules: [String], results: [SARIFLog.Result], _ exitStatus: Int32,
    _ notifications: [SARIFLog.Notification], of traces: [Trace]
  ) -> SARIFLog {
    let own = traces.flatMap(\.recording.requirements)
    let driver = SARIFLog.Tool.Driver(
      name: "gracewalk", version: version, semanticVersion: version,
      rules: rules.map { rule($0, own) })
    let invocation = SARIFLog.Invocation(
      executionSuccessful: !notifications.contains { $0.level == "error" }, exitCode: exitStatus,
      toolExecutionNotifications: notifications.isEmpty ? nil : notifications)
    return SARIFLog(runs: [
      SARIFLog.Run(
        tool: SARIFLog.Tool(driver: driver), invocations: [invocation],
        originalUriBaseIds: Self.bases, results: results)
    ])
  }

  private func error(_ text: String) -> SARIFLog.Notification {
    SARIFLog.Notification(level: "error", message: SARIFLog.Message(text: text))
  }

  /// A user's model may require invariants outside the catalogue; unless one fails, only its id is
  /// known.
  private func rule(_ id: String, _ own: [InvariantText]) -> SARIFLog.Rule {
    let known =
      InvariantCatalogue.described.first { $0.id == id }.map { InvariantText($0) }
      ?? own.first { $0.id == id }
    let statement = known?.statement ?? id
    let rationale = known?.rationale ?? statement
    let source = known.map { "\n\nSource: \($0.source)" } ?? ""
    return SARIFLog.Rule(
      id: id, shortDescription: SARIFLog.Message(text: statement),
      fullDescription: SARIFLog.Message(text: rationale),
      help: SARIFLog.Message(text: "\(statement)\n\n\(rationale)\(source)"))
  }

  // MARK: Results

  private func result(_ trace: Trace, _ rules: [String]) -> SARIFLog.Result? {
    let recording = trace.recording
    guard case .violated(let id, let violation) = recording.end,
      let index = rules.firstIndex(of: id)
    else { return nil }
    // A violation judged at the end is reported at the last step that the code took.
    let broke = recording.steps.last { $0.site.line > 0 } ?? recording.steps.last
    let parameters = parameterText(trace.parameters)
    let without = trace.without.map { ", \($0.sentence)" } ?? ""
    let text = ["\(trace.model)\(parameters)\(without): \(violation.message)"] + violation.details
    return SARIFLog.Result(
      ruleId: id, ruleIndex: index, message: SARIFLog.Message(text: text.joined(separator: "\n")),
      locations: broke.map { [location($0, recording, message: nil)] } ?? [],
      codeFlows: recording.steps.isEmpty ? [] : [codeFlow(recording)],
      partialFingerprints: [
        "modelAndInvariant/v1": StableHash.digits(
          StableHash.of("\(trace.model)\(parameters) \(id)"))
      ],
      properties: [
        "schedule": recording.schedule.text,
        "replay": TraceText(trace).replayCommand(namesInvariants: true, namesFeatures: true),
      ])
  }

  private func codeFlow(_ recording: Recording) -> SARIFLog.CodeFlow {
    let cpus = recording.cpus.indices.filter { cpu in recording.steps.contains { $0.cpu == cpu } }
    let flows = cpus.map { cpu in
      SARIFLog.ThreadFlow(
        id: recording.cpus[cpu],
        locations: recording.steps.enumerated().filter { $0.element.cpu == cpu }.map { item in
          SARIFLog.ThreadFlowLocation(
            location: location(item.element, recording, message: words(item.element)),
            executionOrder: item.offset + 1, nestingLevel: item.element.scopes.count,
            importance: importance(item.offset, recording))
        })
    }
    let round =
      recording.loop.map { "; from executionOrder \($0 + 1) on they repeat forever" } ?? ""
    return SARIFLog.CodeFlow(
      message: SARIFLog.Message(
        text: "One flow for each CPU; executionOrder says how their steps interleave\(round)."),
      threadFlows: flows)
  }

  private func words(_ step: RecordedStep) -> String {
    let scopes = step.scopes.map { "\($0): " }.joined()
    return scopes + step.action + (step.outcome.isEmpty ? "" : ": \(step.outcome)")
  }

  private func importance(_ position: Int, _ recording: Recording) -> String {
    let step = recording.steps[position]
    if position == recording.steps.count - 1 || recording.preemptions.contains(position) {
      return "essential"
    }
    return step.isLocal || step.isBoundary ? "unimportant" : "important"
  }

  // MARK: Places

  private static let root = "SRCROOT"
  private static let module = "MODULES"

  /// The reader must resolve these: a report contains no folder of this machine.
  private static let bases: [String: SARIFLog.ArtifactLocation] = [
    root: SARIFLog.ArtifactLocation(
      description: SARIFLog.Message(text: "The root of the repository that the models are in.")),
    module: SARIFLog.ArtifactLocation(
      description: SARIFLog.Message(
        text: "No folder: Module/File.swift, as Swift's #fileID names a file.")),
  ]

  private func location(
    _ step: RecordedStep, _ recording: Recording, message: String?
  ) -> SARIFLog.Location {
    let operation = recording.operations[step.cpu][step.operation]
    let name = ([recording.cpus[step.cpu], operation] + step.scopes).joined(separator: "/")
    return SARIFLog.Location(
      physicalLocation: step.site.line > 0 ? place(step.site) : nil,
      logicalLocations: [SARIFLog.LogicalLocation(fullyQualifiedName: name)],
      message: message.map { SARIFLog.Message(text: $0) })
  }

  private func place(_ site: SourceSite) -> SARIFLog.PhysicalLocation {
    let known = path(site.file)
    let uri = (known ?? site.file).addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
    return SARIFLog.PhysicalLocation(
      artifactLocation: SARIFLog.ArtifactLocation(
        uri: uri ?? site.file, uriBaseId: known == nil ? Self.module : Self.root),
      region: SARIFLog.PhysicalLocation.Region(startLine: site.line))
  }
}
