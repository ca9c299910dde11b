// The whole command line for a user's own models, in one call.

import GracewalkChecking
import GracewalkCommands

/// Makes a program of models: `check`, `replay`, `ablate`, `sweep`, `document` and `list`.
///
///     @main struct MyChecks {
///       static func main() { Gracewalk.run(models: [mremap, collapse]) }
///     }
///
/// The arguments are those of the process. Command lines that it prints, such as the one that
/// replays a counterexample, name the running program.
///
/// - Parameters:
///   - models: the models that commands work on; their names are unique.
///   - catalogue: other models that can be given by name, such as `Catalogue.systems` of the
///     product `GracewalkCatalogue`; with `--catalogue`, commands work on them instead.
/// - Returns: never; the process exits with 0 if everything holds, 1 for a violation, 2 for wrong
///   usage or input, 3 for an incomplete check.
public func run(models: [Model], catalogue: [ModelSystem] = []) -> Never {
  tool(models, catalogue).main()
}

/// Runs a command with the given arguments (without the program's name), and returns the exit
/// status.
public func run(
  _ arguments: [String], models: [Model], catalogue: [ModelSystem] = []
) -> Int32 {
  tool(models, catalogue).run(arguments)
}

private func tool(_ models: [Model], _ catalogue: [ModelSystem]) -> CommandLineTool {
  CommandLineTool(ModelSource([ModelSystem("models", "Models", models)], others: catalogue))
}
