// When operations begin and end in relation to each other, where an invariant watches that.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// What the operation is to a specification, as a number.
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

  /// Adds what a boundary of an operation touches: who begins one sees how many others have ended.
  func addHistory(_ boundary: Action.History, by cpu: Int, to footprint: Footprint) {
    switch boundary {
    case .invoke:
      for other in 0..<layout.cpuCount where other != cpu { footprint.read(layout.history(other)) }
    case .respond: footprint.write(layout.history(cpu))
    }
  }

  /// What a CPU that begins an operation observes of the others.
  private func historySeen(by cpu: Int) -> UInt64 {
    let seen = historySeen(by: cpu) { memory[layout.history($0)] }
    if usesSymmetry { noteHistory(seen, by: cpu) }
    return seen
  }

  /// One more than any program has operations, if a digit of this base for each program but one
  /// fits into a word.
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

  /// How many operations each of the other CPUs has completed: as digits of a number, or where
  /// they are too many for a word, as a hash, which an exact machine refuses to begin with.
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
