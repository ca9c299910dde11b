// The coverage of a check, in a few lines and as JSON; and its exit status.

import GracewalkChecking
import GracewalkMachine

/// Coverage in words.
struct CoverageText {
  let report: CheckReport

  private var coverage: Coverage { report.coverage }
  private var soFar: String { report.coversAll ? "" : " so far" }

  /// A line about results and one about entries, unless they are empty.
  var lines: [String] {
    let results = results.joined(separator: " · ")
    let entries = coverage.levels.map { level in
      "\(name(of: level)): \(changes(of: level).joined(separator: ", "))"
    }.joined(separator: " · ")
    var lines: [String] = []
    if !results.isEmpty { lines.append("  outcomes\(soFar): \(results)") }
    if !entries.isEmpty { lines.append("  entries\(soFar): \(entries)") }
    return lines
  }

  /// Operations with the same name count as one here; those that return nothing are omitted.
  private var results: [String] {
    var names: [String] = []
    for item in coverage.operations where !names.contains(item.name) { names.append(item.name) }
    return names.compactMap { name in
      var outcomes: [Coverage.Outcome] = []
      for item in coverage.operations where item.name == name {
        for outcome in item.outcomes where !outcomes.contains(outcome) { outcomes.append(outcome) }
      }
      if outcomes.isEmpty { return "\(name): \(soFar.isEmpty ? "never ends" : "none")" }
      let texts = outcomes.sorted { $0.code < $1.code }.compactMap(\.text)
      return texts.isEmpty ? nil : "\(name): \(texts.joined(separator: ", "))"
    }
  }

  private func name(of level: Coverage.Level) -> String {
    level.number.map { "level \($0)" } ?? "not linked"
  }

  private func changes(of level: Coverage.Level) -> [String] {
    let leaf = report.leafName(at: level.number)
    return level.changes.map { "\($0.old.text(leaf: leaf))→\($0.new.text(leaf: leaf))" }
  }
}

extension CheckReport {
  /// The name of a leaf at a level: a page at the last one, otherwise a block.
  func leafName(at level: Int?) -> String {
    guard let level else { return "leaf" }
    return level < lastLevel ? "block" : "page"
  }

  /// The exit status of a check: 0 holds, 1 violated, 3 incomplete or vacuous.
  public var exitStatus: Int32 {
    switch verdict {
    case .holds: 0
    case .violated: 1
    case .incomplete: 3
    }
  }
}

/// Coverage as JSON.
struct CoverageEntry: Encodable, Sendable {
  struct Operation: Encodable, Sendable {
    var cpus: [String]
    var operation: String
    var outcomes: [String]
  }

  struct Level: Encodable, Sendable {
    /// Left out for pages that were not linked yet.
    var level: Int?
    var changes: [Change]
  }

  struct Change: Encodable, Sendable {
    var from: String
    var to: String
  }

  /// False if the coverage is of an unfinished search.
  var complete: Bool
  var operations: [Operation]
  var entries: [Level]

  init(_ report: CheckReport) {
    complete = report.coversAll
    operations = report.coverage.operations.map { item in
      Operation(
        cpus: item.cpus, operation: item.name, outcomes: item.outcomes.map { $0.text ?? "ended" })
    }
    entries = report.coverage.levels.map { level in
      let leaf = report.leafName(at: level.number)
      return Level(
        level: level.number,
        changes: level.changes.map {
          Change(from: $0.old.text(leaf: leaf), to: $0.new.text(leaf: leaf))
        })
    }
  }
}
