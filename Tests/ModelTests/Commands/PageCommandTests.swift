// check --html, replay --html and replay --step on the command line.

import Foundation
import GracewalkModels
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct PageCommandTests {
  private let command = CommandTests()
  private let model = "shared-memcache-without-exchange"

  private func inFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func text(_ name: String, _ folder: URL) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  @Test func aCheckAndAReplayWriteThePage() throws {
    try inFolder { folder in
      let check = try command.run(
        ["check", model, "--html", "a.html", "--trace", "a.trace"], in: folder)
      #expect(check.status == 1)
      #expect(check.output.contains("  page: a.html\n"))
      let again = "\(CommandTests.executable.path) replay a.trace"
      #expect(check.output.contains("  trace: a.trace (\(again))\n"))
      let replay = try command.run(["replay", "a.trace", "--html", "b.html"], in: folder)
      #expect(replay.status == 1)
      #expect(try text("a.html", folder) == text("b.html", folder))
      #expect(try text("a.html", folder).hasPrefix("<!DOCTYPE html>"))
    }
  }

  @Test func noFileIsLost() throws {
    try inFolder { folder in
      try "mine".write(
        to: folder.appendingPathComponent("a.html"), atomically: true, encoding: .utf8)
      let refused = try command.run(["check", model, "--html", "a.html"], in: folder)
      #expect(refused.status == 2)
      #expect(refused.error.contains("'a.html' exists; name another file, or add --force"))
      #expect(try text("a.html", folder) == "mine")
      let forced = try command.run(["check", model, "--html", "a.html", "--force"], in: folder)
      #expect(forced.status == 1)
      #expect(try text("a.html", folder) != "mine")
      let same = try command.run(
        ["check", model, "--html", "b", "--trace", "./b"], in: folder)
      #expect(same.status == 2)
      #expect(same.error.contains("the same file"))
      let pointless = try command.run(["replay", "x", "--force"], in: folder)
      #expect(pointless.status == 2)
      #expect(pointless.error.contains("--force is about --html"))
    }
  }

  @Test func aModelThatHoldsWritesNoPage() throws {
    try inFolder { folder in
      let check = try command.run(["check", "shared-memcache", "--html", "a.html"], in: folder)
      #expect(check.status == 0)
      #expect(check.output.contains("no counterexample, so nothing was written to a.html"))
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("a.html").path))
    }
  }

  @Test func stepsArePrintedWithoutATerminal() throws {
    try inFolder { folder in
      _ = try command.run(["check", model, "--trace", "a.trace"], in: folder)
      let steps = try command.run(["replay", "a.trace", "--step"], in: folder)
      #expect(steps.status == 1)
      #expect(steps.output.contains("\n\ninitially\n"))
      #expect(steps.output.contains("\n✗ no-table-linked-twice\n"))
      #expect(!steps.output.contains("\u{1B}"))
    }
  }
}
