// What documents show of a console is what the commands print.

import Foundation
import TestExpectations
import Testing

/// Runs every block of a document that begins with ```console.
///
/// In such a block a line that begins with `$ ` is a command, and the lines below it are its
/// output: all of it, but that a line `…` stands for any lines, and that times may differ.
/// `swift run -c release NAME` runs what is built already: gracewalk, or the program of an example,
/// which the line of the fence names (```console LateFlush). The blocks of a document run one after
/// the other in one folder.
///
/// `UPDATE_EXPECTATIONS=1` rewrites them.
@Suite(.tags(.long, .process), .unlessQuick) struct ConsoleTests {
  struct Console: Sendable {
    var example: String?
    /// The first line after the fence.
    var start: Int
    var commands: [Command] = []
  }

  struct Command: Sendable {
    var text: String
    /// The lines of the document that show its output.
    var lines: Range<Int>
  }

  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let documents: [String] = {
    let names =
      FileManager.default.enumerator(atPath: root.appendingPathComponent("Docs").path)?
      .compactMap { $0 as? String }.filter { $0.hasSuffix(".md") } ?? []
    return (["README.md"] + names.sorted().map { "Docs/\($0)" }).filter {
      !consoles(in: (try? lines(of: $0)) ?? []).isEmpty
    }
  }()

  static func lines(of document: String) throws -> [String] {
    try String(contentsOf: root.appendingPathComponent(document), encoding: .utf8)
      .components(separatedBy: "\n")
  }

  static func consoles(in lines: [String]) -> [Console] {
    var consoles: [Console] = []
    var isOpen = false
    for (number, line) in lines.enumerated() {
      if line.hasPrefix("```console") {
        let words = line.split(separator: " ")
        consoles.append(
          Console(example: words.count > 1 ? String(words[1]) : nil, start: number + 1))
        isOpen = true
      } else if line.hasPrefix("```") {
        isOpen = false
      } else if isOpen, line.hasPrefix("$ ") {
        consoles[consoles.count - 1].commands.append(
          Command(text: String(line.dropFirst(2)), lines: number + 1..<number + 1))
      } else if isOpen, let last = consoles.last?.commands.indices.last {
        let start = consoles[consoles.count - 1].commands[last].lines.lowerBound
        consoles[consoles.count - 1].commands[last].lines = start..<number + 1
      }
    }
    return consoles
  }

  @Test func documentsAreFound() {
    #expect(Self.documents.contains("README.md") && Self.documents.contains("Docs/Tutorial.md"))
  }

  @Test(arguments: documents) func blocksAreWhatIsPrinted(document: String) throws {
    var lines = try Self.lines(of: document)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
      .resolvingSymlinksInPath()
    defer { try? FileManager.default.removeItem(at: folder) }
    var rewritten: [(lines: Range<Int>, output: [String])] = []
    for console in Self.consoles(in: lines) {
      let outputs = try Self.run(console, in: folder)
      #expect(outputs.count == console.commands.count, "\(document):\(console.start)")
      for (command, output) in zip(console.commands, outputs) {
        let shown = Array(lines[command.lines])
        if Self.matches(output, shown) { continue }
        if Expectations.rewritesSnapshots {
          rewritten.append((command.lines, Self.renewed(shown, from: output)))
        }
        let place = "\(document):\(command.lines.lowerBound)"
        Issue.record("\(place): \(command.text) prints\n\(output.joined(separator: "\n"))")
      }
    }
    guard !rewritten.isEmpty else { return }
    for change in rewritten.reversed() { lines.replaceSubrange(change.lines, with: change.output) }
    try lines.joined(separator: "\n")
      .write(to: Self.root.appendingPathComponent(document), atomically: true, encoding: .utf8)
  }

  /// Whether lines are those of a pattern, in which `…` stands for any.
  static func matches(_ lines: [String], _ pattern: [String]) -> Bool {
    var possible: Set<Int> = [0]
    for shown in pattern {
      if shown == "…", let first = possible.min() {
        possible = Set(first...lines.count)
      } else {
        possible = Set(
          possible.filter { $0 < lines.count && untimed(lines[$0]) == untimed(shown) }
            .map { $0 + 1 })
      }
    }
    return possible.contains(lines.count)
  }

  /// What to show in place of a pattern: the lines that are most like those between each `…`.
  static func renewed(_ pattern: [String], from output: [String]) -> [String] {
    guard pattern.contains("…") else { return output }
    var shown: [String] = []
    var next = 0
    let parts = pattern.split(separator: "…", omittingEmptySubsequences: false)
    for (number, part) in parts.enumerated() {
      if number > 0 { shown.append("…") }
      guard !part.isEmpty, next + part.count <= output.count else { continue }
      let last = output.count - part.count
      var best = (start: number == parts.count - 1 ? last : next, score: 0)
      for start in next...(number == 0 ? next : last) {
        let score = zip(part, output[start...]).count { untimed($0) == untimed($1) }
        if score > best.score { best = (start, score) }
      }
      next = best.start + part.count
      shown += output[best.start..<next]
    }
    return shown
  }

  private static func untimed(_ line: String) -> String {
    line.replacing(#/ +\d+ ms/#, with: " 0 ms").replacing(#/^  \d+\.\d{3} s$/#, with: "  0 s")
  }

  @Test func patternsMatch() {
    #expect(Self.matches(["a", "b", "c"], ["a", "…", "c"]))
    #expect(Self.matches(["a", "c"], ["a", "…", "c", "…"]))
    #expect(!Self.matches(["a", "b", "c"], ["a", "…", "b"]))
    #expect(!Self.matches(["a", "b"], ["a"]))
    #expect(Self.matches(["  0.123 s", "x     12 ms  y"], ["  0.004 s", "x  7 ms  y"]))
    #expect(!Self.matches(["12 states"], ["13 states"]))
  }

  @Test func patternsAreRenewed() {
    let output = ["head", "a.swift:2", "  fails", "tail"]
    #expect(
      Self.renewed(["…", "a.swift:1", "  fails", "…"], from: output)
        == ["…", "a.swift:2", "  fails", "…"])
    #expect(Self.renewed(["head", "…", "end"], from: output) == ["head", "…", "tail"])
    #expect(Self.renewed(["head"], from: output) == output)
  }

  // MARK: Running

  /// What each command of a block prints.
  ///
  /// Programs lie where SwiftPM would put them, since what they print says how to run them again.
  private static func run(_ console: Console, in folder: URL) throws -> [[String]] {
    let programs = folder.appendingPathComponent(".build/platform/release")
    try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
    try link("gracewalk", to: CommandTests.executable, in: programs)
    if let example = console.example {
      try link("checks", to: try program(of: example), in: programs)
    }
    let outputs = folder.appendingPathComponent("outputs")
    try? FileManager.default.removeItem(at: outputs)
    try FileManager.default.createDirectory(at: outputs, withIntermediateDirectories: true)
    var script = """
      swift() {
        [ "$1 $2 $3" = "run -c release" ] || { echo "not run in a test: swift $*"; return 2; }
        local program=$4; shift 4; "\(programs.path)/$program" "$@"
      }

      """
    for (number, command) in console.commands.enumerated() {
      script += "{ \(command.text)\n} >'\(outputs.path)/\(number)'\n"
    }
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.arguments = ["-c", script]
    shell.currentDirectoryURL = folder
    shell.standardError = FileHandle.nullDevice
    try shell.run()
    shell.waitUntilExit()
    return console.commands.indices.map { number in
      let text = try? String(
        contentsOf: outputs.appendingPathComponent("\(number)"), encoding: .utf8)
      var lines = (text ?? "").components(separatedBy: "\n")
      if lines.last == "" { lines.removeLast() }
      return lines
    }
  }

  private static func link(_ name: String, to program: URL, in folder: URL) throws {
    let place = folder.appendingPathComponent(name)
    try? FileManager.default.removeItem(at: place)
    try FileManager.default.createSymbolicLink(at: place, withDestinationURL: program)
  }

  /// The program of an example: from the folder that `.ci/run` names, or built in a folder that the
  /// examples share.
  private static func program(of example: String) throws -> URL {
    if let folder = ProcessInfo.processInfo.environment["GRACEWALK_EXAMPLES"] {
      return URL(fileURLWithPath: folder).appendingPathComponent("\(example)/checks")
    }
    let scratch = root.appendingPathComponent(".build/examples")
    let build = Process()
    build.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    build.arguments = [
      "swift", "build", "-c", "release", "--package-path",
      root.appendingPathComponent("Docs/Examples/\(example)").path, "--scratch-path", scratch.path,
    ]
    let output = Pipe()
    build.standardOutput = output
    try build.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    build.waitUntilExit()
    try #require(build.terminationStatus == 0, "\(String(decoding: text, as: UTF8.self))")
    return scratch.appendingPathComponent("release/checks").resolvingSymlinksInPath()
  }
}
