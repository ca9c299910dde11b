// What to type to run this program again.

import Foundation
import GracewalkSupport

extension RunningProgram {
  /// The program that a process was started as.
  ///
  /// Nobody types the path of a product that SwiftPM built and ran: it is run again the same way.
  /// What was found by its name, or started by its path, is called like that again.
  init(
    arguments: [String], folder: String = FileManager.default.currentDirectoryPath
  ) {
    let path = arguments.first ?? "gracewalk"
    let name = URL(fileURLWithPath: path).lastPathComponent
    self.init(name: name, invocation: path.contains("/") ? path.quotedForShell : name)
    let whole = path.hasPrefix("/") || !path.contains("/") ? path : "\(folder)/\(path)"
    let parts = whole.components(separatedBy: "/")
    // A person types `.build/release`; the folder with the name of a platform is SwiftPM's way.
    guard let build = parts.lastIndex(of: ".build"), build + 4 == parts.count,
      let configuration = parts.dropLast().last, ["release", "debug"].contains(configuration)
    else { return }
    let package = parts[..<build].joined(separator: "/")
    let options = configuration == "release" ? " -c release" : ""
    guard folder == package || folder.hasPrefix("\(package)/") else { return }
    invocation = "swift run\(options) \(name)"
  }
}
