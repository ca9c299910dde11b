// The command gracewalk: the catalogue, and the commands that only Gracewalk itself needs.

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
