// The changelog names the versions of the files that runs write for later ones.

import Foundation
import GracewalkChecking
import GracewalkTraces
import Testing

@Suite struct ChangelogTests {
  private static let text = try? String(
    contentsOf: URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Docs/Changelog.md"),
    encoding: .utf8)

  /// The table has the version of today, and the text says what came with each.
  @Test(arguments: [
    ("trace (`check --trace`)", "trace", Trace.version),
    ("checkpoint (`check --checkpoint`)", "checkpoint", Checkpoint.version),
    ("stored request (`CheckRequest`)", "request", CheckRequest.storedVersion),
    ("stored report (`CheckReport`)", "report", CheckReport.storedVersion),
  ])
  func versionsAreNamed(row: String, name: String, version: Int) throws {
    let text = try #require(Self.text)
    #expect(text.contains("\n| \(row) | \(version) |\n"), "the table lacks version \(version)")
    for number in 1...version {
      #expect(
        text.lowercased().contains("**\(name) version \(number)**"),
        "nothing says what came with \(name) version \(number)")
    }
    #expect(!text.lowercased().contains("**\(name) version \(version + 1)**"))
  }
}
