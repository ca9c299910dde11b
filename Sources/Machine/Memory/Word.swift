// A word of memory that several CPUs can reach, and the type of what it holds.

/// What a word of memory can hold: anything that 64 bits stand for.
public protocol WordValue: Equatable, Sendable {
  init(word: UInt64)
  /// The bits that stand for it; equal for equal values only.
  var word: UInt64 { get }
}

/// A 64-bit word that several CPUs can reach, seen as a value of one type.
///
/// A word of memory has no type of its own; its handle says how code reads it.
public struct Word<Value: WordValue>: Equatable, Sendable {
  /// 0 for an entry that its page does not have.
  let cell: UInt32
  /// The lifetime word of the page it lies in, or 0 for a named word.
  let lifetime: UInt32
  /// The number of the scenario it belongs to.
  let scenario: UInt32
  /// What was asked for where the page has no such entry.
  let index: Int

  init(cell: UInt32, lifetime: UInt32, scenario: UInt32, index: Int = 0) {
    self.cell = cell
    self.lifetime = lifetime
    self.scenario = scenario
    self.index = index
  }

  /// The same word, seen as a value of another type.
  public init<Other>(_ other: Word<Other>) {
    self.init(
      cell: other.cell, lifetime: other.lifetime, scenario: other.scenario, index: other.index)
  }

  public static func == (a: Word, b: Word) -> Bool {
    a.cell == b.cell && a.lifetime == b.lifetime && a.index == b.index
  }
}

/// A word as nothing but its bits.
public typealias Location = Word<UInt64>

/// An entry of a table page.
public typealias Entry = Word<Descriptor>

extension UInt64: WordValue {
  public init(word: UInt64) { self = word }
  public var word: UInt64 { self }
}

/// In two's complement.
extension Int: WordValue {
  public init(word: UInt64) { self = Int(truncatingIfNeeded: word) }
  public var word: UInt64 { UInt64(bitPattern: Int64(self)) }
}

/// False is 0 and true 1, as in C; whatever else a word holds is true.
extension Bool: WordValue {
  public init(word: UInt64) { self = word != 0 }
  public var word: UInt64 { self ? 1 : 0 }
}

extension Descriptor: WordValue {
  public init(word: UInt64) { bits = word }
  public var word: UInt64 { bits }
}
