// gracewalk document: write the pages about invariants, systems and questions, or compare them.

import Foundation
import GracewalkChecking
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

enum DocumentCommand {
  static let command = Command(
    name: "document", operands: "[FOLDER]",
    summary: "write what the models show as pages, or say which are out of date",
    details: [
      "FOLDER (Docs) gets Invariants/, Systems/ and Questions.md: statements, verdicts, traces,",
      "and whether each step of a correct model is needed. Every claim is computed. Exit status:",
      "0 written or up to date, 1 out of date (--check), 2 wrong usage or input, or a model that",
      "does not do what it is declared to.",
    ],
    options: [
      Option(name: "check", value: nil, help: "write nothing; fail if a page is out of date"),
      Option(name: "jobs", value: "N", help: "models to check at a time (all processors)"),
      ProgressLine.option,
    ] + WorkOptions.all,
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.operands.count <= 1 else {
      throw UsageError("document takes one folder, or none for Docs")
    }
    let folder = URL(fileURLWithPath: arguments.operands.first ?? "Docs", isDirectory: true)
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory),
      isDirectory.boolValue
    else {
      throw UsageError("there is no folder '\(folder.relativePath)'; make it, or name another")
    }
    let jobs =
      try arguments.count("jobs", upTo: 1024) ?? ProcessInfo.processInfo.activeProcessorCount
    if arguments.has("cluster") { Terminal.catchInterrupts() }
    if arguments.has("cluster"), arguments.has("jobs") {
      throw UsageError("--jobs and --cluster contradict each other: --array-limit bounds its jobs")
    }
    let evidence = try evidence(arguments.models, by: try arguments.executor(jobs: jobs))
    // The name alone, without a path: pages do not depend on where they are written.
    let program = RunningProgram(name: RunningProgram.name)
    let pages = RunningProgram.$bound.withValue(program) {
      DocumentSet(arguments.systems, evidence).pages
    }
    do throws(DocumentError) {
      return try update(DocumentFolder(folder), pages, isCheck: arguments.has("check"))
    } catch {
      switch error {
      case .inTheWay(let path):
        throw UsageError(
          "\(folder.relativePath)/\(path) is in the way: this command has not written it")
      case .cannotWrite(let path, let reason):
        throw UsageError("cannot write '\(folder.relativePath)/\(path)': \(reason)")
      }
    }
  }

  private static func update(
    _ folder: DocumentFolder, _ pages: [DocumentPage], isCheck: Bool
  ) throws(DocumentError) -> Int32 {
    let changes = try folder.changes(for: pages)
    if !isCheck {
      try folder.write(changes)
      print("\(counted(pages.count, "page")), \(changes.count) changed")
      return ExitStatus.holds
    }
    changes.forEach { print("\($0.path): \($0.text)") }
    print(
      changes.isEmpty
        ? "\(counted(pages.count, "page")), all up to date"
        : "\(counted(changes.count, "page")) out of date; "
          + "\(RunningProgram.name) document writes them")
    return changes.isEmpty ? ExitStatus.holds : ExitStatus.violated
  }

  /// Looks at all models, several at a time.
  private static func evidence(
    _ models: [Model], by executor: any Executor
  ) throws -> [Evidence] {
    var found: [Evidence] = []
    defer { Terminal.clearProgress() }
    let results = Evidence.of(models, by: executor) { model in
      _ = Terminal.shouldContinue("document: \(model.name)")
    }
    for (model, result) in zip(models, results) {
      switch result {
      case .success(let evidence): found.append(evidence)
      case .failure(let error): throw usageError(error, model)
      }
    }
    return found
  }

  private static func usageError(_ error: AblationError, _ model: Model) -> UsageError {
    switch error {
    case .check(let error): SharedOptions.usageError(error, model: model.name)
    case .broken(let report):
      UsageError(
        "\(model.name) does not do what it is declared to: \(CheckText(report).verdict); "
          + "\(RunningProgram.name) check shows it")
    case .unknownStep(let step, _): UsageError("\(model.name) has no step '\(step.text)'")
    }
  }
}
