// Lowers each kind of instruction.

import GracewalkLLVM

extension Lowering {
  func lower(_ instruction: IRInstruction) throws(IRError) {
    result = instruction.result ?? -1
    let to = instruction.result.map { slot($0) } ?? -1
    if lowerMemory(instruction.operation, to) || lowerFlow(instruction.operation) { return }
    switch instruction.operation {
    case .element(let base, let offset, let indices):
      emit(
        .element(
          operand(base), offset: UInt64(bitPattern: Int64(offset)),
          indices.map { (operand($0.index), $0.bits, $0.stride) }, to: to))
    case .binary(let operation, let type, let a, let b, let noSignedWrap):
      lowerBinary(operation, type, a, b, noSignedWrap, to)
    case .negate(let type, let value):
      emit(type.bits <= 64 ? .negate(bits: type.bits, operand(value), to: to) : wide)
    case .compare(let predicate, let type, let a, let b):
      emit(
        type.bits <= 64 || type.kind == .pointer
          ? .compare(predicate, bits: type.bits, operand(a), operand(b), to: to) : wide)
    case .compareFloats(let predicate, let type, let a, let b):
      emit(
        type.kind == .float && (type.bits == 32 || type.bits == 64)
          ? .compareFloats(predicate, bits: type.bits, operand(a), operand(b), to: to) : wide)
    case .select(let type, let condition, let a, let b):
      emit(
        .select(
          operand(condition), moves(a, type.slotCount, to: to), moves(b, type.slotCount, to: to)))
    case .cast(let cast, let from, let value, let type): lowerCast(cast, from, value, type, to)
    case .extract(_, let value, let first, let type):
      emit(
        .move(
          (0..<type.slotCount).map { Move(from: operand(value, first + $0), to: Int32(to + $0)) }))
    case .insert(let whole, let value, let part, let first, let type):
      let before = moves(value, whole.slotCount, to: to)
      emit(.move(before.filter { !(first..<first + type.slotCount).contains(Int($0.to) - to) }))
      emit(.move(moves(part, type.slotCount, to: to + first)))
    case .copy(let type, let value): emit(.move(moves(value, type.slotCount, to: to)))
    case .call(let callee, let arguments, let returns):
      lowerCall(callee, arguments, returns, to, line: instruction.line)
    case .unsupported(let what):
      emit(.unsupported("\(linker.module.file):\(instruction.line): \(what)"))
    default: break
    }
  }

  var wide: Instruction { .unsupported("arithmetic of more than 64 bits, or of vectors") }

  private func lowerBinary(
    _ operation: IRBinary, _ type: IRType, _ a: IRValue, _ b: IRValue, _ noSignedWrap: Bool,
    _ to: Int
  ) {
    if type.kind == .float, type.bits == 32 || type.bits == 64 {
      emit(.floating(operation, bits: type.bits, operand(a), operand(b), to: to))
    } else if type.kind == .integer, type.bits <= 64 {
      emit(
        .binary(
          operation, bits: type.bits, operand(a), operand(b), to: to, noSignedWrap: noSignedWrap))
    } else {
      emit(wide)
    }
  }

  private func lowerCast(
    _ cast: IRCast, _ from: IRType, _ value: IRValue, _ type: IRType, _ to: Int
  ) {
    if from.kind == .vector || type.kind == .vector { return emit(wide) }
    if from.bits <= 64, type.bits <= 64 {
      return emit(.cast(cast, from: from.bits, to: type.bits, operand(value), slot: to))
    }
    switch cast {
    case .trunc where type.bits <= 64:
      emit(.cast(.trunc, from: 64, to: type.bits, operand(value), slot: to))
    case .zext where type.bits <= 128:
      emit(
        .move([
          Move(from: operand(value), to: Int32(to)), Move(from: .constant(0), to: Int32(to + 1)),
        ]))
    case .bitcast: emit(.move(moves(value, type.slotCount, to: to)))
    default: emit(wide)
    }
  }

  // MARK: Memory

  private func lowerMemory(_ operation: IRInstruction.Operation, _ to: Int) -> Bool {
    switch operation {
    case .allocate(let type, let count):
      if local(.register(result)) != nil {
        emit(.nothing)
      } else {
        emit(.allocate(operand(count), unit: type.size, to: to))
      }
    case .load(let type, let pointer, let access):
      if let slot = local(pointer) {
        let value = Operand.slot(slot)
        emit(
          type.bits < type.size * 8
            ? .cast(.trunc, from: 64, to: type.bits, value, slot: to)
            : .move([Move(from: value, to: Int32(to))]))
        return true
      }
      lowerLoad(type, operand(pointer), access, to)
    case .store(let type, let value, let pointer, let access):
      if let slot = local(pointer) {
        emit(.move([Move(from: operand(value), to: Int32(slot))]))
        return true
      }
      lowerStore(type, value, operand(pointer), access)
    case .compareExchange(
      let type, let pointer, let expected, let desired, let access, let failure):
      if type.isWideInteger {
        let given = [expected, desired].flatMap { value in (0..<2).map { operand(value, $0) } }
        lowerWide(.compareWide, operand(pointer), given, access, failure, to: to)
        return true
      }
      var form = form(type, access)
      form.failure = failure
      emit(
        type.size <= 8
          ? .compareExchange(
            operand(pointer), operand(expected), operand(desired), form, to: to) : wideAtomic)
    case .update(.xchg, let type, let pointer, let value, let access) where type.isWideInteger:
      let given = (0..<2).map { operand(value, $0) }
      lowerWide(.exchangeWide, operand(pointer), given, access, to: to)
    case .update(let update, let type, let pointer, let value, let access):
      emit(
        type.size <= 8 && type.kind != .float
          ? .update(update, operand(pointer), operand(value), form(type, access), to: to)
          : wideAtomic)
    case .fence(let ordering, let isLocal): emit(isLocal ? .nothing : .fence(ordering))
    default: return false
    }
    return true
  }

  private var wideAtomic: Instruction { .unsupported("an atomic access of more than 8 bytes") }

  private func form(_ type: IRType, _ access: IRAccess) -> AccessForm {
    AccessForm(size: type.size, bits: min(type.bits, 64), ordering: access.ordering)
  }

  /// A value of several scalars is loaded scalar by scalar.
  private func lowerLoad(_ type: IRType, _ address: Operand, _ access: IRAccess, _ to: Int) {
    if type.isFirstClassScalar, type.size <= 8 {
      var form = form(type, access)
      form.isPartial = partial.contains(result)
      return emit(.load(address, form, to: to))
    }
    if access.ordering != .none, type.isWideInteger {
      return lowerWide(.loadWide, address, [], access, to: to)
    }
    lowerPieces(type, address, access) { index, part, form in
      .load(part, form, to: to + index)
    }
  }

  private func lowerStore(
    _ type: IRType, _ value: IRValue, _ address: Operand, _ access: IRAccess
  ) {
    if type.isFirstClassScalar, type.size <= 8 {
      return emit(.store(operand(value), address, form(type, access)))
    }
    if access.ordering != .none, type.isWideInteger {
      let given = (0..<2).map { operand(value, $0) }
      return lowerWide(.storeWide, address, given, access, to: -1)
    }
    lowerPieces(type, address, access) { index, part, form in
      .store(operand(value, index), part, form)
    }
  }

  /// An atomic access of 16 bytes: no request holds that many, so what is given and what is read
  /// goes through memory of the thread's own.
  private func lowerWide(
    _ builtin: Builtin, _ address: Operand, _ given: [Operand], _ access: IRAccess,
    _ failure: IROrdering = .none, to: Int
  ) {
    let area = newSlot()
    emit(.builtin(.threadLocal, [.constant(image.wideArea())], to: area, bits: 64))
    for (index, value) in given.enumerated() { store(value, 8, to: area, at: index * 8) }
    let orderings = UInt64(access.ordering.rawValue) | UInt64(failure.rawValue) << 8
    let result = newSlot()
    emit(.builtin(builtin, [address, .slot(area), .constant(orderings)], to: result, bits: 64))
    guard to >= 0 else { return }
    for half in 0..<2 {
      let part = newSlot()
      emit(.element(.slot(area), offset: UInt64(half * 8), [], to: part))
      emit(.load(.slot(part), AccessForm(size: 8, bits: 64, ordering: .none), to: to + half))
    }
    guard builtin == .compareWide else { return }
    emit(.move([Move(from: .slot(result), to: Int32(to + 2))]))
  }

  /// Accesses a value of several scalars piece by piece.
  private func lowerPieces(
    _ type: IRType, _ address: Operand, _ access: IRAccess,
    _ instruction: (_ index: Int, _ part: Operand, AccessForm) -> Instruction
  ) {
    guard access.ordering == .none, type.kind != .vector, type.slotCount <= 64 else {
      return emit(wideAtomic)
    }
    for (index, piece) in pieces(of: type).enumerated() {
      let part = newSlot()
      emit(.element(address, offset: UInt64(piece.offset), [], to: part))
      let form = AccessForm(size: piece.size, bits: piece.bits, ordering: .none)
      emit(instruction(index, .slot(part), form))
    }
  }

  /// Parts of at most 8 bytes, one per slot.
  private func pieces(of type: IRType) -> [(offset: Int, size: Int, bits: Int)] {
    type.leaves().flatMap { leaf in
      (0..<leaf.type.slotCount).map { part in
        let size = min(8, leaf.type.size - part * 8)
        return (leaf.offset + part * 8, size, min(leaf.type.bits - part * 64, 64))
      }
    }
  }

  // MARK: Flow

  private func lowerFlow(_ operation: IRInstruction.Operation) -> Bool {
    switch operation {
    case .branch(let target): emit(.branch(target))
    case .branchIf(let condition, let yes, let no): emit(.branchIf(operand(condition), yes, no))
    case .choose(_, let value, let otherwise, let cases):
      emit(.choose(operand(value), otherwise: otherwise, cases))
    case .return(let type, let value):
      emit(.return(value.map { value in (0..<type.slotCount).map { operand(value, $0) } } ?? []))
    case .unreachable: emit(.unreachable)
    case .phi(let type, let sources):
      // Where two edges come from one block, the values are equal.
      let to = result >= 0 ? slot(result) : 0
      for source in sources {
        var known = block.phis[source.block] ?? []
        if known.contains(where: { $0.to == Int32(to) }) { continue }
        known += moves(source.value, type.slotCount, to: to)
        block.phis[source.block] = known
      }
      emit(.nothing)
    default: return false
    }
    return true
  }

  // MARK: Calls

  private func lowerCall(
    _ callee: IRCallee, _ arguments: [IRArgument], _ returns: IRType, _ to: Int, line: Int
  ) {
    let values = arguments.flatMap { argument -> [Operand] in
      if let copied = argument.copied { return [copy(argument.value, copied)] }
      return (0..<argument.type.slotCount).map { operand(argument.value, $0) }
    }
    let bits = returns.kind == .void ? 0 : min(max(returns.bits, 1), 64)
    switch callee {
    case .assembly(let template, _):
      let isEmpty = template.allSatisfy { $0.isWhitespace } || template == "pause"
      emit(
        isEmpty
          ? (to >= 0 ? .move([Move(from: .constant(0), to: Int32(to))]) : .nothing)
          : .unsupported("inline assembly '\(template.prefix(60))'"))
    case .value(let pointer):
      emit(.callPointer(operand(pointer), values, to: to, count: returns.slotCount))
    case .symbol(let symbol):
      let name = linker.module.symbols[symbol]
      if let value = image.link.stubs[name] {
        image.stubbed.insert(name)
        return emit(
          to >= 0
            ? .move([Move(from: .constant(value & mask(bits)), to: Int32(to))]) : .nothing)
      }
      if lowerStatement(name, values) { return }
      let known =
        image.function(named: linker.key(name, isLocal: true)) ?? image.function(named: name)
      if let known {
        let values = known.fixedCount.map { passVariadic(values, fixed: $0) } ?? values
        emit(.call(known.number, values, to: to, count: returns.slotCount))
      } else if !lowerThreads(name, values, to, bits) {
        guard let builtin = Builtin(named: name) else {
          image.noteMissing(name)
          return emit(.unsupported("a call of \(name), which is not defined"))
        }
        if builtin == .assume { image.assumes = true }
        if builtin == .startGrace || builtin == .callLater { image.waitsForGrace = true }
        emit(.builtin(builtin, values, to: to, bits: bits))
      }
    }
  }

  /// Puts arguments without names into memory, and passes its address instead.
  private func passVariadic(_ values: [Operand], fixed: Int) -> [Operand] {
    guard values.count >= fixed else { return values }
    let area = newSlot()
    let extra = values.dropFirst(fixed)
    emit(.allocate(.constant(1), unit: max(extra.count, 1) * 8, to: area))
    for (index, value) in extra.enumerated() { store(value, 8, to: area, at: index * 8) }
    return values.prefix(fixed) + [.slot(area)]
  }

  private func store(_ value: Operand, _ size: Int, to slot: Int, at offset: Int) {
    let address = newSlot()
    emit(.element(.slot(slot), offset: UInt64(offset), [], to: address))
    emit(.store(value, .slot(address), AccessForm(size: size, bits: size * 8, ordering: .none)))
  }

  /// Fills a `va_list` so that all arguments come from memory.
  private func startVariadic(_ list: Operand) {
    let target = newSlot()
    emit(.move([Move(from: list, to: Int32(target))]))
    let area = variadic >= 0 ? Operand.slot(variadic) : .constant(0)
    let name = linker.module.target
    if name.hasPrefix("x86_64"), !name.contains("windows") {
      // The registers are used up.
      store(.constant(48), 4, to: target, at: 0)
      store(.constant(176), 4, to: target, at: 4)
      store(area, 8, to: target, at: 8)
      store(.constant(0), 8, to: target, at: 16)
    } else if name.hasPrefix("aarch64"), !name.contains("apple") {
      store(area, 8, to: target, at: 0)
      store(.constant(0), 8, to: target, at: 8)
      store(.constant(0), 8, to: target, at: 16)
      store(.constant(0), 8, to: target, at: 24)
    } else {
      store(area, 8, to: target, at: 0)
    }
  }

  /// The address of a copy of a structure.
  private func copy(_ pointer: IRValue, _ type: IRType) -> Operand {
    let address = newSlot()
    emit(.allocate(.constant(1), unit: type.size, to: address))
    emit(
      .builtin(
        .copyMemory, [.slot(address), operand(pointer), .constant(UInt64(type.size))], to: -1,
        bits: 0))
    return .slot(address)
  }

  /// Calls that are several steps.
  private func lowerThreads(_ name: String, _ values: [Operand], _ to: Int, _ bits: Int) -> Bool {
    let word = AccessForm(size: 8, bits: 64, ordering: .none)
    func succeed() { if to >= 0 { emit(.move([Move(from: .constant(0), to: Int32(to))])) } }
    let slot = to >= 0 ? to : newSlot()
    switch name {
    case "llvm.va_start.p0" where values.count == 1, "llvm.va_start" where values.count == 1:
      startVariadic(values[0])
    case "llvm.va_copy.p0" where values.count == 2, "llvm.va_copy" where values.count == 2:
      let target = linker.module.target
      let size = target.hasPrefix("x86_64") ? 24 : target.contains("apple") ? 8 : 32
      emit(
        .builtin(.copyMemory, [values[0], values[1], .constant(UInt64(size))], to: -1, bits: 0))
    case "pthread_create" where values.count == 4:
      let thread = newSlot()
      emit(.builtin(.create, [values[2], values[3]], to: thread, bits: 64))
      emit(.store(.slot(thread), values[0], word))
      succeed()
    case "thrd_create" where values.count == 3:
      let thread = newSlot()
      emit(.builtin(.create, [values[1], values[2]], to: thread, bits: 64))
      emit(.store(.slot(thread), values[0], word))
      succeed()
    case "__VERIFIER_thread_create" where values.count >= 3,
      "__VERIFIER_thread_create_symmetric" where values.count >= 3:
      emit(.builtin(.create, [values[1], values[2]], to: slot, bits: bits))
    case "pthread_join" where values.count == 2, "thrd_join" where values.count == 2:
      let result = newSlot()
      emit(.builtin(.join, [values[0]], to: result, bits: 64))
      let form =
        name == "thrd_join" ? AccessForm(size: 4, bits: 32, ordering: .none) : word
      emit(.storeIfAsked(.slot(result), values[1], form))
      succeed()
    case "__VERIFIER_thread_join" where values.count == 1:
      emit(.builtin(.join, values, to: slot, bits: 64))
    case "pthread_barrier_wait" where values.count == 1,
      "__VERIFIER_barrier_wait" where values.count == 1:
      let round = newSlot()
      // One of the threads is told, if there is room to say which.
      let tells = Operand.constant(name == "pthread_barrier_wait" ? 1 : 0)
      emit(.builtin(.arrive, [values[0], tells], to: round, bits: 64))
      emit(.builtin(.passBarrier, [values[0], .slot(round), tells], to: slot, bits: bits))
    default: return false
    }
    return true
  }
}

extension IRType {
  /// Whether atomic accesses of 16 bytes are of this type.
  fileprivate var isWideInteger: Bool { isFirstClassScalar && size == 16 && bits == 128 }
}
