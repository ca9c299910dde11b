// Instructions that compute, and those that ask the machine for something.

import GracewalkLLVM

extension Interpreter {
  /// Runs an instruction that only computes.
  func compute(_ instruction: Instruction) throws(Finding) {
    switch instruction {
    case .nothing: break
    case .move(let moves): assign(moves)
    case .binary(let operation, let bits, let a, let b, let to, let noSignedWrap):
      let (x, y) = (value(a), value(b))
      if noSignedWrap, Arithmetic.overflows(operation, bits: bits, x, y) {
        throw Finding(
          .undefined,
          "signed overflow: \(signExtended(x, bits)) \(operation.rawValue) \(signExtended(y, bits))"
        )
      }
      guard let result = Arithmetic.result(operation, bits: bits, x, y) else {
        throw Finding(.undefined, "a division by zero, or one that overflows")
      }
      assign(to, result)
    case .floating(let operation, let bits, let a, let b, let to):
      assign(to, Arithmetic.floating(operation, bits: bits, value(a), value(b)))
    case .negate(let bits, let operand, let to):
      assign(to, value(operand) ^ (1 << UInt64(bits - 1)))
    case .compare(let predicate, let bits, let a, let b, let to):
      assign(to, Arithmetic.compare(predicate, bits: bits, value(a), value(b)) ? 1 : 0)
    case .compareFloats(let predicate, let bits, let a, let b, let to):
      assign(to, Arithmetic.compare(predicate, bits: bits, value(a), value(b)) ? 1 : 0)
    case .select(let condition, let yes, let no): assign(value(condition) & 1 == 1 ? yes : no)
    case .cast(let cast, let from, let to, let operand, let slot):
      assign(slot, converted(cast, from, to, value(operand)))
    case .element(let start, let offset, let indices, let to):
      var address = value(start) &+ offset
      for index in indices {
        let step = signExtended(value(index.index), index.bits) &* Int64(index.stride)
        address = address &+ UInt64(bitPattern: step)
      }
      assign(to, address)
    case .builtin(let builtin, let operands, let to, let bits):
      let result = try pure(builtin, operands.map { value($0) }, bits)
      if to >= 0 { assign(to, result) }
    default: break
    }
  }

  private func converted(_ cast: IRCast, _ from: Int, _ to: Int, _ value: UInt64) -> UInt64 {
    switch cast {
    case .sext: return UInt64(bitPattern: signExtended(value, from)) & mask(to)
    case .trunc, .zext, .ptrtoint, .inttoptr, .bitcast, .addrspacecast: return value & mask(to)
    case .sitofp: return Arithmetic.bits(Double(signExtended(value, from)), to)
    case .uitofp: return Arithmetic.bits(Double(value), to)
    case .fpext, .fptrunc: return Arithmetic.bits(Arithmetic.double(value, from), to)
    case .fptosi:
      let number = Arithmetic.double(value, from)
      return UInt64(bitPattern: Int64(exactly: number.rounded(.towardZero)) ?? 0) & mask(to)
    case .fptoui:
      return (UInt64(exactly: Arithmetic.double(value, from).rounded(.towardZero)) ?? 0) & mask(to)
    }
  }

  private func pure(_ builtin: Builtin, _ values: [UInt64], _ bits: Int) throws(Finding) -> UInt64 {
    let a = values.first ?? 0
    let b = values.count > 1 ? values[1] : 0
    let (x, y) = (signExtended(a, bits), signExtended(b, bits))
    switch builtin {
    case .assertFail: throw Finding(.assertion, "an assertion fails: \(image.text(at: a) ?? "")")
    case .fail: throw Finding(.assertion, "the program reports an error")
    case .abort: throw Finding(.abort, "the program calls abort")
    case .violate:
      throw Finding(.invariant, image.text(at: b) ?? "", of: image.text(at: a) ?? "invariant")
    case .requires:
      return image.statements.required.contains(image.text(at: a) ?? "") ? 1 : 0
    case .selfThread: return UInt64(thread)
    case .isInSection: return state.sectionDepth > 0 ? 1 : 0
    case .nothing, .zero: return 0
    case .first: return a
    case .minimumSigned: return x < y ? a : b
    case .maximumSigned: return x > y ? a : b
    case .minimumUnsigned: return min(a, b)
    case .maximumUnsigned: return max(a, b)
    case .absolute: return UInt64(bitPattern: x < 0 ? 0 &- x : x) & mask(bits)
    case .countLeadingZeros: return UInt64(a.leadingZeroBitCount - (64 - bits))
    case .countTrailingZeros: return UInt64(min(a.trailingZeroBitCount, bits))
    case .countOnes: return UInt64(a.nonzeroBitCount)
    case .swapBytes: return a.byteSwapped >> UInt64(64 - bits)
    case .threadLocal: return Region.address(ofLocalAt: a, thread: thread)
    case .objectSize: return mask(bits)
    default: return 0
    }
  }

  /// The request that an instruction is; nil if it is none.
  func request(_ instruction: Instruction) throws(Finding) -> Request? {
    switch instruction {
    case .load(let address, let form, let to):
      if let known = constant(at: value(address), form.size) {
        assign(to, known & mask(form.bits))
        // What is constant is no step.
        return nil
      }
      state.target = targetSlot(to)
      var request = access(.load, value(address), form)
      request.isZeroed = form.isPartial
      return request
    case .store(let operand, let address, let form): return store(operand, address, form)
    case .storeIfAsked(let operand, let address, let form):
      return value(address) == 0 ? nil : store(operand, address, form)
    case .compareExchange(let address, let expected, let desired, let form, let to):
      state.target = targetSlot(to)
      var request = access(.compareExchange, value(address), form)
      request.failure = form.failure
      request.a = value(expected) & mask(form.size * 8)
      request.b = value(desired) & mask(form.size * 8)
      return request
    case .update(let update, let address, let operand, let form, let to):
      state.target = targetSlot(to)
      var request = access(.update, value(address), form)
      request.update = update
      request.a = value(operand)
      return request
    case .fence(let ordering):
      state.target = -1
      var request = Request(.fence)
      request.ordering = ordering
      return request
    case .allocate(let count, let unit, let to):
      state.target = targetSlot(to)
      var request = Request(.allocateStack)
      request.size = try size(value(count), unit)
      request.address = Region.address(ofStackObject: Int(state.objectCount), thread: thread)
      guard Int(state.objectCount) < Region.stackMax else {
        throw Finding(.endless, "the stack grows without end")
      }
      return request
    case .builtin(let builtin, let operands, let to, _):
      return try request(builtin, operands.map { value($0) }, to)
    default: return nil
    }
  }

  private func access(_ kind: Request.Kind, _ address: UInt64, _ form: AccessForm) -> Request {
    var request = Request(kind)
    request.address = address
    request.size = form.size
    request.bits = form.bits
    request.ordering = form.ordering
    return request
  }

  private func store(_ operand: Operand, _ address: Operand, _ form: AccessForm) -> Request {
    state.target = -1
    var request = access(.store, value(address), form)
    request.a = value(operand) & mask(form.size * 8)
    return request
  }

  private func size(_ count: UInt64, _ unit: Int) throws(Finding) -> Int {
    let (size, isOver) = count.multipliedReportingOverflow(by: UInt64(unit))
    guard !isOver, size <= UInt64(Region.sizeMax) else {
      throw Finding(
        .unsupported, "not supported: an object of more than \(Region.sizeMax) bytes")
    }
    return Int(size)
  }

  /// The value of a constant in memory; nil if the address is not in one.
  private func constant(at address: UInt64, _ size: Int) -> UInt64? {
    guard let number = Region.global(at: address), number < image.globals.count,
      image.globals[number].isConstant
    else { return nil }
    let bytes = image.globals[number].bytes
    let offset = Region.offset(of: address)
    guard offset >= 0, offset + size <= bytes.count else { return nil }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }

  private func request(
    _ builtin: Builtin, _ values: [UInt64], _ to: Int
  ) throws(Finding) -> Request? {
    guard let kind = builtin.request else {
      switch builtin {
      case .assume:
        if (values.first ?? 0) & 0xFFFF_FFFF != 0 { return nil }
        return Request(.blocked)
      case .openSection, .closeSection: return try section(builtin)
      default: return nil
      }
    }
    state.target = targetSlot(to)
    var request = Request(kind)
    request.address = values.first ?? 0
    request.a = values.count > 1 ? values[1] : 0
    request.b = values.count > 2 ? values[2] : 0
    switch builtin {
    case .awaitLoad, .awaitExchange:
      request.size = 4
      request.bits = 32
      request.ordering = .sequentiallyConsistent
      request.condition = builtin == .awaitLoad ? request.a : request.b
      request.b = (builtin == .awaitLoad ? request.b : values.last ?? 0) & mask(32)
      request.a &= mask(32)
    case .allocate: request.size = try size(values.first ?? 0, 1)
    case .allocateZeroed:
      request.size = try size(request.address, Int(truncatingIfNeeded: min(request.a, 1 << 25)))
      request.isZeroed = true
    case .allocateAligned:
      let alignment = request.address
      guard alignment.nonzeroBitCount == 1, request.a % alignment == 0 else {
        throw Finding(.misuse, "an allocation with an alignment of \(alignment)")
      }
      request.size = try size(request.a, 1)
    case .copyMemory, .setMemory: request.size = try size(request.b, 1)
    case .loadWide, .storeWide, .exchangeWide, .compareWide:
      request.size = 16
      request.ordering = IROrdering(rawValue: UInt8(request.b & 0xFF)) ?? .none
      request.failure = IROrdering(rawValue: UInt8(request.b >> 8 & 0xFF)) ?? .none
      request.b = (builtin.wide ?? .load).rawValue
    case .lockTyped, .tryLockTyped, .unlockTyped, .wakeOrTimeOut: request.isTyped = true
    case .hardware: request.describeHardware(values)
    case .choosePair: request.address = 2
    case .chooseNumber: request.address = UInt64(choices)
    case .startGrace, .passGrace:
      guard state.sectionDepth == 0 else {
        throw Finding(.misuse, "a grace period is waited for in a read-side section of RCU")
      }
    default: break
    }
    if kind == .allocate {
      (request.address, request.a, request.b) = (0, 0, 0)
      request.address = Region.address(
        ofAllocation: Int(state.allocationCount), thread: thread)
      guard Int(state.allocationCount) < Region.allocationsMax else {
        throw Finding(.endless, "memory is allocated without end")
      }
    }
    return request
  }
}

extension Interpreter {
  /// A read-side section begins or ends; nil if it is within another one.
  private func section(_ builtin: Builtin) throws(Finding) -> Request? {
    if builtin == .openSection {
      if state.sectionDepth > 0 {
        state.sectionDepth += 1
        return nil
      }
    } else {
      guard state.sectionDepth > 0 else {
        if image.leavesOutSteps { return nil }
        throw Finding(.misuse, "a read-side section of RCU ends that has not begun")
      }
      if state.sectionDepth > 1 {
        state.sectionDepth -= 1
        return nil
      }
    }
    state.target = -1
    return Request(builtin == .openSection ? .openSection : .closeSection)
  }
}

extension Builtin {
  fileprivate var wide: Request.Wide? {
    switch self {
    case .loadWide: .load
    case .storeWide: .store
    case .exchangeWide: .exchange
    case .compareWide: .compare
    default: nil
    }
  }

  /// The kind of request that it is; nil if it is none, or several.
  var request: Request.Kind? {
    switch self {
    case .create: .create
    case .join: .join
    case .lock, .lockTyped: .lock
    case .tryLock, .tryLockTyped: .tryLock
    case .unlock, .unlockTyped: .unlock
    case .initMutex: .initMutex
    case .destroyMutex: .destroyMutex
    case .initBarrier: .initBarrier
    case .arrive: .arrive
    case .passBarrier: .passBarrier
    case .destroyBarrier: .destroyBarrier
    case .allocate, .allocateZeroed, .allocateAligned: .allocate
    case .free: .free
    case .sizeOf: .sizeOf
    case .print: .print
    case .hardware: .hardware
    case .choose, .choosePair, .chooseNumber: .choose
    case .startGrace: .startGrace
    case .passGrace: .passGrace
    case .callLater: .callLater
    case .startDrain: .startDrain
    case .passDrain: .passDrain
    default: requestOnLock
    }
  }

  private var requestOnLock: Request.Kind? {
    switch self {
    case .lockShared: .lockShared
    case .tryLockShared: .tryLockShared
    case .lockExclusive: .lockExclusive
    case .tryLockExclusive: .tryLockExclusive
    case .unlockShared: .unlockShared
    case .initShared: .initShared
    case .destroyShared: .destroyShared
    case .sleep: .sleep
    case .wake, .wakeOrTimeOut: .wake
    case .signal: .signal
    case .broadcast: .broadcast
    case .initCondition: .initCondition
    case .destroyCondition: .destroyCondition
    case .takeSemaphore: .takeSemaphore
    case .tryTakeSemaphore: .tryTakeSemaphore
    case .postSemaphore: .postSemaphore
    case .initSemaphore: .initSemaphore
    case .beginOnce: .beginOnce
    case .endOnce: .endOnce
    case .awaitLoad: .awaitLoad
    case .awaitExchange: .awaitExchange
    case .copyMemory: .copyMemory
    case .loadWide, .storeWide, .exchangeWide, .compareWide: .wide
    case .setMemory: .setMemory
    default: nil
    }
  }
}
