// The operands of accesses to words, by name.

extension Action {
  /// The value that a store or an exchange writes.
  var stored: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that a compare-exchange replaces.
  var expected: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that it puts in its place.
  var desired: UInt64 {
    get { b }
    set { b = newValue }
  }
  /// The number that is added, wrapping.
  var addend: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The mask of a wait.
  var mask: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that a wait compares the masked bits with.
  var awaited: UInt64 {
    get { b }
    set { b = newValue }
  }
  /// Whether a wait ends when they differ from that value.
  var awaitsDifference: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// Whether a load claims that a read-side section protects the object it reads.
  var isDereference: Bool {
    get { flag }
    set { flag = newValue }
  }

  /// Sets the condition of a wait.
  mutating func setCondition<Value>(_ condition: WaitCondition<Value>) {
    switch condition {
    case .equals(let value): (mask, awaited, awaitsDifference) = (~0, value.word, false)
    case .differs(let value): (mask, awaited, awaitsDifference) = (~0, value.word, true)
    case .bits(let bits, equal: let value): (mask, awaited, awaitsDifference) = (bits, value, false)
    case .bitsDiffer(let bits, from: let value):
      (mask, awaited, awaitsDifference) = (bits, value, true)
    }
  }
}
