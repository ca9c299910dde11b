// Loops that end after some turns, for checks of all executions where an endless one has no end.

import Gracewalk

extension Parameter {
  /// How often a loop is repeated.
  ///
  /// Under Armv8 a loop that stores leaves ever more old values to read, so that a check of one
  /// without an end is never complete.
  static let turns = Parameter(
    "turns", "turns of a loop before a CPU gives up; 0: it never does", 0...4, standard: 0)
}

extension VirtualCPU {
  /// Tries again until there is a result, or as often as `turns` says.
  func tryAgain<R>(_ turns: Int, else surrender: R, _ turn: () throws -> R?) throws -> R {
    guard turns > 0 else { return try repeatUntilDone(turn) }
    for _ in 0..<turns {
      if let result = try turn() { return result }
    }
    return surrender
  }
}
