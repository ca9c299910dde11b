// gracewalk cluster: how far the work of a folder is, and the command that its jobs run.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkReporting
import GracewalkSupport

enum ClusterCommand {
  static let html = Option(
    name: "html", value: "FILE", help: "write a page that shows the units over time")

  static let command = Command(
    name: "cluster", operands: "status FOLDER",
    summary: "say how far the work of a cluster is",
    details: [
      "status FOLDER: the units that wait, run, are done and have failed, their rate, and an",
      "estimate of the time left. Its jobs run cluster work FOLDER LIST NUMBER. Exit status: 0",
      "done or under way, 3 stopped before all was done.",
    ],
    options: [html, Option(name: "force", value: nil, help: "let --html replace a file")],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    let operands = arguments.operands
    switch (operands.first, operands.count) {
    case ("status", 2): return try status(operands[1], arguments)
    case ("work", 4):
      guard let bundle = Int(operands[3]) else {
        throw UsageError("cluster work takes a folder, a list and a number")
      }
      return try work(operands[1], operands[2], bundle, arguments)
    default: throw UsageError("cluster takes: status FOLDER")
    }
  }

  static func folder(_ path: String, scans: Bool = true) throws(UsageError) -> WorkFolder {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { throw UsageError("there is no folder '\(path)'") }
    do throws(FolderError) {
      return try WorkFolder(path, scans: scans) {
        Terminal.writeError("\(RunningProgram.name): \($0)\n")
      }
    } catch {
      throw UsageError("\(error)")
    }
  }

  private static func status(_ path: String, _ arguments: Arguments) throws -> Int32 {
    let folder = try folder(path)
    guard let status = ClusterStatus(of: folder) else {
      throw UsageError("'\(path)' is not the folder of a cluster's work")
    }
    let isHeld = status.isOver || folder.hasCoordinator
    print(status.line)
    if !isHeld {
      print("its coordinator has stopped; to go on: the same command with --resume \(path)")
    }
    try writePage(of: folder, arguments)
    return isHeld ? ExitStatus.holds : ExitStatus.incomplete
  }

  /// Writes the page that `--html` asks for.
  static func writePage(of folder: WorkFolder, _ arguments: Arguments) throws(UsageError) {
    guard let path = arguments.value("html") else {
      guard !arguments.has("force") else {
        throw UsageError("--force is about --html; it is not given")
      }
      return
    }
    try TraceOutput.checkWritable(
      path, replaces: arguments.has("force"), instead: "let it be replaced with --force")
    try Output.replace(path, with: UnitsPage(folder.timeline).text)
  }

  /// A job of the cluster.
  private static func work(
    _ path: String, _ list: String, _ bundle: Int, _ arguments: Arguments
  ) throws -> Int32 {
    Terminal.catchInterrupts()
    let folder = try folder(path, scans: false)
    let source = arguments.source
    let place = WorkPlace(model: { source.model(named: $0) }, goesOn: { !Terminal.isInterrupted })
    do throws(FolderError) {
      let done = try Worker(folder, arguments.kinds, place, list: list, bundle: bundle).run()
      let units = "\(done.units - done.left) of \(counted(done.units, "unit"))"
      print(done.reason.map { "\(units): \($0)" } ?? units)
      return ExitStatus.holds
    } catch {
      // The coordinator recognises some of these lines, so they have no program's name before them.
      Terminal.writeError("\(error)\n")
      return ExitStatus.usage
    }
  }
}
