// A word of shared memory, with the type of its values.

/// A type whose values a word of memory can hold, encoded in 64 bits.
public protocol WordValue: Equatable, Sendable {
  init(word: UInt64)
  /// The encoding of the value; different values have different encodings.
  var word: UInt64 { get }
}

/// A 64-bit word of shared memory, accessed as a value of one type.
///
/// Memory itself is untyped; the handle defines how code interprets a word.
public struct Word<Value: WordValue>: Equatable, Sendable {
  /// 0 for an entry out of range.
  let cell: UInt32
  /// The lifetime word of its page, or 0 for a named word.
  let lifetime: UInt32
  /// The number of the scenario it belongs to.
  let scenario: UInt32
  /// The requested index, for an entry out of range.
  let index: Int

  init(cell: UInt32, lifetime: UInt32, scenario: UInt32, index: Int = 0) {
    self.cell = cell
    self.lifetime = lifetime
    self.scenario = scenario
    self.index = index
  }

  /// The same word, accessed as a value of another type.
  public init<Other>(_ other: Word<Other>) {
    self.init(
      cell: other.cell, lifetime: other.lifetime, scenario: other.scenario, index: other.index)
  }

  public static func == (a: Word, b: Word) -> Bool {
    a.cell == b.cell && a.lifetime == b.lifetime && a.index == b.index
  }
}

/// An untyped word.
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

/// False is 0 and true is 1, as in C; any other nonzero value is read as true.
extension Bool: WordValue {
  public init(word: UInt64) { self = word != 0 }
  public var word: UInt64 { self ? 1 : 0 }
}

extension Descriptor: WordValue {
  public init(word: UInt64) { bits = word }
  public var word: UInt64 { bits }
}

/// An enumeration of numbers, for words that hold one of a few things.
extension WordValue where Self: RawRepresentable & CaseIterable, RawValue == UInt64 {
  /// A number that stands for nothing is an error of the model, and read as the first case.
  public init(word: UInt64) {
    if let value = Self(rawValue: word) {
      self = value
    } else {
      MisuseSink.note("a word holds \(word), which is no \(Self.self)", #fileID, #line)
      self = Self.allCases[Self.allCases.startIndex]
    }
  }

  public var word: UInt64 { rawValue }
}
