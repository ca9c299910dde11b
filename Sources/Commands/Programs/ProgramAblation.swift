// gracewalk ablate FILE.c: leaves out or weakens each step of C code that orders threads.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

/// Whether each step of a C program is needed.
struct ProgramAblation {
  enum Result {
    case necessary(ProgramReport)
    case redundant
    /// Only weaker memory, or the search for races, could tell.
    case notTested
    /// Without it something is wrong for another reason than that something is missing.
    case inseparable(String)
    case undecided(String)

    var word: String {
      switch self {
      case .necessary: "necessary"
      case .redundant: "redundant"
      case .notTested: "not tested"
      case .inseparable: "inseparable"
      case .undecided: "undecided"
      }
    }
  }

  struct Row {
    var step: CodeStep
    var result: Result
  }

  let compiled: CompiledProgram
  let options: CheckOptions

  private var source: ProgramSource { compiled.source }

  /// The steps that the program reaches; throws if it does not hold as it is.
  private func steps() throws -> (report: ProgramReport, steps: [CodeStep]) {
    let program = try compiled.link()
    let report = try ProgramCheck.check(compiled, options, Terminal.watch(source.name))
    guard report.verdict == "holds" else {
      let why = report.result.finding.map { "has a finding as it is (\($0.name))" }
      throw UsageError(
        "\(source.name) \(why ?? "could not be checked completely"); which of its steps are needed "
          + "can be asked of a program that holds")
    }
    return (report, program.image.steps.reached(report.result.reached))
  }

  /// - Parameter only: the steps to look at; all if it is empty.
  func run(only: [CodeStep]) throws -> (report: ProgramReport, rows: [Row]) {
    let (report, steps) = try steps()
    for step in only where !steps.contains(step) {
      let near = nearest(to: step.text, among: steps.map(\.text))
      let hint =
        near.isEmpty
        ? "\(RunningProgram.name) ablate \(source.name) names all" : "did you mean \(near[0])?"
      throw UsageError("no execution of \(source.name) reaches '\(step.text)'; \(hint)")
    }
    let asked = only.isEmpty ? steps : only.compactMap { step in steps.first { $0 == step } }
    var rows: [Row] = []
    for (number, step) in asked.enumerated() {
      if Terminal.isInterrupted { break }
      // Weaker than what is redundant at its weakest need not be asked.
      if (step.change == .acquire || step.change == .release),
        let relaxed = rows.last(where: {
          $0.step.isAtPlace(of: step) && $0.step.change == .relaxed
        })
      {
        if case .redundant = relaxed.result { continue }
        if case .notTested = relaxed.result { continue }
      }
      let label = "\(source.name) \(number + 1)/\(asked.count) \(step.text)"
      rows.append(Row(step: step, result: try result(without: step, report, label)))
    }
    return (report, rows)
  }

  private func result(
    without step: CodeStep, _ whole: ProgramReport, _ label: String
  ) throws -> Result {
    if step.change.isOrdering, source.options.memoryModel == .standard,
      !source.options.findsRaces || !whole.result.mayRace
    {
      return .notTested
    }
    do {
      let report = try ProgramCheck.check(
        compiled.without(step), options, Terminal.watch(label))
      Terminal.clearProgress()
      if let finding = report.result.finding {
        return finding.kind == .misuse ? .inseparable(finding.message) : .necessary(report)
      }
      if report.verdict == "holds" { return .redundant }
      return .undecided(report.advice ?? "the check is incomplete")
    } catch let error as UsageError {
      return .undecided(error.message)
    }
  }
}

extension CodeStep {
  fileprivate func isAtPlace(of other: CodeStep) -> Bool {
    file == other.file && line == other.line && action == other.action && number == other.number
  }
}

extension CompiledProgram {
  /// The same program with a step left out.
  func without(_ step: CodeStep) -> CompiledProgram {
    var copy = self
    copy.source.link.without = step
    return copy
  }
}

// MARK: - The command

extension ProgramAblation {
  /// Options of ablate that say something of models.
  private static let notForPrograms =
    ["set", "invariant", "architecture", "feature", "jobs"] + WorkOptions.all.map(\.name)

  static func run(_ arguments: Arguments) throws -> Int32 {
    let source = try ProgramSource(arguments)
    for option in notForPrograms where arguments.has(option) {
      throw UsageError("--\(option) is about models, and '\(source.name)' is a C program")
    }
    var options = CheckOptions()
    options.limits.states = try arguments.count("states")
    let only = try arguments.all("step").map { text throws(UsageError) in
      guard let step = CodeStep(text: text) else {
        throw UsageError(
          "--step needs a step such as queue.c:31/relaxed, not '\(text)'; "
            + "\(RunningProgram.name) ablate \(source.name) names them")
      }
      return step
    }
    let isJSON = try OutputFormat.chosen(arguments, of: OutputFormat.words) == .json
    return try ProgramCheck.reportingErrors(of: source) {
      let ablation = ProgramAblation(compiled: try source.compile(), options: options)
      let (report, rows) = try ablation.run(only: only)
      Terminal.clearProgress()
      let text = ProgramAblationText(
        report: report, rows: rows, showsTraces: arguments.has("traces"), style: Terminal.style,
        width: Terminal.width)
      if isJSON {
        print(try json(ProgramAblationDocument(report, rows)))
      } else {
        text.lines.forEach { print($0) }
      }
      let isComplete = !Terminal.isInterrupted && !rows.contains { $0.result.word == "undecided" }
      return isComplete ? ExitStatus.holds : ExitStatus.incomplete
    }
  }
}

/// An ablation as JSON.
struct ProgramAblationDocument: Encodable {
  struct Step: Encodable {
    var step: String
    var sentence: String
    var function: String
    var finding: String
    var kind: String?
    var message: String?
    var replay: String?
  }

  var format = "gracewalk program ablation 1"
  var program: String
  var scope: String
  var findings: [Step]

  init(_ report: ProgramReport, _ rows: [ProgramAblation.Row]) {
    program = report.source.name
    scope = report.scope
    findings = rows.map { row in
      var step = Step(
        step: row.step.text, sentence: row.step.sentence, function: row.step.function,
        finding: row.result.word)
      switch row.result {
      case .necessary(let report):
        step.kind = report.result.finding?.name
        step.message = report.result.finding?.message
        step.replay = report.execution.map { TraceText($0).replayCommand(namesInvariants: false) }
      case .inseparable(let why), .undecided(let why): step.message = why
      case .redundant, .notTested: break
      }
      return step
    }
  }
}

/// An ablation in words.
struct ProgramAblationText {
  let report: ProgramReport
  let rows: [ProgramAblation.Row]
  let showsTraces: Bool
  let style: Style
  let width: Int

  var lines: [String] {
    var lines = [style.bold(report.source.name)]
    lines += "  \(report.scope)".wrapped(to: width)
    lines.append("  holds with all of its steps; one at a time is left out or weakened")
    var place = ""
    for row in rows where !isUntested(row) {
      let here = "\(row.step.file):\(row.step.line), in \(row.step.function)"
      if here != place {
        place = here
        lines += ["", style.bold(place)]
        if let text = report.source.lines(of: row.step.file),
          text.indices.contains(row.step.line - 1)
        {
          let line = text[row.step.line - 1].drop { $0 == " " || $0 == "\t" }
          lines.append(style.dim("  \(line.prefix(max(width - 2, 20)))"))
        }
      }
      lines += self.lines(for: row)
    }
    return lines + ["", style.bold(summary)] + notes
  }

  private func isUntested(_ row: ProgramAblation.Row) -> Bool {
    if case .notTested = row.result { true } else { false }
  }

  private func lines(for row: ProgramAblation.Row) -> [String] {
    let what = row.step.sentence
    let name = style.dim("      \(row.step.text)")
    switch row.result {
    case .necessary(let report):
      let kind = report.result.finding?.name ?? ""
      var lines = ["  \(style.bad("✗ necessary"))  \(what): \(kind)"]
      lines += "      \(report.result.finding?.message ?? "")".wrapped(to: width)
      if let execution = report.execution {
        lines.append(
          style.dim("      \(TraceText(execution).replayCommand(namesInvariants: false))"))
        if showsTraces {
          lines += [""] + ProgramExecution.lines(execution, style: style, width: width) + [""]
        }
      }
      return lines
    case .redundant: return ["  \(style.good("✓ redundant"))  \(what)", name]
    case .inseparable(let why):
      return "  – inseparable  \(what): \(why)".wrapped(to: width) + [name]
    case .undecided(let why): return "  ? undecided  \(what): \(why)".wrapped(to: width) + [name]
    case .notTested: return []
    }
  }

  private var summary: String {
    let asked = rows.filter { !isUntested($0) }
    let counts = ["necessary", "redundant", "inseparable", "undecided"].compactMap { word in
      let count = asked.count { $0.result.word == word }
      let scope = word == "redundant" ? " within this scope" : ""
      return count == 0 ? nil : "\(count) \(word)\(scope)"
    }
    guard !counts.isEmpty else { return "no step that could be left out" }
    return "\(asked.count) steps and weakenings: \(counts.joined(separator: ", "))"
  }

  private var notes: [String] {
    let open = rows.filter(isUntested)
    if !open.isEmpty {
      let places = open.map { "\($0.step.text)" }.joined(separator: ", ")
      let why =
        report.options.findsRaces
        ? "memory is sequentially consistent, and no plain access depends on them"
        : "memory is sequentially consistent, and races are not looked for"
      return "\(counted(open.count, "ordering")) not tested: \(why): \(places)".wrapped(to: width)
    }
    guard report.options.memoryModel == .standard,
      rows.contains(where: { $0.step.change.isOrdering })
    else { return [] }
    return
      ("Memory is sequentially consistent: an ordering is necessary here if there is a data race "
      + "without it, and what weaker memory could reorder is not tested.").wrapped(to: width)
  }
}
