// The command: find the verb, run it, turn what happened into an exit status.

import Foundation
import Gracewalk

/// What the exit status says.
enum ExitStatus {
  static let holds: Int32 = 0
  static let violated: Int32 = 1
  static let usage: Int32 = 2
  static let incomplete: Int32 = 3
}

@main
enum GracewalkCommand {
  static let version = "0.1.0"

  static let commands = [
    CheckCommand.command, SweepCommand.command, AblateCommand.command, ReplayCommand.command,
    DocumentCommand.command, ListCommand.command, BenchCommand.command,
    FuzzCommand.command,
  ]

  private static var help: String {
    let width = (commands.map(\.name.count).max() ?? 0) + 2
    let verbs = commands.map { command in
      "  \(command.name)\(String(repeating: " ", count: width - command.name.count))"
        + command.summary
    }
    return """
      usage: gracewalk COMMAND [options]

      Checks lockless page-table code by running every interleaving that matters.

      commands:
      \(verbs.joined(separator: "\n"))

      gracewalk COMMAND --help tells more; gracewalk --version prints the version.
      Exit status: 0 holds, 1 violated, 2 wrong usage or input, 3 incomplete or vacuous.
      """
  }

  static func main() {
    let status = run(Array(CommandLine.arguments.dropFirst()))
    fflush(nil)
    exit(status)
  }

  private static func run(_ words: [String]) -> Int32 {
    do {
      return try dispatch(words)
    } catch let error as UsageError {
      fflush(nil)
      Terminal.writeError("gracewalk: \(error.message.printable)\n")
    } catch {
      fflush(nil)
      Terminal.writeError("gracewalk: \("\(error)".printable)\n")
    }
    return ExitStatus.usage
  }

  private static func dispatch(_ words: [String]) throws -> Int32 {
    guard let verb = words.first else {
      throw UsageError("which command? One of \(commands.map(\.name).joined(separator: ", "))")
    }
    if ["--help", "-h", "help"].contains(verb) {
      guard words.count > 1, let command = commands.first(where: { $0.name == words[1] }) else {
        print(help)
        return ExitStatus.holds
      }
      print(command.help)
      return ExitStatus.holds
    }
    if verb == "--version" {
      print("gracewalk \(version)")
      return ExitStatus.holds
    }
    guard let command = commands.first(where: { $0.name == verb }) else {
      let near = nearest(to: verb, among: commands.map(\.name))
      let hint = near.isEmpty ? "see gracewalk --help" : "did you mean \(near[0])?"
      throw UsageError("unknown command '\(verb)'; \(hint)")
    }
    let rest = words.dropFirst()
    if rest.contains("--help") || rest.contains("-h") {
      print(command.help)
      return ExitStatus.holds
    }
    return try command.run(Arguments(rest, for: command))
  }
}
