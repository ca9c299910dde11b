// The command gracewalk: the catalogue, and the commands that only Gracewalk itself needs.

import GracewalkCluster
import GracewalkCommands
import GracewalkFuzzing
import GracewalkModels

@main
enum GracewalkCommand {
  static func main() {
    let catalogue = ModelSource(
      Catalogue.systems, programs: ProgramLibrary(Programs.files, folder: "models/C")
    ) { Catalogue.path(ofFile: $0) }
    let ours = [
      FuzzCommand.command, BenchCommand.command, InitCommand.command, SuiteCommand.command,
    ]
    CommandLineTool(
      catalogue, commands: CommandLineTool.standardCommands + ours,
      kinds: CommandLineTool.standardKinds + [
        WorkKind(FuzzRequest.self), WorkKind(BenchRequest.self),
      ]
    ).main()
  }
}
