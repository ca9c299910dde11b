// When and where the units of a folder ran.

import Foundation
import GracewalkSupport

/// The units of a folder over time.
package struct Timeline: Sendable {
  package struct Unit: Sendable {
    package var name: String
    package var host: String
    /// The row in which it is drawn: units of a row do not overlap.
    package var row: Int
    /// Seconds since the first one began.
    package var start: Double
    package var end: Double
  }

  package let units: [Unit]
  package let rows: [String]
  package let seconds: Double

  init(_ records: [AnswerFile.Record]) {
    let sorted = records.sorted { ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name) }
    let first = sorted.first?.start ?? 0
    var rows: [(host: String, end: Double)] = []
    units = sorted.map { record in
      let free = rows.firstIndex { $0.host == record.host && $0.end <= record.start + 0.0005 }
      let row = free ?? rows.count
      if free == nil { rows.append((record.host, 0)) }
      rows[row].end = record.end
      return Unit(
        name: record.name, host: record.host, row: row, start: record.start - first,
        end: record.end - first)
    }
    self.rows = rows.map(\.host)
    seconds = units.map(\.end).max() ?? 0
  }
}

extension WorkFolder {
  package var timeline: Timeline { Timeline(records.map(\.record)) }

  /// Whether a process hands out its work now.
  package var hasCoordinator: Bool { CoordinatorLock.isHeld(self) }
}
