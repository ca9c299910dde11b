// Runs a command of the batch system, and collects what it prints.

import Foundation

/// A command's output and exit status.
struct CommandOutput {
  var status: Int32
  var output: String
  var errors: String
}

enum Subprocess {
  /// Runs a command that is found on the path; nil if there is none of that name.
  static func run(_ words: [String]) -> CommandOutput? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    // Errors are short, so their pipe does not fill up while the output is read.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus != 127 else { return nil }
    return CommandOutput(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: complaint, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
