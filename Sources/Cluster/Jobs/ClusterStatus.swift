// How far the work of a folder is: for the coordinator's progress, and for those who ask.

import Foundation
import GracewalkSupport

/// Counts of units.
package struct ClusterStatus: Codable, Equatable, Sendable {
  package var waiting = 0
  package var running = 0
  package var done = 0
  /// Results that were there before.
  package var known = 0
  /// Jobs that ended without their results, and were run again.
  package var failed = 0
  /// Seconds since the coordinator began, and since 1970.
  package var seconds = 0.0
  package var time = 0.0
  /// Whether Slurm answers.
  package var isAnswering = true
  package var isOver = false

  package init() {}

  package var units: Int { waiting + running + done + known }

  /// Units a second.
  package var rate: Double { seconds > 0 ? Double(done) / seconds : 0 }

  /// An estimate of the seconds left.
  package var secondsLeft: Double? {
    done > 0 && rate > 0 ? Double(waiting + running) / rate : nil
  }

  /// One line for people.
  package var line: String {
    var parts = [
      "\(waiting) waiting", "\(running) running", "\(done) done", "\(failed) failed",
    ]
    if known > 0 { parts.append("\(known) known before") }
    if !isAnswering { parts.append("Slurm does not answer") }
    if rate > 0 { parts.append("\(Self.text(rate)) a second") }
    if !isOver, let secondsLeft { parts.append("about \(Self.time(secondsLeft)) left") }
    return "\(units) \(units == 1 ? "unit" : "units"): \(parts.joined(separator: ", "))"
  }

  private static func text(_ number: Double) -> String {
    String(format: number < 10 ? "%.1f" : "%.0f", number)
  }

  private static func time(_ seconds: Double) -> String {
    seconds < 90
      ? "\(Int(seconds.rounded(.up))) s"
      : seconds < 5_400
        ? "\(Int((seconds / 60).rounded())) min"
        : "\(text(seconds / 3_600)) h"
  }

  private static func path(_ folder: WorkFolder) -> String { "\(folder.path)/status" }

  func write(to folder: WorkFolder) {
    try? FolderFiles.replace(AnswerFile.json(self), to: Self.path(folder))
  }

  /// What the coordinator of a folder said last; nil if there was none.
  package init?(of folder: WorkFolder) {
    guard let bytes = FolderFiles.bytes(of: Self.path(folder)),
      let status = try? JSONDecoder().decode(ClusterStatus.self, from: Data(bytes))
    else { return nil }
    self = status
  }
}
