// The command line that runs this program again.

import Foundation
import GracewalkSupport

extension RunningProgram {
  /// The program as this process was started.
  ///
  /// A product that SwiftPM built and ran is run again with `swift run`, since its path is long. A
  /// program started by name or by path is invoked in the same way again.
  init(
    arguments: [String], folder: String = FileManager.default.currentDirectoryPath
  ) {
    let path = arguments.first ?? "gracewalk"
    let name = URL(fileURLWithPath: path).lastPathComponent
    self.init(name: name, invocation: path.contains("/") ? path.quotedForShell : name)
    let whole = path.hasPrefix("/") || !path.contains("/") ? path : "\(folder)/\(path)"
    let parts = whole.components(separatedBy: "/")
    // A person types `.build/release`; SwiftPM uses the folder named after the platform.
    guard let build = parts.lastIndex(of: ".build"), build + 4 == parts.count,
      let configuration = parts.dropLast().last, ["release", "debug"].contains(configuration)
    else { return }
    let package = parts[..<build].joined(separator: "/")
    let options = configuration == "release" ? " -c release" : ""
    guard folder == package || folder.hasPrefix("\(package)/") else { return }
    invocation = "swift run\(options) \(name)"
  }
}
