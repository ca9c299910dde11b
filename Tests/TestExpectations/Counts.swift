// Exact counts in files next to the tests: if one changes, the set of explored executions changed.

import Foundation
import Testing

/// A table of counts: `Counts/NAME.txt` beside the file of the test that reads it.
///
/// A line is a row: its key, a colon, and its counts, each a name and a number.
public struct Counts: Sendable {
  private let url: URL
  /// One at a time: tests run in parallel, and each rewrites its own row.
  private static let lock = NSLock()

  public init(_ name: String, file: String = #filePath) {
    url = URL(fileURLWithPath: file).deletingLastPathComponent()
      .appendingPathComponent("Counts").appendingPathComponent("\(name).txt")
  }

  /// Compares counts with a row; records them instead if the run rewrites counts.
  public func expect(
    _ found: KeyValuePairs<String, Int>, for key: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let row = found.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    try Counts.lock.withLock {
      var rows = try read()
      if rows[key] == row { return }
      let recorded = rows[key].map { "recorded is \($0)" } ?? "nothing is recorded"
      guard Expectations.rewritesCounts else {
        Issue.record(
          "\(key): \(row), but \(recorded) in \(name); UPDATE_EXPECTATIONS=1 rewrites it",
          sourceLocation: sourceLocation)
        return
      }
      rows[key] = row
      try write(rows)
      Issue.record(
        "\(key): \(row), where \(recorded): rewrote \(name); run again without the switch",
        sourceLocation: sourceLocation)
    }
  }

  /// Expects only rows with these keys, so that none outlives its test.
  public func expectRows(
    for keys: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Counts.lock.withLock {
      let rows = try read()
      let left = rows.filter { keys.contains($0.key) }
      if left.count == rows.count { return }
      let others = rows.keys.filter { !keys.contains($0) }.sorted().joined(separator: "; ")
      if Expectations.rewritesCounts { try write(left) }
      Issue.record("nobody counts what \(name) has: \(others)", sourceLocation: sourceLocation)
    }
  }

  private var name: String { "Counts/\(url.lastPathComponent)" }

  private func read() throws -> [String: String] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    var rows: [String: String] = [:]
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: ": ", maxSplits: 1)
      if parts.count == 2 { rows[String(parts[0])] = String(parts[1]) }
    }
    return rows
  }

  private func write(_ rows: [String: String]) throws {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let lines = rows.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }
      .map { "\($0.key): \($0.value)\n" }
    try lines.joined().write(to: url, atomically: true, encoding: .utf8)
  }
}
