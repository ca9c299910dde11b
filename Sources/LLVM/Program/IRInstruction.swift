// Instructions of LLVM IR, as values.

/// How memory is accessed.
package struct IRAccess: Equatable {
  package var ordering = IROrdering.none
  package var isVolatile = false
  package var alignment = 1
}

/// What a call calls.
package enum IRCallee: Equatable {
  case symbol(Int)
  case value(IRValue)
  case assembly(template: String, constraints: String)
}

/// An argument of a call.
package struct IRArgument {
  package var type: IRType
  package var value: IRValue
  /// The type of a structure that is passed as a copy of what the pointer points to.
  package var copied: IRType?
}

/// One instruction.
package struct IRInstruction {
  package enum Operation {
    case allocate(IRType, count: IRValue)
    case load(IRType, from: IRValue, IRAccess)
    case store(IRType, IRValue, to: IRValue, IRAccess)
    case compareExchange(
      IRType, IRValue, expected: IRValue, desired: IRValue, IRAccess, failure: IROrdering)
    case update(IRUpdate, IRType, IRValue, by: IRValue, IRAccess)
    case fence(IROrdering, isLocal: Bool)
    /// The base, bytes added to it, and indices with the sizes they are multiplied by.
    case element(IRValue, offset: Int, [(index: IRValue, bits: Int, stride: Int)])
    case binary(IRBinary, IRType, IRValue, IRValue, noSignedWrap: Bool)
    case negate(IRType, IRValue)
    case compare(IRPredicate, IRType, IRValue, IRValue)
    case compareFloats(IRFloatPredicate, IRType, IRValue, IRValue)
    case select(IRType, IRValue, IRValue, IRValue)
    case cast(IRCast, IRType, IRValue, IRType)
    case phi(IRType, [(value: IRValue, block: Int)])
    case branch(Int)
    case branchIf(IRValue, Int, Int)
    case choose(IRType, IRValue, otherwise: Int, [(value: UInt64, block: Int)])
    case `return`(IRType, IRValue?)
    case unreachable
    case call(IRCallee, [IRArgument], returns: IRType)
    /// Slots of an aggregate, and the aggregate with some slots replaced.
    case extract(IRType, IRValue, first: Int, IRType)
    case insert(IRType, IRValue, IRValue, first: Int, IRType)
    case copy(IRType, IRValue)
    /// Something that is an error only when it is reached.
    case unsupported(String)
  }

  package var operation: Operation
  /// The register it defines, or nil.
  package var result: Int?
  /// Its line in the file, for errors.
  package var line: Int
  /// The number of its place in the source, in `IRModule.places`, or -1.
  package var place: Int
}
