// The C programs of the catalogue, each against the verdict that its first line declares.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

/// Checks every C program of the catalogue.
struct LibraryCheck {
  let library: ProgramLibrary
  let options: CheckOptions

  /// Calls `done` for each program in order.
  ///
  /// - Returns: false after an interrupt. Without a compiler, a line says so.
  func run(_ done: (JudgedCheck) -> Void) throws(UsageError) -> Bool {
    guard !library.models.isEmpty else { return true }
    guard let compiler = Compiler.find(forAll: library, orSay: "not checked") else { return true }
    for model in library.models {
      if Terminal.isInterrupted { return false }
      let clock = ContinuousClock()
      let start = clock.now
      let report = try check(model, compiler)
      Terminal.clearProgress()
      if report.verdict == .incomplete(.bound(.interrupted)) { return false }
      let found = report.violatedInvariant
      let violated = model.violates.first { $0 == found } ?? model.violates.first
      done(
        JudgedCheck(
          DeclaredCheck(violated: violated), report, seconds: (clock.now - start).inSeconds))
    }
    return true
  }

  private func check(
    _ model: ProgramModel, _ compiler: Compiler
  ) throws(UsageError) -> CheckReport {
    do {
      let source = try ProgramSource([model.name], [], library)
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
