// Types of LLVM IR, with their sizes and layouts in memory.

/// A type, with its layout on a 64-bit little-endian machine.
package final class IRType {
  package enum Kind: Equatable {
    case integer, pointer, void, array, structure, float, label, metadata, token, function, opaque
    /// A vector, which no code that is interpreted may use.
    case vector
  }

  package fileprivate(set) var kind: Kind
  /// Bits of an integer, a pointer or a floating-point number.
  package fileprivate(set) var bits = 0
  /// Elements of an array or vector.
  package fileprivate(set) var count = 0
  /// The element of an array or vector, or the fields of a structure.
  package fileprivate(set) var elements: [IRType] = []
  package fileprivate(set) var isPacked = false
  /// Offsets of the fields of a structure.
  package private(set) var offsets: [Int] = []
  /// Size in memory, with padding at the end.
  package private(set) var size = 0
  package private(set) var alignment = 1
  /// Scalars in it, which a register that holds a value of this type has slots for.
  package private(set) var slotCount = 1
  /// Set when the layout is known; types may refer to types that are defined later.
  private var isLaidOut = false

  init(_ kind: Kind) { self.kind = kind }

  static func scalar(_ kind: Kind, bits: Int) -> IRType {
    let type = IRType(kind)
    type.bits = bits
    type.setScalarLayout()
    return type
  }

  static func array(of element: IRType, count: Int, kind: Kind = .array) -> IRType {
    let type = IRType(kind)
    type.count = count
    type.elements = [element]
    return type
  }

  static func structure(_ fields: [IRType], isPacked: Bool) -> IRType {
    let type = IRType(.structure)
    type.elements = fields
    type.isPacked = isPacked
    return type
  }

  /// Gives a named type, used before, its definition.
  func define(as other: IRType) {
    (kind, bits, count) = (other.kind, other.bits, other.count)
    (elements, isPacked) = (other.elements, other.isPacked)
    if kind != .structure, kind != .array, kind != .vector { setScalarLayout() }
  }

  package var isAggregate: Bool { kind == .structure || kind == .array }
  package var isFirstClassScalar: Bool { kind == .integer || kind == .pointer || kind == .float }

  private func setScalarLayout() {
    size =
      bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : 16 * ((bits + 127) / 128)
    alignment = min(size, 16)
    slotCount = max((bits + 63) / 64, 1)
    if kind == .void || kind == .label || kind == .metadata { (size, slotCount) = (0, 0) }
    isLaidOut = true
  }

  /// The largest object, in bytes; larger ones are errors.
  static let sizeMax = 1 << 24

  /// Computes the layout; false if the type contains itself or is too large.
  package func layOut(depth: Int = 0) -> Bool {
    if isLaidOut { return true }
    guard depth < 64, kind == .structure || kind == .array || kind == .vector else {
      return kind == .opaque || kind == .function || kind == .token
    }
    for element in elements where !element.layOut(depth: depth + 1) { return false }
    if kind != .structure {
      let element = elements[0]
      let (total, isOver) = element.size.multipliedReportingOverflow(by: count)
      guard !isOver, total >= 0, total <= Self.sizeMax else { return false }
      (size, alignment) = (total, element.alignment)
      slotCount = element.slotCount &* count
      isLaidOut = true
      return true
    }
    return layOutFields()
  }

  private func layOutFields() -> Bool {
    var (offset, slots) = (0, 0)
    for field in elements {
      let step = isPacked ? 1 : max(field.alignment, 1)
      offset = (offset + step - 1) / step * step
      offsets.append(offset)
      offset += field.size
      slots += field.slotCount
      alignment = max(alignment, step)
      guard offset <= Self.sizeMax else { return false }
    }
    size = (offset + alignment - 1) / alignment * alignment
    slotCount = slots
    isLaidOut = true
    return true
  }

  /// One scalar in a value of this type: its type, and its offset in memory.
  package struct Leaf {
    package var type: IRType
    package var offset: Int
  }

  /// The scalars in a value of this type, in the order of a register's slots.
  package func leaves(from offset: Int = 0) -> [Leaf] {
    if slotCount == 0 { return [] }
    switch kind {
    case .structure:
      return zip(elements, offsets).flatMap { $0.leaves(from: offset + $1) }
    case .array:
      return (0..<count).flatMap { elements[0].leaves(from: offset + $0 * elements[0].size) }
    default: return [Leaf(type: self, offset: offset)]
    }
  }

  /// The first slot of a field or element, for `extractvalue`.
  package func firstSlot(of index: Int) -> Int {
    kind == .array
      ? index * elements[0].slotCount : elements[..<index].reduce(0) { $0 + $1.slotCount }
  }
}
