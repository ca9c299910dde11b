// The operands of accesses to words, by name.

extension Action {
  /// What a store or an exchange writes.
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
  /// What is added, wrapping.
  var addend: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The bits that a wait looks at.
  var mask: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// What they are waited for to become.
  var awaited: UInt64 {
    get { b }
    set { b = newValue }
  }
  /// Whether they are waited for to become anything else.
  var awaitsDifference: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// Whether a load says that a read-side section protects what it reads.
  var isDereference: Bool {
    get { flag }
    set { flag = newValue }
  }

  /// Sets what a wait is for.
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
