// Arithmetic of integers and floating-point numbers, as bits.

import GracewalkLLVM

enum Arithmetic {
  /// The result of an operation on integers; nil for a division that is not defined.
  static func result(_ operation: IRBinary, bits: Int, _ a: UInt64, _ b: UInt64) -> UInt64? {
    let (signedA, signedB) = (signExtended(a, bits), signExtended(b, bits))
    let result: UInt64
    switch operation {
    case .add: result = a &+ b
    case .sub: result = a &- b
    case .mul: result = a &* b
    case .and: result = a & b
    case .or: result = a | b
    case .xor: result = a ^ b
    case .shl: result = b < 64 ? a << b : 0
    case .lshr: result = b < 64 ? a >> b : 0
    case .ashr: result = UInt64(bitPattern: signedA >> Int64(min(b, 63)))
    case .udiv, .urem:
      guard b & mask(bits) != 0 else { return nil }
      result = operation == .udiv ? a / b : a % b
    case .sdiv, .srem:
      guard signedB != 0 else { return nil }
      if signedB == -1 {
        guard signedA != (bits < 64 ? -(1 << Int64(bits - 1)) : Int64.min) else { return nil }
        result = operation == .sdiv ? UInt64(bitPattern: -signedA) : 0
      } else {
        result = UInt64(bitPattern: operation == .sdiv ? signedA / signedB : signedA % signedB)
      }
    case .fadd, .fsub, .fmul, .fdiv, .frem: return nil
    }
    return result & mask(bits)
  }

  /// Whether a signed operation that must not overflow does.
  static func overflows(_ operation: IRBinary, bits: Int, _ a: UInt64, _ b: UInt64) -> Bool {
    let (x, y) = (signExtended(a, bits), signExtended(b, bits))
    let (result, isOver): (Int64, Bool)
    switch operation {
    case .add: (result, isOver) = x.addingReportingOverflow(y)
    case .sub: (result, isOver) = x.subtractingReportingOverflow(y)
    case .mul: (result, isOver) = x.multipliedReportingOverflow(by: y)
    default: return false
    }
    return isOver || signExtended(UInt64(bitPattern: result), bits) != result
  }

  static func compare(_ predicate: IRPredicate, bits: Int, _ a: UInt64, _ b: UInt64) -> Bool {
    let (x, y) = (signExtended(a, bits), signExtended(b, bits))
    return switch predicate {
    case .eq: a == b
    case .ne: a != b
    case .ugt: a > b
    case .uge: a >= b
    case .ult: a < b
    case .ule: a <= b
    case .sgt: x > y
    case .sge: x >= y
    case .slt: x < y
    case .sle: x <= y
    }
  }

  static func updated(_ update: IRUpdate, bits: Int, _ old: UInt64, _ value: UInt64) -> UInt64 {
    let (x, y) = (signExtended(old, bits), signExtended(value, bits))
    let new =
      switch update {
      case .xchg: value
      case .add: old &+ value
      case .sub: old &- value
      case .and: old & value
      case .nand: ~(old & value)
      case .or: old | value
      case .xor: old ^ value
      case .max: x > y ? old : value
      case .min: x < y ? old : value
      case .umax: max(old, value)
      case .umin: min(old, value)
      }
    return new & mask(bits)
  }

  static func double(_ bits: UInt64, _ width: Int) -> Double {
    width == 32
      ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
  }

  static func bits(_ value: Double, _ width: Int) -> UInt64 {
    width == 32 ? UInt64(Float(value).bitPattern) : value.bitPattern
  }

  static func floating(_ operation: IRBinary, bits width: Int, _ a: UInt64, _ b: UInt64) -> UInt64 {
    let (x, y) = (double(a, width), double(b, width))
    let result =
      switch operation {
      case .fadd: x + y
      case .fsub: x - y
      case .fmul: x * y
      case .fdiv: x / y
      default: x.truncatingRemainder(dividingBy: y)
      }
    return bits(result, width)
  }

  static func compare(
    _ predicate: IRFloatPredicate, bits width: Int, _ a: UInt64, _ b: UInt64
  ) -> Bool {
    let (x, y) = (double(a, width), double(b, width))
    let isUnordered = x.isNaN || y.isNaN
    return switch predicate {
    case .alwaysFalse: false
    case .alwaysTrue: true
    case .ord: !isUnordered
    case .uno: isUnordered
    case .oeq: x == y
    case .ogt: x > y
    case .oge: x >= y
    case .olt: x < y
    case .ole: x <= y
    case .one: !isUnordered && x != y
    case .ueq: isUnordered || x == y
    case .ugt: isUnordered || x > y
    case .uge: isUnordered || x >= y
    case .ult: isUnordered || x < y
    case .ule: isUnordered || x <= y
    case .une: isUnordered || x != y
    }
  }
}
