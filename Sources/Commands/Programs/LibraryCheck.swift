// The C programs of the catalogue, each against the verdict that its first line declares.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkMachine
import GracewalkReporting
import GracewalkSupport

/// Checks every C program of the catalogue.
struct LibraryCheck {
  let library: ProgramLibrary
  let options: CheckOptions
  /// Threads of a search, where it may have several.
  let jobs: Int

  private typealias Asked = (model: ProgramModel, memoryModel: MemoryModel, violates: [String])

  /// Each program under every memory model that it declares a verdict under, or only under the one
  /// that is asked for.
  private var declared: [Asked] {
    library.models.flatMap { model in
      MemoryModel.allCases.compactMap { memoryModel in
        guard options.memoryModel == nil || options.memoryModel == memoryModel else { return nil }
        return model.violates(under: memoryModel).map { (model, memoryModel, $0) }
      }
    }
  }

  /// The checks in order: unless a memory model is asked for, only what the search can do.
  private var asked: [Asked] {
    declared.filter {
      options.memoryModel != nil || options.strategy.ofPrograms(under: $0.memoryModel) != nil
    }
  }

  /// The number of declared verdicts that the search cannot check.
  var skipped: Int { declared.count - asked.count }

  /// Calls `done` for each check in order.
  ///
  /// - Returns: false after an interrupt. Without a compiler, a line says so.
  func run(_ done: (JudgedCheck) -> Void) throws(UsageError) -> Bool {
    guard !library.models.isEmpty else { return true }
    guard let compiler = Compiler.find(forAll: library, orSay: "not checked") else { return true }
    let asked = asked
    let undeclared = library.models.count - Set(asked.map(\.model.name)).count
    if undeclared > 0, let memoryModel = options.memoryModel {
      Terminal.writeError(
        "\(RunningProgram.name): \(counted(undeclared, "C program")) not checked: no verdict is "
          + "declared under \(memoryModel.text)\n")
    }
    for (model, memoryModel, violates) in asked {
      if Terminal.isInterrupted { return false }
      let clock = ContinuousClock()
      let start = clock.now
      let report = try check(model, memoryModel, compiler)
      Terminal.clearProgress()
      if report.verdict == .incomplete(.bound(.interrupted)) { return false }
      let found = report.violatedInvariant
      let violated = violates.first { $0 == found } ?? violates.first
      let declared = DeclaredCheck(
        violated: violated, under: memoryModel == .standard ? nil : memoryModel)
      done(JudgedCheck(declared, report, seconds: (clock.now - start).inSeconds))
    }
    return true
  }

  private func check(
    _ model: ProgramModel, _ memoryModel: MemoryModel, _ compiler: Compiler
  ) throws(UsageError) -> CheckReport {
    do {
      var source = try ProgramSource([model.name], [], library)
      source.options.memoryModel = memoryModel
      var options = options
      options.jobs = memoryModel == .standard ? jobs : 1
      return try ProgramCheck.check(
        source.compile(compiler), options, Terminal.watch(model.name)
      ).checkReport
    } catch let error as CompilerError {
      let first = error.messages.split(separator: "\n").first.map(String.init) ?? ""
      throw UsageError("\(model.name) cannot be compiled: \(first)")
    } catch let error as UsageError {
      throw error
    } catch let finding as Finding {
      throw UsageError("\(model.name): \(finding.message)")
    } catch {
      throw UsageError("\(model.name): \(error)")
    }
  }
}
