// The command-line tool: find the command, run it, turn the result into an exit status.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkLitmus
import GracewalkSupport

/// The exit statuses of all commands.
package enum ExitStatus {
  package static let holds: Int32 = 0
  package static let violated: Int32 = 1
  package static let usage: Int32 = 2
  package static let incomplete: Int32 = 3
}

/// A program whose subcommands check models.
package struct CommandLineTool: Sendable {
  static let version = "0.1.0"

  /// The commands that every such program has.
  package static let standardCommands = [
    CheckCommand.command, SweepCommand.command, AblateCommand.command, ReplayCommand.command,
    DocumentCommand.command, ListCommand.command, ShowCommand.command, MergeCommand.command,
    ClusterCommand.command, ManualCommand.manual,
    ManualCommand.completions,
  ]

  /// The units that jobs of every such program can do.
  package static let standardKinds = [
    WorkKind(CheckRequest.self), WorkKind(RoundRequest.self), WorkKind(AblationRequest.self),
    WorkKind(MatrixRequest.self), WorkKind(EvidenceRequest.self), WorkKind(LitmusRequest.self),
    WorkKind(ProgramRequest.self),
  ]

  /// Applies a command to the catalogue instead of the program's own models.
  private static let catalogueFlag = "--catalogue"

  var source: ModelSource
  var commands: [Command]
  /// The units that jobs of this program can do.
  private var kinds: [WorkKind]

  package init(
    _ source: ModelSource, commands: [Command] = standardCommands,
    kinds: [WorkKind] = standardKinds
  ) {
    self.source = source
    self.commands = commands
    self.kinds = kinds
  }

  private var help: String {
    let width = (commands.map(\.name.count).max() ?? 0) + 2
    let verbs = commands.map { command in
      "  \(command.name)\(String(repeating: " ", count: width - command.name.count))"
        + command.summary
    }
    let name = RunningProgram.name
    let catalogue =
      source.others.isEmpty
      ? ""
      : "Models of Gracewalk's catalogue can be given by name; \(Self.catalogueFlag) makes a "
        + "command work on\nall of them, and not about those of \(name).\n"
    return """
      usage: \(name) COMMAND [options]

      Checks lockless page-table code by running every interleaving that matters.

      commands:
      \(verbs.joined(separator: "\n"))

      \(name) COMMAND --help tells more; \(name) --version prints the version.
      \(catalogue)Exit status: 0 holds, 1 violated, 2 wrong usage or input, or output that
      cannot be written, 3 incomplete, or something that must happen never does.
      """
  }

  /// Runs the command that the process was started with, and exits.
  package func main() -> Never {
    RunningProgram.setProcess(RunningProgram(arguments: CommandLine.arguments))
    let status = run(Array(CommandLine.arguments.dropFirst()))
    fflush(nil)
    exit(status)
  }

  /// Runs the command that the arguments name.
  ///
  /// - Parameter words: the arguments, without the name of the program.
  /// - Returns: the exit status.
  package func run(_ words: [String]) -> Int32 {
    do {
      return try dispatch(words)
    } catch let error as UsageError {
      fflush(nil)
      Terminal.writeError("\(RunningProgram.name): \(error.message.printable)\n")
    } catch {
      fflush(nil)
      Terminal.writeError("\(RunningProgram.name): \("\(error)".printable)\n")
    }
    return ExitStatus.usage
  }

  private func dispatch(_ words: [String], mergesShards: Int? = nil) throws -> Int32 {
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
      let name = RunningProgram.name
      print(name == "gracewalk" ? "\(name) \(Self.version)" : "gracewalk \(Self.version), \(name)")
      return ExitStatus.holds
    }
    guard let command = commands.first(where: { $0.name == verb }) else {
      let near = nearest(to: verb, among: commands.map(\.name))
      let hint = near.isEmpty ? "see \(RunningProgram.name) --help" : "did you mean \(near[0])?"
      throw UsageError("unknown command '\(verb)'; \(hint)")
    }
    let rest = words.dropFirst()
    if rest.contains("--help") || rest.contains("-h") {
      print(command.help)
      return ExitStatus.holds
    }
    // The flag may follow any command, so it is handled here.
    let isCatalogue = !source.others.isEmpty && rest.contains(Self.catalogueFlag)
    let words = isCatalogue ? rest.filter { $0 != Self.catalogueFlag } : Array(rest)
    if let problem = source.allModels.listProblem { throw UsageError(problem) }
    var arguments = try Arguments(
      words, for: command, of: isCatalogue ? source.catalogue : source)
    if isCatalogue { arguments.words.append(Self.catalogueFlag) }
    if arguments.has("progress") { ProgressLine.showLines() }
    arguments.runAgain = { try dispatch($0, mergesShards: $1) }
    arguments.kinds = kinds
    arguments.commands = commands
    try arguments.open(mergesShards: mergesShards)
    let result = Result { try command.run(arguments) }
    return try arguments.session?.finish(result) ?? result.get()
  }
}
