// Comparison with SPIN: the same program on the same machine, alternately.

import Foundation
import Gracewalk
import GracewalkCommands
import GracewalkModels
import GracewalkReporting
import GracewalkSupport

/// Runs the page-table benchmark in both checkers, alternating, and compares.
struct SpinComparison {
  var mappers: Int
  var rounds: Int

  private struct Run {
    var seconds: Double
    var states: Int
    /// Peak memory in MiB.
    var memory: Double
  }

  /// The time and memory of both, as medians over the rounds.
  struct Result: Codable {
    var format = "gracewalk spin comparison 1"
    var mappers: Int
    var rounds: Int
    var gracewalkSeconds: Double
    var gracewalkStates: Int
    var gracewalkMiB: Double
    var spinSeconds: Double
    var spinStates: Int
    var spinMiB: Double
    /// How many times as fast, and how much less memory, Gracewalk is.
    var speedRatio: Double
    var memoryRatio: Double
  }

  /// The missing tools, and what to install; nil if none is missing.
  static var missing: String? {
    let tools = ["spin", "gcc"].filter { path(of: $0) == nil }
    if tools.isEmpty { return nil }
    return "the comparison with SPIN needs \(tools.joined(separator: " and ")): "
      + "install the Debian packages spin and gcc, or see spinroot.com"
  }

  func run() throws(UsageError) -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("gracewalk-\(ProcessInfo.processInfo.processIdentifier)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      try compile(in: folder)
      var ours: [Run] = []
      var theirs: [Run] = []
      for _ in 0..<max(rounds, 1) {
        ours.append(try runGracewalk())
        theirs.append(try runSpin(in: folder))
      }
      return compare(ours, theirs)
    } catch let error as UsageError {
      throw error
    } catch {
      throw UsageError("the comparison failed: \(error.localizedDescription)")
    }
  }

  private func compare(_ ours: [Run], _ theirs: [Run]) -> Result {
    let median = { (values: [Double]) in values.sorted()[values.count / 2] }
    let seconds = (ours: median(ours.map(\.seconds)), theirs: median(theirs.map(\.seconds)))
    let memory = (ours: median(ours.map(\.memory)), theirs: median(theirs.map(\.memory)))
    return Result(
      mappers: mappers, rounds: ours.count, gracewalkSeconds: seconds.ours,
      gracewalkStates: ours[0].states, gracewalkMiB: memory.ours, spinSeconds: seconds.theirs,
      spinStates: theirs[0].states, spinMiB: memory.theirs,
      speedRatio: seconds.theirs / seconds.ours, memoryRatio: memory.theirs / memory.ours)
  }

  private static func path(of tool: String) -> URL? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.lazy.map { URL(fileURLWithPath: String($0)).appendingPathComponent(tool) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Runs a program to its end and returns what it printed.
  private func output(
    of program: URL, _ arguments: [String], in folder: URL? = nil
  ) throws -> String {
    let result = try Subprocess.run(program.path, arguments, in: folder?.path)
    guard result.status == 0 else {
      throw UsageError("\(program.lastPathComponent) failed in the comparison")
    }
    return result.output
  }

  private func runGracewalk() throws -> Run {
    guard let executable = Bundle.main.executableURL else {
      throw UsageError("cannot find the gracewalk executable")
    }
    let program = "page-table(\(mappers))"
    let clock = ContinuousClock()
    let start = clock.now
    let text = try output(
      of: executable, ["bench", program, "--mode", "stateful", "--format", "json"])
    let seconds = (clock.now - start).inSeconds
    let document = try JSONDecoder().decode(BenchDocument.self, from: Data(text.utf8))
    guard let row = document.rows.first, let memory = document.peakMiB else {
      throw UsageError("no row or no memory for \(program)")
    }
    return Run(seconds: seconds, states: row.states, memory: memory)
  }

  /// Makes the verifier with the options the benchmark is known to be fastest with.
  private func compile(in folder: URL) throws {
    guard let spin = Self.path(of: "spin"), let gcc = Self.path(of: "gcc") else { return }
    try PageTablePromela.source.write(
      to: folder.appendingPathComponent("page-table.pml"), atomically: true, encoding: .utf8)
    _ = try output(of: spin, ["-DN=\(mappers)", "-a", "page-table.pml"], in: folder)
    let options = ["-O2", "-DSAFETY", "-DNOBOUNDCHECK", "-DNOFAIR", "-DMEMLIM=16000"]
    _ = try output(of: gcc, options + ["-o", "pan", "pan.c"], in: folder)
  }

  private func runSpin(in folder: URL) throws -> Run {
    let pan = folder.appendingPathComponent("pan")
    let clock = ContinuousClock()
    let start = clock.now
    let text = try output(of: pan, ["-m200000", "-w24"], in: folder)
    let seconds = (clock.now - start).inSeconds
    guard text.contains("errors: 0"), let states = Self.number(before: "states, stored", in: text),
      let memory = Self.number(before: "total actual memory usage", in: text)
    else { throw UsageError("SPIN's output was not understood") }
    return Run(seconds: seconds, states: Int(states), memory: memory)
  }

  private static func number(before label: String, in text: String) -> Double? {
    let line = text.split(separator: "\n").first { $0.contains(label) }
    return line?.split { $0 == " " || $0 == "\t" }.first.flatMap { Double($0) }
  }
}
