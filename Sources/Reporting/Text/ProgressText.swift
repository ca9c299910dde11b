// Progress and estimates in words, with no more digits than are meaningful.

import GracewalkExploration

/// Describes the progress of a search.
public enum ProgressText {
  /// The work done, its speed, and the remaining work if it can be estimated.
  public static func line(_ label: String, _ progress: SearchProgress) -> String {
    let statistics = progress.statistics
    let executions = statistics.executions + statistics.blocked
    let rate = Int(Double(statistics.transitions) / max(progress.seconds, 0.001))
    let states = statistics.states > 0 ? ", \(counted(statistics.states, "state"))" : ""
    let estimate = estimate(progress)
    return "\(label): \(counted(executions, "execution"))\(states), depth \(progress.depth), "
      + "\(grouped(rate)) transitions/s, \(Int(progress.seconds)) s"
      + (estimate.isEmpty ? "" : "; \(estimate)")
  }

  /// The estimate of the end of a run; empty if there is none.
  private static func estimate(_ progress: SearchProgress) -> String {
    var parts: [String] = []
    if let fraction = progress.fractionDone {
      let text = progress.isExact ? "\(Int(fraction * 100)) %" : part(fraction)
      parts.append("\(text) done")
    }
    // Below that, the remaining time would be a guess.
    let isNamed = progress.isExact || (progress.fractionDone ?? 0) >= 0.01
    let seconds = isNamed ? progress.secondsLeft : nil
    if let bound = progress.secondsToBound, bound < seconds ?? .infinity {
      parts.append("stops in \(time(bound))")
    } else if let seconds {
      parts.append("\(time(seconds)) left")
    }
    return parts.joined(separator: ", ")
  }

  /// An estimated part of the whole, from 0 to 1: "about 40 %".
  public static func part(_ fraction: Double) -> String {
    switch fraction {
    case ..<0.01: "less than 1 %"
    case ..<0.095: "about \(Int((fraction * 100).rounded())) %"
    case ..<0.95: "about \(Int((fraction * 20).rounded()) * 5) %"
    default: "more than 95 %"
    }
  }

  /// A time in the largest unit that fits: "35 s", "2 min", "3 h", "9 days".
  static func time(_ seconds: Double) -> String {
    switch max(seconds, 0).rounded(.up) {
    case let seconds where seconds < 100: "\(Int(seconds)) s"
    case let seconds where seconds < 100 * 60: "\(Int((seconds / 60).rounded())) min"
    case let seconds where seconds < 48 * 3_600: "\(Int((seconds / 3_600).rounded())) h"
    case let seconds where seconds < 1_000 * 86_400: "\(Int((seconds / 86_400).rounded())) days"
    default: "years"
    }
  }

  /// A warning if states are likely to need more memory than the machine has; nil if not, or if it
  /// is too early to tell.
  ///
  /// - Parameter memory: bytes of the machine.
  public static func memoryWarning(_ progress: SearchProgress, memory: Int) -> String? {
    guard let done = progress.fractionDone, !progress.isExact, done >= 0.02, progress.bytes > 0
    else { return nil }
    let needed = Double(progress.bytes) / done
    guard needed > 0.8 * Double(memory) else { return nil }
    let gibibytes = { (bytes: Double) in "\(Int((bytes / 1_073_741_824).rounded(.up))) GiB" }
    return "states may need about \(gibibytes(needed)) of memory, and there are "
      + "\(gibibytes(Double(memory))); --max-memory MIB with --checkpoint FILE keeps what was found"
  }
}
