// A C program as a value that one process can send to another.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

/// The check of a C program, as a unit of work.
///
/// It contains the compiler's output, so the machine that does the work needs no compiler.
struct ProgramRequest: WorkUnit {
  /// The program's file, and the flags it was compiled with, for messages.
  let file: String
  private let flags: [String]
  /// LLVM IR as text.
  private let code: [String]
  private let options: ProgramOptions
  private let link: LinkOptions
  private let search: SearchChoice

  init(_ program: CompiledProgram, _ search: SearchChoice) {
    file = program.source.name
    flags = program.source.flags
    code = program.code.map { String(decoding: $0, as: UTF8.self) }
    options = program.source.options
    link = program.source.link
    self.search = search
  }

  /// What was found, as JSON has it, with the line about it.
  struct Answer: Codable, Sendable {
    var document: ProgramDocument
    var remark: String
  }

  /// Why a program was not checked.
  struct Failure: Error, Codable {
    var message: String
  }

  func run(_ context: WorkContext<SearchProgress>) throws(Failure) -> Answer {
    do {
      var source = try ProgramSource([file], flags, ProgramLibrary())
      (source.options, source.link) = (options, link)
      var program = CompiledProgram(source: source)
      for text in code {
        let module = try IRReader.read(Array(text.utf8), file: file)
        try program.add(Compiler.Output(module: module, text: Data(text.utf8)), [])
      }
      let given = CheckOptions(scenario: ScenarioChoice(), search: search)
      let report = try ProgramCheck.check(program, given, context.watch)
      var document = ProgramDocument(report)
      // The one who asks knows how long it took; equal answers are equal bytes.
      document.seconds = 0
      return Answer(document: document, remark: Self.remark(report))
    } catch {
      throw Failure(error)
    }
  }

  private static func remark(_ report: ProgramReport) -> String {
    guard let finding = report.result.finding else { return report.advice ?? report.counts }
    let place = report.trace?.findingPlace.map { " (\($0.file):\($0.line))" } ?? ""
    return "\(finding.name): \(finding.message)\(place)"
  }

  var isTimed: Bool { search.limits.seconds != nil }
}

extension ProgramRequest.Failure {
  init(_ error: any Error) {
    message =
      switch error {
      case let error as CompilerError:
        error.messages.split(separator: "\n").first { $0.contains("error:") }.map(String.init)
          ?? "clang does not compile it"
      case let error as IRError: error.description
      case let finding as Finding: finding.message
      case let error as UsageError: error.message
      default: "\(error)"
      }
  }
}
