// The flow of control in a function: loops, and which slots are live where.

extension Instruction {
  var successors: [Int] {
    switch self {
    case .branch(let block): [block]
    case .branchIf(_, let yes, let no): [yes, no]
    case .choose(_, let otherwise, let cases): [otherwise] + cases.map(\.block)
    default: []
    }
  }

  /// Calls `body` with each slot that the instruction reads.
  func eachUse(_ body: (Int) -> Void) {
    func use(_ operand: Operand) { if operand.slot >= 0 { body(Int(operand.slot)) } }
    switch self {
    case .nothing, .branch, .unreachable, .fence, .unsupported: break
    case .move(let moves): moves.forEach { use($0.from) }
    case .binary(_, _, let a, let b, _, _), .floating(_, _, let a, let b, _),
      .compare(_, _, let a, let b, _), .compareFloats(_, _, let a, let b, _):
      use(a)
      use(b)
    case .negate(_, let value, _), .cast(_, _, _, let value, _), .branchIf(let value, _, _),
      .choose(let value, _, _), .load(let value, _, _), .allocate(let value, _, _):
      use(value)
    case .select(let condition, let yes, let no):
      use(condition)
      for move in yes + no { use(move.from) }
    case .element(let base, _, let indices, _):
      use(base)
      for index in indices { use(index.index) }
    case .return(let values): values.forEach(use)
    case .store(let value, let address, _), .storeIfAsked(let value, let address, _):
      use(value)
      use(address)
    case .compareExchange(let address, let expected, let desired, _, _):
      [address, expected, desired].forEach(use)
    case .update(_, let address, let value, _, _):
      use(address)
      use(value)
    case .call(_, let arguments, _, _), .builtin(_, let arguments, _, _): arguments.forEach(use)
    case .callPointer(let callee, let arguments, _, _):
      use(callee)
      arguments.forEach(use)
    }
  }

  /// Calls `body` with each slot that the instruction defines.
  func eachDefinition(_ body: (Int) -> Void) {
    func define(_ slot: Int, _ count: Int = 1) {
      if slot >= 0 { for index in 0..<count { body(slot + index) } }
    }
    switch self {
    case .nothing, .branch, .branchIf, .choose, .return, .unreachable, .store, .storeIfAsked,
      .fence, .unsupported:
      break
    case .move(let moves): moves.forEach { body(Int($0.to)) }
    case .select(_, let yes, _): yes.forEach { body(Int($0.to)) }
    case .binary(_, _, _, _, let to, _), .floating(_, _, _, _, let to), .negate(_, _, let to),
      .compare(_, _, _, _, let to), .compareFloats(_, _, _, _, let to), .cast(_, _, _, _, let to),
      .element(_, _, _, let to), .load(_, _, let to), .update(_, _, _, _, let to),
      .allocate(_, _, let to), .builtin(_, _, let to, _):
      define(to)
    case .compareExchange(_, _, _, _, let to): define(to, 2)
    case .call(_, _, let to, let count), .callPointer(_, _, let to, let count): define(to, count)
    }
  }
}

extension Function {
  /// Finds successors, loops and liveness, once all instructions are there.
  func analyse() {
    for index in blocks.indices {
      blocks[index].successors = blocks[index].instructions.last?.successors ?? []
    }
    for index in blocks.indices { blocks[index].isInLoop = reaches(index, from: index) }
    findBackEdges()
    findLiveness()
  }

  private func reaches(_ goal: Int, from start: Int) -> Bool {
    var seen = Array(repeating: false, count: blocks.count)
    var open = blocks[start].successors
    while let block = open.popLast() {
      if block == goal { return true }
      if seen[block] { continue }
      seen[block] = true
      open += blocks[block].successors
    }
    return false
  }

  /// An edge leads back if its target is on every way from the entry to its source.
  private func findBackEdges() {
    for head in blocks.indices where blocks[head].isInLoop {
      var seen = Array(repeating: false, count: blocks.count)
      var open = head == 0 ? [] : [0]
      while let block = open.popLast() {
        if seen[block] { continue }
        seen[block] = true
        open += blocks[block].successors.filter { $0 != head }
      }
      for block in blocks.indices where blocks[block].successors.contains(head) && !seen[block] {
        blocks[head].backEdges.insert(block)
      }
    }
  }

  private func findLiveness() {
    liveIn = Array(repeating: Array(repeating: false, count: slotCount), count: blocks.count)
    var changes = true
    while changes {
      changes = false
      for block in blocks.indices.reversed() {
        let live = liveness(after: -1, in: block)
        if live != liveIn[block] {
          liveIn[block] = live
          changes = true
        }
      }
    }
  }

  func liveness(after index: Int, in number: Int) -> [Bool] {
    var live = Array(repeating: false, count: slotCount)
    for successor in blocks[number].successors {
      let moves = blocks[successor].phis[number] ?? []
      var entry = liveIn[successor]
      for move in moves { entry[Int(move.to)] = false }
      for move in moves where move.from.slot >= 0 { entry[Int(move.from.slot)] = true }
      for slot in 0..<slotCount where entry[slot] { live[slot] = true }
    }
    let instructions = blocks[number].instructions
    for position in stride(from: instructions.count - 1, to: index, by: -1) {
      instructions[position].eachDefinition { live[$0] = false }
      instructions[position].eachUse { live[$0] = true }
    }
    return live
  }
}
