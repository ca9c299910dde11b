// The order in which operations begin and end, if an invariant needs it.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The operation's call in a specification, as a number.
  var packedCall: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The code of the operation's result, at its end.
  var resultCode: UInt64 {
    get { b }
    set { b = newValue }
  }
}

extension Machine {
  func performHistory(_ boundary: Action.History, by cpu: Int) -> UInt64 {
    switch boundary {
    case .invoke: return historySeen(by: cpu)
    case .respond:
      memory[layout.history(cpu)] += 1
      return 0
    }
  }

  /// Adds the footprint of an operation boundary: a beginning observes how many operations have
  /// ended.
  func addHistory(_ boundary: Action.History, by cpu: Int, to footprint: Footprint) {
    switch boundary {
    case .invoke:
      for other in 0..<layout.cpuCount where other != cpu { footprint.read(layout.history(other)) }
    case .respond: footprint.write(layout.history(cpu))
    }
  }

  /// The observation of a CPU that begins an operation: the progress of the others.
  private func historySeen(by cpu: Int) -> UInt64 {
    let seen = historySeen(by: cpu) { memory[layout.history($0)] }
    if usesSymmetry { noteHistory(seen, by: cpu) }
    return seen
  }

  /// The base of the digits in `historySeen`, one more than the longest program; nil if they do not
  /// fit in a word.
  static func historyRadix(of scenario: Scenario) -> UInt64? {
    let radix = UInt64(scenario.programs.map(\.operations.count).max() ?? 0) + 1
    var largest: UInt64 = 1
    for _ in scenario.programs.dropFirst() {
      let (product, overflows) = largest.multipliedReportingOverflow(by: radix)
      if overflows { return nil }
      largest = product
    }
    return radix
  }

  /// The number of operations that each other CPU has completed.
  ///
  /// They are encoded as digits of a number or, if they do not fit in a word, as a hash, which an
  /// exact machine refuses at its start.
  func historySeen(by cpu: Int, completed: (Int) -> UInt64) -> UInt64 {
    var seen: UInt64 = 0
    if let historyRadix {
      for other in 0..<scenario.programs.count where other != cpu {
        seen = seen &* historyRadix &+ completed(other)
      }
      return seen
    }
    for other in 0..<layout.cpuCount where other != cpu {
      seen = StableHash.extend(seen, with: completed(other))
    }
    return seen
  }
}
