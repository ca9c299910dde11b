// Instructions as they are interpreted: registers are slots, addresses are numbers.

import GracewalkLLVM

/// A slot of the frame, or a constant.
struct Operand: BitwiseCopyable {
  /// -1 for a constant.
  var slot: Int32
  var bits: UInt64

  static func constant(_ bits: UInt64) -> Operand { Operand(slot: -1, bits: bits) }
  static func slot(_ slot: Int) -> Operand { Operand(slot: Int32(slot), bits: 0) }
}

struct Move: BitwiseCopyable {
  var from: Operand
  var to: Int32
}

/// How an instruction accesses memory.
struct AccessForm: BitwiseCopyable {
  var size: Int
  var bits: Int
  var ordering: IROrdering
  /// The ordering of a compare-exchange that fails.
  var failure = IROrdering.none
  /// Bytes that are not initialised count as zeros.
  var isPartial = false
  var isAtomic: Bool { ordering != .none }
}

enum Instruction {
  case nothing
  case move([Move])
  case binary(IRBinary, bits: Int, Operand, Operand, to: Int, noSignedWrap: Bool)
  case floating(IRBinary, bits: Int, Operand, Operand, to: Int)
  case negate(bits: Int, Operand, to: Int)
  case compare(IRPredicate, bits: Int, Operand, Operand, to: Int)
  case compareFloats(IRFloatPredicate, bits: Int, Operand, Operand, to: Int)
  case select(Operand, [Move], [Move])
  case cast(IRCast, from: Int, to: Int, Operand, slot: Int)
  case element(Operand, offset: UInt64, [(index: Operand, bits: Int, stride: Int)], to: Int)
  case branch(Int)
  case branchIf(Operand, Int, Int)
  case choose(Operand, otherwise: Int, [(value: UInt64, block: Int)])
  case `return`([Operand])
  case unreachable
  case load(Operand, AccessForm, to: Int)
  case store(Operand, Operand, AccessForm)
  /// The same, unless the address is null.
  case storeIfAsked(Operand, Operand, AccessForm)
  case compareExchange(Operand, Operand, Operand, AccessForm, to: Int)
  case update(IRUpdate, Operand, Operand, AccessForm, to: Int)
  case fence(IROrdering)
  case allocate(Operand, unit: Int, to: Int)
  case call(Int, [Operand], to: Int, count: Int)
  case callPointer(Operand, [Operand], to: Int, count: Int)
  case builtin(Builtin, [Operand], to: Int, bits: Int)
  case unsupported(String)
}

struct Block {
  var instructions: [Instruction] = []
  /// For each instruction, its place in the source, or -1.
  var places: [Int32] = []
  /// Moves on entry, by the block that control comes from.
  var phis: [Int: [Move]] = [:]
  var successors: [Int] = []
  /// Whether control may come back to this block within a call of the function.
  var isInLoop = false
  /// Blocks from which control comes back to this one, which dominates them.
  var backEdges: Set<Int> = []
}

final class Function {
  let name: String
  let number: Int
  var parameters: [Int] = []
  /// Slots of the parameters that have names, if there are more; nil for other functions.
  var fixedCount: Int?
  var slotCount = 0
  var blocks: [Block] = []
  /// Live slots on entry to each block.
  var liveIn: [[Bool]] = []
  private var liveAfter: [Int: [Int32]] = [:]

  init(_ name: String, number: Int) {
    self.name = name
    self.number = number
  }

  /// The slots that matter after an instruction.
  func live(after index: Int, in block: Int) -> [Int32] {
    let key = block << 32 | (index + 1)
    if let known = liveAfter[key] { return known }
    let live = liveness(after: index, in: block)
    let slots = live.indices.filter { live[$0] }.map { Int32($0) }
    liveAfter[key] = slots
    return slots
  }
}
