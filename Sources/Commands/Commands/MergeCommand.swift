// gracewalk merge: the report of a command whose work was divided among shards.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkSupport

enum MergeCommand {
  static let command = Command(
    name: "merge", operands: "FOLDER",
    summary: "make the report of a command that ran as shards",
    details: [
      "FOLDER has the files of all shards: each was written by the same command with --shard K/N.",
      "What depends on all of them, such as the simplest counterexample, is done now. The report",
      "and the exit status are those of the command.",
    ],
    options: [
      ClusterCommand.html,
      Option(name: "force", value: nil, help: "let --html replace a file"),
      ProgressLine.option,
    ],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard let path = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError("merge takes one folder, which has the files of all shards")
    }
    let folder = try ClusterCommand.folder(path)
    let shards: ShardSet
    do throws(FolderError) { shards = try ShardSet(folder) } catch { throw UsageError("\(error)") }
    try ClusterCommand.writePage(of: folder, arguments)
    return try arguments.runAgain(shards.command + ["--folder", path], shards.count)
  }
}
