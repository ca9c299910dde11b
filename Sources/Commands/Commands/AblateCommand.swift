// gracewalk ablate: whether each step that orders CPUs is needed, tested by leaving it out.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

enum AblateCommand {
  static let command = Command(
    name: "ablate", operands: "MODEL | FILE.c… [-- FLAGS]",
    summary: "leave out each step that orders CPUs in turn, and see what fails",
    details: [
      "A step is an ordering, a barrier, a TLBI, the breaking or locking of an entry, a lock, an",
      "RCU section, a grace period, a reference, or a check of what was read before. It is",
      "necessary if an invariant fails without it, and redundant if nothing does within the scope.",
      "Of C code, each ordering, fence, lock, barrier and atomic update is weakened or left out.",
      "Exit status: 0 all steps are classified, 2 wrong usage or input, or a model that does not",
      "hold as it is, 3 some check without a step is incomplete.",
    ],
    options: [
      Option(
        name: "step", value: "STEP", help: "look at this step only", isRepeatable: true),
      SharedOptions.parameter, SharedOptions.invariant, SharedOptions.architecture,
      SharedOptions.feature, SharedOptions.memory, SharedOptions.jobs,
      Option(name: "states", value: "N", help: "end each check after N states"),
      Option(
        name: "traces", value: nil, help: "show the counterexamples, not only their schedules"),
      ProgressLine.option, OutputFormat.option(OutputFormat.words),
    ] + WorkOptions.all + ProgramSource.options,
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    if ProgramSource.isAsked(arguments) {
      Terminal.catchInterrupts()
      return try ProgramAblation.run(arguments)
    }
    for option in ProgramSource.options where arguments.has(option.name) {
      throw UsageError("--\(option.name) is about C programs: ablate FILE.c --\(option.name)")
    }
    guard arguments.operands.count == 1 else {
      throw UsageError("ablate takes one model; \(RunningProgram.name) list names them")
    }
    Terminal.catchInterrupts()
    let model = try SharedOptions.model(arguments.operands[0], of: arguments)
    let options = try options(arguments)
    let only = try SharedOptions.steps(arguments, "step")
    let isJSON = try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json
    let report: AblationReport
    do {
      var options = options
      options.watch = { progress in Terminal.shouldContinue(ProgressText.line(model.name, progress))
      }
      defer { Terminal.clearProgress() }
      report = try model.ablate(
        options, only: only.isEmpty ? nil : only, by: try arguments.executor()
      ) { step, number, count in
        let label = "\(model.name) \(number + 1)/\(count) \(step.text)"
        return { progress in Terminal.shouldContinue(ProgressText.line(label, progress)) }
      }
    } catch let error as AblationError {
      if case .broken(let report) = error, report.verdict == .incomplete(.bound(.interrupted)) {
        Terminal.writeError(
          "\(RunningProgram.name): interrupted before the first step was left out\n")
        return ExitStatus.incomplete
      }
      throw usageError(error, model)
    }
    if isJSON {
      print(try json(AblationDocument(report)))
    } else {
      let text = AblationText(
        report, width: Terminal.width, style: Terminal.style,
        namesFeatures: options.features != nil, showsTraces: arguments.has("traces"))
      text.lines.forEach { print($0) }
    }
    return report.isComplete ? ExitStatus.holds : ExitStatus.incomplete
  }

  private static func options(_ arguments: Arguments) throws(UsageError) -> CheckOptions {
    var options = CheckOptions()
    options.parameters = try SharedOptions.parameters(arguments)
    options.invariants = SharedOptions.invariants(arguments)
    options.features = try SharedOptions.features(arguments)
    options.memoryModel = try SharedOptions.memory(arguments)
    options.jobs = try SharedOptions.jobs(arguments, .stateful)
    options.limits.states = try arguments.count("states")
    return options
  }

  private static func usageError(_ error: AblationError, _ model: Model) -> UsageError {
    switch error {
    case .check(let error): return SharedOptions.usageError(error, model: model.name)
    case .broken(let report):
      let why =
        report.violatedInvariant.map { "violates \($0) as it is" }
        ?? report.vacuousText.map { "does not show what it must as it is (\($0))" }
        ?? "could not be checked completely"
      return UsageError(
        "\(model.name) \(why); which of its steps are needed can be asked of a model that holds")
    case .unknownStep(let step, let known):
      let near = nearest(to: step.text, among: known.map(\.text))
      let hint =
        near.isEmpty
        ? "\(RunningProgram.name) ablate \(model.name) names all"
        : "did you mean \(near[0])?"
      return UsageError("no execution of \(model.name) reaches '\(step.text)'; \(hint)")
    }
  }
}
