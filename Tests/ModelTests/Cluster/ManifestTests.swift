// The examples for other batch systems, the completions and the manual page: each is well formed.

import Foundation
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct ManifestTests {
  private static let examples = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Docs/Examples/Cluster")

  private static func path(_ name: String) -> String {
    examples.appendingPathComponent(name).path
  }

  /// The exit status of a command with its input; nil if there is no such command.
  private static func status(_ words: [String], input: String? = nil) throws -> Int32? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data((input ?? "").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardInput = try FileHandle(forReadingFrom: file)
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 127 ? nil : process.terminationStatus
  }

  private static let hasYAML = (try? status(["python3", "-c", "import yaml"])) == 0

  @Test(
    .enabled(if: hasYAML, "python3 with yaml is not installed"),
    arguments: ["kubernetes.yaml", "github-actions.yml"])
  func manifestsAreYAML(name: String) throws {
    let program = """
      import sys, yaml
      jobs = yaml.safe_load(open(sys.argv[1]))
      assert jobs.get('kind') == 'Job' or jobs['jobs']['report']['needs'] == 'shard'
      """
    #expect(try Self.status(["python3", "-c", program, Self.path(name)]) == 0)
  }

  /// The tool of Kubernetes reads the manifest, where its tool is.
  @Test func theJobIsValid() throws {
    let words = ["kubectl", "label", "--local", "a=b", "--output=name", "-f"]
    let status = try Self.status(words + [Self.path("kubernetes.yaml")])
    #expect(status == nil || status == 0)
  }

  @Test(arguments: ["gnu-parallel.sh", "static-build.sh"])
  func scriptsAreScripts(name: String) throws {
    #expect(try Self.status(["sh", "-n", Self.path(name)]) == 0)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionsAreScripts(shell: String) throws {
    let outcome = try CommandTests.outcome("complete", shell)
    #expect(outcome.status == 0)
    for word in ["check", "sweep", "cluster", "array-limit"] {
      #expect(outcome.output.contains(word))
    }
    let status = try Self.status([shell, "-n"], input: outcome.output)
    #expect(status == nil || status == 0)
  }

  @Test func bashCompletesCommandsAndOptions() throws {
    let script = try CommandTests.outcome("complete", "bash").output
    func completed(_ words: String...) throws -> Int32? {
      let line = words.dropLast().map { "'\($0)'" }.joined(separator: " ")
      let test = """
        \(script)
        COMP_WORDS=(\(line)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gracewalk
        [ "${COMPREPLY[*]}" = '\(words.last ?? "")' ]
        """
      return try Self.status(["bash"], input: test)
    }
    #expect(try completed("gracewalk", "swe", "sweep") == 0)
    #expect(try completed("gracewalk", "sweep", "--arr", "--array-limit") == 0)
    #expect(try completed("gracewalk", "check", "--mode", "opt", "optimal") == 0)
    #expect(try completed("gracewalk", "swe", "check") == 1)
  }

  @Test func theManualHasAllCommands() throws {
    let outcome = try CommandTests.outcome("manual")
    #expect(outcome.status == 0)
    for command in ["check", "sweep", "ablate", "merge", "cluster", "bench", "fuzz"] {
      #expect(outcome.output.contains(".SS \"gracewalk \(command)"))
    }
    let status = try Self.status(["groff", "-man", "-Tutf8", "-ww"], input: outcome.output)
    #expect(status == nil || status == 0)
  }
}
