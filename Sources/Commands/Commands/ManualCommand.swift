// gracewalk manual and gracewalk complete: what --help says, for man and for shells.

import GracewalkSupport

enum ManualCommand {
  static let manual = Command(
    name: "manual", operands: "",
    summary: "print the manual page, for man",
    details: ["It is made from the same table as --help: gracewalk manual > gracewalk.1"],
    options: [],
    run: { arguments in
      guard arguments.operands.isEmpty else { throw UsageError("manual takes no operands") }
      print(ManualPage(RunningProgram.name, arguments.commands).text, terminator: "")
      return ExitStatus.holds
    })

  static let completions = Command(
    name: "complete", operands: Completions.shells.joined(separator: "|"),
    summary: "print what a shell needs to complete commands and options",
    details: [
      "bash: put it into /etc/bash_completion.d/; zsh: into a folder of fpath, as _gracewalk;",
      "fish: into ~/.config/fish/completions/gracewalk.fish.",
    ],
    options: [],
    run: { arguments in
      guard arguments.operands.count == 1, let shell = arguments.operands.first,
        Completions.shells.contains(shell)
      else {
        throw UsageError("complete takes a shell: \(Completions.shells.joined(separator: ", "))")
      }
      print(Completions(RunningProgram.name, arguments.commands).text(for: shell), terminator: "")
      return ExitStatus.holds
    })
}
