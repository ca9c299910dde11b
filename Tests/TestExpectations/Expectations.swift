// Expectations kept in files: UPDATE_EXPECTATIONS=1 rewrites them, and the run fails.

import Foundation
import Testing

/// Whether this run rewrites expectations that are not met.
///
/// `UPDATE_SNAPSHOTS=1` and `UPDATE_COUNTS=1` rewrite one kind alone.
public enum Expectations {
  public static let rewritesSnapshots = isSet("UPDATE_SNAPSHOTS")
  public static let rewritesCounts = isSet("UPDATE_COUNTS")

  private static func isSet(_ name: String) -> Bool {
    ["UPDATE_EXPECTATIONS", name].contains { ProcessInfo.processInfo.environment[$0] == "1" }
  }

  /// Compares a text with the file that keeps it.
  public static func expect(
    _ text: String, matches file: URL, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try? String(contentsOf: file, encoding: .utf8)
    if text == expected { return }
    guard rewritesSnapshots else {
      Issue.record(
        "not as in \(file.lastPathComponent), which UPDATE_EXPECTATIONS=1 rewrites:\n\(text)",
        sourceLocation: sourceLocation)
      return
    }
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: file, atomically: true, encoding: .utf8)
    Issue.record(
      "wrote \(file.lastPathComponent): read the difference, then run again without the switch",
      sourceLocation: sourceLocation)
  }
}
