// gracewalk init: writes a package with a model that has a race, ready to run.

import Foundation
import GracewalkCommands
import GracewalkSupport

enum InitCommand {
  static let command = Command(
    name: "init", operands: "FOLDER | NAME.c",
    summary: "write a package of your own, or a C program, ready to be checked",
    details: [
      "FOLDER gets a package with a model, its sibling that has a race, a test of both, and a",
      "program that has all commands for them. It must not exist, or be empty; its last part names",
      "the package. NAME.c gets a C program with a race, and the way to mend it. Exit status: 0",
      "written, 2 wrong usage, or a file that cannot be written.",
    ],
    options: [
      Option(
        name: "gracewalk", value: "PATH|URL",
        help: "where the package gets Gracewalk from (the folder this program was built in)")
    ],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard let path = arguments.operands.first, arguments.operands.count == 1 else {
      throw UsageError(
        "init takes one folder, which it makes: \(RunningProgram.name) init my-checks")
    }
    if path.hasSuffix(".c") { return try NewProgram.write(path, arguments) }
    let folder = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    let name = folder.lastPathComponent
    guard isFit(name) else {
      throw UsageError(
        "'\(name)' cannot be the name of a package: it needs letters, digits, - and _, and begins "
          + "with a letter; name another folder")
    }
    guard !["gracewalk", "gracewalkcatalogue"].contains(name.lowercased()) else {
      throw UsageError("a package of the name '\(name)' cannot use Gracewalk; name another folder")
    }
    try checkIsFree(folder, path)
    let package = NewPackage(name: name, dependency: try dependency(arguments))
    for file in package.files {
      let url = folder.appendingPathComponent(file.path)
      do {
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: url, options: .atomic)
      } catch {
        throw UsageError("cannot write '\(path)/\(file.path)': \(error.localizedDescription)")
      }
      print("  \(path.hasSuffix("/") ? path : path + "/")\(file.path)")
    }
    print(package.epilogue(path))
    return ExitStatus.holds
  }

  private static func isFit(_ name: String) -> Bool {
    let isWord = name.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_")
    }
    return isWord && name.first?.isLetter == true
  }

  private static func checkIsFree(_ folder: URL, _ path: String) throws(UsageError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory) else {
      return
    }
    guard isDirectory.boolValue else { throw UsageError("'\(path)' is a file; name a new folder") }
    guard let there = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      throw UsageError("cannot read the folder '\(path)'")
    }
    if let first = there.min() {
      throw UsageError("'\(path)' is not empty: there is '\(first)'; name a new folder")
    }
  }

  /// The location of Gracewalk: as given, or the place of this file when it was compiled.
  private static func dependency(
    _ arguments: Arguments
  ) throws(UsageError) -> NewPackage.Dependency {
    let given = arguments.value("gracewalk")
    if let given, given.contains("://") || given.hasPrefix("git@") {
      return NewPackage.Dependency(url: given)
    }
    let here = #filePath.components(separatedBy: "/Sources/GracewalkCommand/")[0]
    let root = URL(fileURLWithPath: given ?? here).standardizedFileURL
    let manifest = root.appendingPathComponent("Package.swift").path
    guard FileManager.default.fileExists(atPath: manifest) else {
      throw UsageError(
        given == nil
          ? "the sources of Gracewalk are no longer in '\(root.path)'; name them: "
            + "--gracewalk PATH, or URL"
          : "there is no package in '\(root.path)'")
    }
    return NewPackage.Dependency(path: root.path)
  }
}
