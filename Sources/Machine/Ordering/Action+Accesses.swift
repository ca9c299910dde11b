// The operands of accesses to words, by name.

extension Action {
  /// The value that a store or an exchange writes.
  package var stored: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that a compare-exchange replaces.
  package var expected: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that it puts in its place.
  package var desired: UInt64 {
    get { b }
    set { b = newValue }
  }
  /// The number that is added, wrapping.
  package var addend: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The number that an update adds to a word, or masks it with.
  package var operand: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that an update leaves as it is.
  package var exempt: UInt64 {
    get { b }
    set { b = newValue }
  }

  /// What an update makes of a value.
  func updated(_ update: Update, _ old: UInt64) -> UInt64 {
    switch update {
    case .and: old & operand
    case .or: old | operand
    case .xor: old ^ operand
    case .addUnless: old == exempt ? old : old &+ operand
    }
  }

  /// True if an update changes neither where an entry leads nor whether it leads anywhere.
  func keepsTarget(_ update: Update) -> Bool {
    let bits = Descriptor.addressMask | Descriptor.tableBit | Descriptor.validBit
    return update != .addUnless && updated(update, bits) & bits == bits
      && updated(update, 0) & bits == 0
  }

  /// The mask of a wait.
  package var mask: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// The value that a wait compares the masked bits with.
  package var awaited: UInt64 {
    get { b }
    set { b = newValue }
  }
  /// Whether a wait ends when they differ from that value.
  package var awaitsDifference: Bool {
    get { flag }
    set { flag = newValue }
  }
  /// Whether a load claims that a read-side section protects the object it reads.
  package var isDereference: Bool {
    get { flag }
    set { flag = newValue }
  }

  /// Whether accesses through an address that a load finds need not wait for the load.
  package var isPlain: Bool {
    get { a != 0 }
    set { a = newValue ? 1 : 0 }
  }

  /// All operands, to keep an action in words of memory, whatever they mean.
  var operands: (first: UInt64, second: UInt64, isFlagged: Bool) {
    get { (a, b, flag) }
    set { (a, b, flag) = newValue }
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
