// What values in registers depend on: the loads that they were computed from.

/// The loads that the registers of a thread, and the operands of its next request, depend on.
///
/// Loads have numbers, which are used again when no live register depends on them. So they are part
/// of a local state like values, and not of the order of stores, which has a view for each number.
/// A branch makes nothing depend on it: stores wait for loads before them in any case. What a
/// selection selects depends on that alone, not on the condition.
struct Dependencies: Hashable {
  /// The numbers that there are; a load beyond has no dependents, which allows more.
  static let tokensMax = 64

  /// For each slot, a set of loads.
  var slots: [UInt64] = []
  /// What the address of the request depends on, the value that it gives, and the one it expects.
  var address: UInt64 = 0
  var value: UInt64 = 0
  var expected: UInt64 = 0
  /// The loads that a slot depends on which is used after the request.
  var live: UInt64 = 0
  /// The number of the request's result.
  var result = tokensMax
  /// Whether nothing uses the result.
  var isUnused = false

  /// The loads whose views matter.
  var needed: UInt64 { live | address | value | expected }

  /// The set of the result.
  var resultSet: UInt64 { result < Self.tokensMax ? 1 << UInt64(result) : 0 }
}

extension Interpreter {
  /// The loads that an operand depends on.
  func dependencies(of operand: Operand) -> UInt64 {
    operand.slot < 0 ? 0 : state.dependencies.slots[base + Int(operand.slot)]
  }

  /// Notes what the results of an instruction depend on.
  func trackDependencies(of instruction: Instruction) {
    switch instruction {
    case .nothing, .move, .select:
      // Moves take theirs along.
      return
    default: break
    }
    var sources: UInt64 = 0
    instruction.eachUse { sources |= state.dependencies.slots[base + $0] }
    instruction.eachDefinition { state.dependencies.slots[base + $0] = sources }
  }

  /// Returns from a call, with what its results depend on.
  func leaveDependencies(_ sources: [UInt64], _ frame: Frame) {
    state.dependencies.slots.removeLast(state.dependencies.slots.count - Int(frame.base))
    guard frame.result >= 0 else { return }
    for (index, sources) in sources.enumerated() where index < Int(frame.resultCount) {
      state.dependencies.slots[Int(frame.result) + index] = sources
    }
  }

  /// Notes what the operands of a request depend on.
  func trackDependencies(ofRequest instruction: Instruction) {
    var known = state.dependencies
    (known.address, known.value, known.expected) = (0, 0, 0)
    switch instruction {
    case .load(let address, _, _): known.address = dependencies(of: address)
    case .store(let value, let address, _), .storeIfAsked(let value, let address, _):
      (known.value, known.address) = (dependencies(of: value), dependencies(of: address))
    case .compareExchange(let address, let expected, let desired, _, _):
      (known.address, known.value) = (dependencies(of: address), dependencies(of: desired))
      known.expected = dependencies(of: expected)
    case .update(_, let address, let value, _, _):
      (known.address, known.value) = (dependencies(of: address), dependencies(of: value))
    default: break
    }
    state.dependencies = known
  }

  /// Forgets those of slots that are not used any more, and finds a number for the next result.
  func settleDependencies() {
    var live: UInt64 = 0
    for (depth, frame) in state.frames.enumerated() {
      let end =
        depth + 1 < state.frames.count ? Int(state.frames[depth + 1].base) : state.slots.count
      var kept = Array(repeating: false, count: end - Int(frame.base))
      let isTop = depth == state.frames.count - 1
      let isRunAgain = isTop && state.request.kind == .releaseStack
      let function = image.functions[Int(frame.function)]
      for slot in function.live(
        after: Int(frame.index) - (isRunAgain ? 1 : 0), in: Int(frame.block))
      {
        kept[Int(slot)] = true
      }
      for slot in kept.indices {
        let index = Int(frame.base) + slot
        let isResult = isTop && Int(state.target) == index
        if kept[slot], !isResult {
          live |= state.dependencies.slots[index]
        } else {
          if isResult { state.dependencies.isUnused = !kept[slot] }
          state.dependencies.slots[index] = 0
        }
      }
    }
    if state.target < 0 { state.dependencies.isUnused = true }
    state.dependencies.live = live
    state.dependencies.result = (~live).trailingZeroBitCount
  }
}
