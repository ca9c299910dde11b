// The command gracewalk: the catalogue, and what only Gracewalk itself has use for.

import Commands
import Models

@main
enum GracewalkCommand {
  static func main() {
    let catalogue = ModelSource(Catalogue.systems) { Catalogue.path(ofFile: $0) }
    CommandLineTool(
      catalogue, commands: CommandLineTool.standardCommands + [BenchCommand.command]
    ).main()
  }
}
