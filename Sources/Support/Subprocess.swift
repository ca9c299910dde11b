// Runs another program to its end, and collects what it prints.

import Foundation

/// What a program printed, and its exit status.
package struct Subprocess {
  package var status: Int32
  package var output: String
  package var errors: String

  /// Runs the program at a path; throws if it cannot be started.
  package static func run(
    _ path: String, _ arguments: [String], in folder: String? = nil
  ) throws -> Subprocess {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    // Foundation's waitUntilExit looks only every 50 ms on Linux.
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    // One after the other would wait forever if the second filled its pipe first.
    let reader = PipeReader(errors)
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let messages = reader.text
    ended.wait()
    return Subprocess(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: messages)
  }

  /// Runs a command that is found on the path; nil if there is none of that name.
  package static func run(command words: [String]) -> Subprocess? {
    guard let result = try? run("/usr/bin/env", words), result.status != 127 else { return nil }
    return result
  }
}

/// Reads a pipe on another thread.
private final class PipeReader: @unchecked Sendable {
  // Written by one thread, and read after it has left the group.
  private var data = Data()
  private let group = DispatchGroup()

  init(_ pipe: Pipe) {
    DispatchQueue.global().async(group: group) { [self] in
      data = pipe.fileHandleForReading.readDataToEndOfFile()
    }
  }

  var text: String {
    group.wait()
    return String(decoding: data, as: UTF8.self)
  }
}
