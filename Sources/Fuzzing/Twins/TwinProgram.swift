// A random program that is both a model and C code.

import GracewalkSupport

/// Threads over shared words and one lock, each with one register.
///
/// What a program is must not depend on how it is written down, so both kinds of text are made from
/// this value.
package struct TwinProgram: Sendable {
  enum Value: Sendable {
    case number(UInt64)
    /// What the thread has read last.
    case register
  }

  indirect enum Statement: Sendable {
    case load(Int)
    case store(Int, Value)
    case add(Int, UInt64)
    case exchange(Int, Value)
    case compareExchange(Int, expected: Value, desired: UInt64)
    case guarded([Statement])
    /// Tries to lock, and does something if that succeeds.
    case tried([Statement])
    case branch(equal: UInt64, [Statement], otherwise: [Statement])
    /// Waits until a word has another value.
    case wait(Int, whileEqual: UInt64)
    case require(differsFrom: UInt64)
  }

  static let wordCount = 3
  let threads: [[Statement]]

  /// The program that a seed stands for.
  package init(seed: UInt64) {
    var maker = Maker(random: SplitMix64(seed: seed))
    threads = maker.threads()
  }

  private struct Maker {
    var random: SplitMix64
    /// Statements that the thread may still get.
    var budget = 0

    mutating func threads() -> [[Statement]] {
      let count = 2 + (random.below(3) == 0 ? 1 : 0)
      return (0..<count).map { _ in
        budget = count == 2 ? 2 + random.below(4) : 2 + random.below(2)
        var body: [Statement] = []
        while budget > 0 { body.append(statement(depth: 0)) }
        return body
      }
    }

    private mutating func word() -> Int { random.below(TwinProgram.wordCount) }
    private mutating func number() -> UInt64 { UInt64(random.below(3)) }

    private mutating func value() -> Value {
      random.below(3) == 0 ? .register : .number(number())
    }

    private mutating func body(_ depth: Int) -> [Statement] {
      var body: [Statement] = []
      for _ in 0..<1 + random.below(2) where budget > 0 { body.append(statement(depth: depth)) }
      return body
    }

    /// - Parameter depth: 0 outside of anything; 2 where the lock is held.
    private mutating func statement(depth: Int) -> Statement {
      budget -= 1
      switch random.below(depth > 1 ? 11 : 15) {
      case 0...2: return .load(word())
      case 3...5: return .store(word(), value())
      case 6: return .add(word(), 1 + UInt64(random.below(2)))
      case 7: return .exchange(word(), value())
      case 8: return .compareExchange(word(), expected: value(), desired: number())
      case 9:
        return random.below(2) == 0
          ? .require(differsFrom: 1 + number()) : .wait(word(), whileEqual: number())
      case 10: return .load(word())
      case 11, 12: return .guarded(body(2))
      case 13: return .tried(body(2))
      default: return .branch(equal: number(), body(depth + 1), otherwise: body(depth + 1))
      }
    }
  }
}
