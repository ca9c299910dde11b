// The report about a C program: its verdict and scope, and the execution that shows a finding.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

struct ProgramReport {
  let files: [String]
  let strategy: Strategy
  let options: ProgramOptions
  let result: ProgramResult
  let seconds: Double
  let limits: Limits
  /// The execution that shows the finding.
  var trace: ProgramTrace?

  /// The verdict: `holds`, `violated` or `incomplete`.
  var verdict: String {
    if result.finding != nil { return "violated" }
    return result.result.ending == .complete && strategy.isComplete ? "holds" : "incomplete"
  }

  var exitStatus: Int32 {
    switch verdict {
    case "holds": ExitStatus.holds
    case "violated": ExitStatus.violated
    default: ExitStatus.incomplete
    }
  }

  /// What was looked for, and under which assumptions.
  var scope: String {
    var parts = ["every interleaving of \(counted(result.threads, "thread"))"]
    parts[0] += ", sequential consistency"
    if options.unroll > 0 { parts.append("threads end at turn \(options.unroll) of a loop") }
    parts.append(options.findsRaces ? "data races of C11 looked for" : "data races not looked for")
    return parts.joined(separator: "; ")
  }

  /// How the executions ended.
  var counts: String {
    let endings = result.endings
    var parts = ["\(counted(endings.complete, "complete execution"))"]
    if endings.assumed > 0 { parts.append("\(endings.assumed) that an assumption ends") }
    if endings.spinning > 0 {
      parts.append("\(endings.spinning) ended in a useless turn of a loop")
    }
    if endings.deadlocked > 0 { parts.append("\(endings.deadlocked) deadlocked") }
    let statistics = result.result.statistics
    parts.append(counted(statistics.transitions, "transition"))
    if strategy.mergesStates { parts.append(counted(statistics.states, "state")) }
    return parts.joined(separator: ", ")
  }

  // MARK: Text

  func lines(style: Style, width: Int) -> [String] {
    var lines = [style.bold(files.joined(separator: " "))]
    if verdict != "violated" {
      lines.append(verdict == "holds" ? style.good("✓ holds") : style.warning("incomplete"))
      lines += "  \(scope)".wrapped(to: width)
      if let advice { lines += "  \(advice)".wrapped(to: width) }
    }
    if let recording = gracewalkTrace?.recording, let trace {
      lines.append("")
      lines += TraceTable(recording, width: width, style: style, showsSources: true).lines
      lines.append("")
      lines += conclusion(trace, style, width)
    }
    lines += style.dim("\(strategy.rawValue): \(counts)").wrapped(to: width)
    return lines
  }

  private var advice: String? {
    switch result.result.ending {
    case .bounded(.depth):
      "executions longer than \(limits.depth) steps were cut: raise --depth, or bound loops with "
        + "--unroll"
    case .bounded(.interrupted): "interrupted"
    case .bounded(let bound): "stopped at the bound on \(bound.rawValue); raise --\(bound.rawValue)"
    case .complete where !strategy.isComplete: "executions were sampled"
    default: nil
    }
  }

  private func conclusion(_ trace: ProgramTrace, _ style: Style, _ width: Int) -> [String] {
    guard let finding = result.finding else { return [] }
    var lines = [style.bad("✗ \(finding.kind.rawValue)")]
    lines += "  \(finding.message)".wrapped(to: width)
    if let place = trace.findingPlace {
      lines.append(
        "  at \(place.file):\(place.line), in \(place.function), by "
          + trace.threads[trace.findingThread])
    }
    let steps = trace.steps.count { !$0.isLocal }
    lines.append(
      "  \(counted(trace.preemptions.count, "preemption")), \(counted(steps, "step"))"
        + (result.isSimplest ? "; no simpler execution shows it" : ""))
    return lines
  }

  // MARK: The execution, for other views

  var gracewalkTrace: Trace? {
    guard let trace, let schedule = result.schedule, let finding = result.finding else {
      return nil
    }
    // The preparations of a program are many, and each is seen in what is done with them.
    let shown = trace.steps.filter { !$0.isLocal }
    let steps = shown.map { step in
      RecordedStep(
        cpu: step.thread, operation: 0, scopes: Array(step.functions.dropFirst()),
        action: step.action, outcome: step.outcome,
        site: SourceSite(file: step.place?.file ?? "", line: step.place?.line ?? 0),
        observed: step.observed)
    }
    let requirement = InvariantText(
      id: finding.kind.rawValue, statement: finding.kind.statement,
      rationale: "C leaves open what a program does otherwise, or the program says so itself.",
      source: files.joined(separator: " "))
    var details: [String] = []
    if let place = trace.findingPlace {
      details.append("at \(place.file):\(place.line), in \(place.function)")
    }
    let recording = Recording(
      schedule, cpus: trace.threads, operations: operations(trace), steps: steps,
      preemptions: preemptions(trace),
      end: .violated(
        invariant: finding.kind.rawValue, report: Violation(finding.message, details: details)),
      requirements: [requirement])
    return Trace(
      model: files.joined(separator: " "), parameters: [], features: Features(),
      invariants: [finding.kind.rawValue], foundBy: strategy.rawValue,
      isMinimal: result.isSimplest, recording: recording)
  }

  /// The function that each thread runs.
  private func operations(_ trace: ProgramTrace) -> [String] {
    trace.threads.indices.map { thread in
      trace.steps.first { $0.thread == thread && !$0.functions.isEmpty }?.functions[0]
        ?? trace.threads[thread]
    }
  }

  /// Positions among the steps that are shown.
  private func preemptions(_ trace: ProgramTrace) -> [Int] {
    trace.preemptions.map { position in trace.steps[..<position].count { !$0.isLocal } }
      .filter { $0 > 0 }
  }
}

extension Finding.Kind {
  /// The rule that it breaks.
  var statement: String {
    switch self {
    case .assertion: "Assertions hold."
    case .race: "Conflicting accesses of which one is plain are ordered by happens-before."
    case .deadlock: "No thread waits forever for a lock, a barrier or another thread."
    case .livelock: "No thread waits in a loop for something that never happens."
    case .abort: "The program does not abort."
    case .nullPointer, .wildPointer, .outOfBounds: "Accesses are to objects, and within them."
    case .useAfterFree, .useAfterReturn: "Objects are accessed only while they exist."
    case .doubleFree, .badFree: "What is freed was allocated, and is freed once."
    case .uninitialised: "What is read was written before."
    case .misaligned: "Atomic accesses are aligned."
    case .constantWrite: "Constants are not written."
    case .undefined: "Behaviour is defined."
    case .misuse: "Threads, locks and barriers are used as their interface says."
    case .endless: "What a thread does by itself ends."
    case .leak: "Allocated memory is freed, or something leads to it."
    case .unsupported: "Everything that is reached is supported."
    }
  }
}

/// The report as JSON.
struct ProgramDocument: Encodable {
  struct FindingDocument: Encodable {
    var kind: String
    var message: String
    var file: String?
    var line: Int?
    var function: String?
    var thread: String?
  }

  struct StepDocument: Encodable {
    var thread: Int
    var action: String
    var outcome: String
    var file: String?
    var line: Int?
    var functions: [String]
  }

  var format = "gracewalk program 1"
  var files: [String]
  var verdict: String
  var scope: String
  var search: String
  var completeExecutions: Int
  var assumedExecutions: Int
  var spinningExecutions: Int
  var deadlockedExecutions: Int
  var transitions: Int
  var states: Int
  var seconds: Double
  var finding: FindingDocument?
  var schedule: String?
  var steps: [StepDocument]?

  init(_ report: ProgramReport) {
    files = report.files
    verdict = report.verdict
    scope = report.scope
    search = report.strategy.rawValue
    let result = report.result
    completeExecutions = result.endings.complete
    assumedExecutions = result.endings.assumed
    spinningExecutions = result.endings.spinning
    deadlockedExecutions = result.endings.deadlocked
    transitions = result.result.statistics.transitions
    states = result.result.statistics.states
    seconds = report.seconds
    guard let found = result.finding else { return }
    let place = report.trace?.findingPlace
    finding = FindingDocument(
      kind: found.kind.rawValue, message: found.message, file: place?.file, line: place?.line,
      function: place?.function,
      thread: report.trace.map { $0.threads[$0.findingThread] })
    schedule = result.schedule?.text
    steps = report.trace?.steps.filter { !$0.isLocal }.map { step in
      StepDocument(
        thread: step.thread, action: step.action, outcome: step.outcome, file: step.place?.file,
        line: step.place?.line, functions: step.functions)
    }
  }
}
