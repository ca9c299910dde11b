// The whole command line for somebody's own models, in one call.

import GracewalkChecking
import GracewalkCommands

/// Makes a program of models: `check`, `replay`, `ablate`, `sweep`, `document` and `list`.
///
///     @main struct MyChecks {
///       static func main() { Gracewalk.run(models: [mremap, collapse]) }
///     }
///
/// The arguments are those that the process was started with. What is printed to be typed again,
/// such as the line that replays a counterexample, names the program that is running.
///
/// - Parameters:
///   - models: what commands are about; their names are unique.
///   - catalogue: models that are known by name besides, such as `Catalogue.systems` of the product
///     `GracewalkCatalogue`; commands are about them instead if they are given `--catalogue`.
/// - Returns: never; the process ends with 0 if all holds, 1 if something is violated, 2 for wrong
///   usage or input, 3 for what is incomplete.
public func run(models: [Model], catalogue: [ModelSystem] = []) -> Never {
  tool(models, catalogue).main()
}

/// The same for given arguments, without the program's name: returns the exit status, and does not
/// end the process.
public func run(
  _ arguments: [String], models: [Model], catalogue: [ModelSystem] = []
) -> Int32 {
  tool(models, catalogue).run(arguments)
}

private func tool(_ models: [Model], _ catalogue: [ModelSystem]) -> CommandLineTool {
  CommandLineTool(ModelSource([ModelSystem("models", "Models", models)], others: catalogue))
}
