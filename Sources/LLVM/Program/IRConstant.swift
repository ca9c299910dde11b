// Constants of LLVM IR; addresses are symbolic until modules are linked.

/// A constant.
package indirect enum IRConstant: Equatable {
  /// A number of at most 64 bits, or the bits of a floating-point number.
  case integer(UInt64)
  /// Zeros of any type.
  case zero
  /// A value that the program must not look at.
  case undefined
  /// The address of a global or a function: the number of its symbol, and bytes added to it.
  case address(symbol: Int, offset: Int)
  case aggregate([IRConstant])
  case bytes([UInt8])
  /// An operation on constants that are known only when the module is linked.
  case binary(IRBinary, bits: Int, IRConstant, IRConstant)
  case truncated(bits: Int, IRConstant)
}

/// An operand: a register, by its number in the function, or a constant.
package enum IRValue: Equatable {
  case register(Int)
  case constant(IRConstant)
}

/// Arithmetic of two operands.
package enum IRBinary: String {
  case add, sub, mul, udiv, sdiv, urem, srem, shl, lshr, ashr, and, or, xor
  case fadd, fsub, fmul, fdiv, frem
}

/// Comparisons of integers and pointers.
package enum IRPredicate: String {
  case eq, ne, ugt, uge, ult, ule, sgt, sge, slt, sle
}

/// Comparisons of floating-point numbers.
package enum IRFloatPredicate: String {
  case oeq, ogt, oge, olt, ole, one, ord, ueq, ugt, uge, ult, ule, une, uno
  case alwaysFalse = "false"
  case alwaysTrue = "true"
}

package enum IRCast: String {
  case trunc, zext, sext, ptrtoint, inttoptr, bitcast, addrspacecast
  case sitofp, uitofp, fptosi, fptoui, fpext, fptrunc
}

/// Operations of `atomicrmw`.
package enum IRUpdate: String, BitwiseCopyable {
  case xchg, add, sub, and, nand, or, xor, max, min, umax, umin
}

/// Orderings of atomic accesses; `none` for plain ones.
package enum IROrdering: UInt8, Comparable, BitwiseCopyable {
  case none, relaxed, acquire, release, acquireRelease, sequentiallyConsistent

  package static func < (a: IROrdering, b: IROrdering) -> Bool { a.rawValue < b.rawValue }

  package var acquires: Bool {
    self == .acquire || self == .acquireRelease || self == .sequentiallyConsistent
  }

  package var releases: Bool {
    self == .release || self == .acquireRelease || self == .sequentiallyConsistent
  }

  init?(keyword: Substring) {
    switch keyword {
    case "unordered", "monotonic": self = .relaxed
    case "acquire": self = .acquire
    case "release": self = .release
    case "acq_rel": self = .acquireRelease
    case "seq_cst": self = .sequentiallyConsistent
    default: return nil
    }
  }
}
