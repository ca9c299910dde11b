// Output that cannot be written is an error; an interrupted command prints its results so far.

import Foundation
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct OutputTests {
  private struct Ended {
    var status: Int32
    var wasKilled: Bool
    var error: String
  }

  private func start(_ arguments: [String], output: FileHandle) throws -> (Process, Pipe) {
    let process = Process()
    process.executableURL = CommandTests.executable
    process.arguments = arguments
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    return (process, error)
  }

  private func end(_ process: Process, _ error: Pipe) -> Ended {
    process.waitUntilExit()
    let data = error.fileHandleForReading.readDataToEndOfFile()
    return Ended(
      status: process.terminationStatus,
      wasKilled: process.terminationReason == .uncaughtSignal,
      error: String(decoding: data, as: UTF8.self))
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")),
    arguments: [
      ["list"], ["check", "shared-memcache"], ["check", "shared-memcache", "--format", "json"],
      ["--version"], ["check", "--help"], ["check", "shared-memcache", "--matrix"],
      ["ablate", "shared-memcache"],
    ])
  func aFullDiskIsAnError(_ arguments: [String]) throws {
    let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    let (process, error) = try start(arguments, output: full)
    let ended = end(process, error)
    #expect(ended.status == 2 && !ended.wasKilled)
    #expect(ended.error == "gracewalk: cannot write the output: No space left on device\n")
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")), arguments: ["trace", "html"])
  func filesAreErrorsToo(_ form: String) throws {
    let outcome = try CommandTests.outcome(
      "check", "fault-without-get-page", "--\(form)", "/dev/full", "--force")
    #expect(outcome.status == 2)
    #expect(outcome.error == "gracewalk: cannot write '/dev/full': No space left on device\n")
  }

  @Test func aClosedPipeIsNoError() throws {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    let (process, error) = try start(["list"], output: pipe.fileHandleForWriting)
    let ended = end(process, error)
    #expect(ended.error.isEmpty)
    #expect(ended.wasKilled ? ended.status == SIGPIPE : ended.status == 128 + SIGPIPE)
  }

  // MARK: Signals

  /// True once the process handles a signal itself.
  private func handles(_ number: Int32, _ process: Process) -> Bool {
    let path = "/proc/\(process.processIdentifier)/status"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
      let mask = UInt64(line.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16)
    else { return false }
    return mask >> UInt64(number - 1) & 1 == 1
  }

  private func stop(_ arguments: [String], with number: Int32) throws -> Ended {
    let sink = try #require(FileHandle(forWritingAtPath: "/dev/null"))
    let (process, error) = try start(arguments, output: sink)
    for _ in 0..<600 where process.isRunning && !handles(number, process) { usleep(50_000) }
    kill(process.processIdentifier, number)
    return end(process, error)
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status")),
    arguments: [
      ["fuzz", "--programs", "100000000"],
      ["check", "shared-memcache", "--mode", "random", "--seconds", "100"],
      ["sweep", "collapse-in-rcu-callback", "--cpus", "3", "--operations", "2"],
      ["ablate", "collapse-in-rcu-callback"], ["check"], ["check", "--matrix"],
    ])
  func terminatedCommandsPrintPartialResults(_ arguments: [String]) throws {
    for number in [SIGTERM, SIGINT] {
      let ended = try stop(arguments, with: number)
      #expect(ended.status == 3 && !ended.wasKilled, "\(number): \(ended.error)")
    }
  }
}
