// The command gracewalk: the catalogue, and what only Gracewalk itself has use for.

import GracewalkCommands
import GracewalkModels

@main
enum GracewalkCommand {
  static func main() {
    let catalogue = ModelSource(Catalogue.systems) { Catalogue.path(ofFile: $0) }
    let ours = [FuzzCommand.command, BenchCommand.command, InitCommand.command]
    CommandLineTool(catalogue, commands: CommandLineTool.standardCommands + ours).main()
  }
}
