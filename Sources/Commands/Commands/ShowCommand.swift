// gracewalk show: one model in words, or the text of a C program of the catalogue.

import GracewalkChecking
import GracewalkReporting
import GracewalkSupport

enum ShowCommand {
  static let command = Command(
    name: "show", operands: "MODEL | gracewalk.h",
    summary: "show a model in words, or the text of a C program of the catalogue",
    details: [
      "gracewalk.h is the header that C programs may include; checks find it by themselves.",
      "Exit status: 0, or 2 wrong usage.",
    ],
    options: [], run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard let name = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError(
        "show takes one model, or gracewalk.h; \(RunningProgram.name) list names models")
    }
    let programs = arguments.source.programs
    if name == GracewalkHeader.name {
      print(GracewalkHeader.text, terminator: "")
    } else if let program = programs.model(named: name) {
      print(programs.text(of: program.file) ?? "", terminator: "")
    } else if let text = programs.text(of: name) {
      print(text, terminator: "")
    } else {
      let model = try SharedOptions.model(name, of: arguments)
      ListCommand.lines(model, Terminal.style).forEach { print($0) }
      "  \(model.scenarioText)".wrapped(to: Terminal.width).forEach { print($0) }
      if let origin = model.origin {
        let text = "\(origin.author), \(origin.list), \(origin.date), “\(origin.subject)”"
        "  asked by \(text): \(origin.question)".wrapped(to: Terminal.width).forEach { print($0) }
      }
    }
    return ExitStatus.holds
  }
}
