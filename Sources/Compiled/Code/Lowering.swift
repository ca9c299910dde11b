// Turns the instructions of a function into those that are interpreted.
//
// Locals whose address is used for nothing but whole loads and stores become slots.

import GracewalkLLVM

/// Lowers one function.
final class Lowering {
  let source: IRFunction
  let function: Function
  let linker: Linker
  let image: Image
  /// The first slot of each register.
  private var slots: [Int] = []
  /// Registers that hold addresses of promoted locals, with the slot of the local.
  private var promoted: [Int: Int] = [:]
  /// Registers that hold what is not known to be initialised, and of which a part is replaced.
  private(set) var partial: Set<Int> = []
  /// The slot of the address of arguments without names, or -1.
  private(set) var variadic = -1
  var block = Block()
  /// The register that the instruction defines, or -1.
  var result = -1
  var place: Int32 = -1

  init(_ source: IRFunction, _ function: Function, _ linker: Linker, _ image: Image) {
    self.source = source
    self.function = function
    self.linker = linker
    self.image = image
  }

  func run() throws(IRError) {
    for type in source.registerTypes {
      slots.append(function.slotCount)
      function.slotCount += type.slotCount
      guard function.slotCount <= 1 << 16 else {
        throw error("@\(source.name) has too many registers", source.line)
      }
    }
    function.parameters = zip(source.parameters, source.parameterTypes).flatMap { register, type in
      (0..<type.slotCount).map { slots[register] + $0 }
    }
    if function.fixedCount != nil {
      variadic = newSlot()
      function.parameters.append(variadic)
    }
    guard function.slotCount * source.blocks.count <= 1 << 26 else {
      throw error("@\(source.name) is too large", source.line)
    }
    promote()
    findPartialUpdates()
    for sourceBlock in source.blocks {
      block = Block()
      for instruction in sourceBlock.instructions {
        place = instruction.place < 0 ? -1 : Int32(instruction.place + linker.firstPlace)
        try lower(instruction)
      }
      function.blocks.append(block)
    }
    function.analyse()
  }

  func error(_ message: String, _ line: Int) -> IRError {
    IRError(file: linker.module.file, line: line, message)
  }

  // MARK: Promotion

  private func promote() {
    var sizes: [Int: Int] = [:]
    for block in source.blocks {
      for instruction in block.instructions {
        guard case .allocate(let type, .constant(.integer(1))) = instruction.operation,
          let register = instruction.result, type.size <= 8, type.size > 0
        else { continue }
        sizes[register] = type.size
      }
    }
    for block in source.blocks {
      for instruction in block.instructions {
        if isLifetimeMark(instruction.operation) { continue }
        Self.eachAddressUse(instruction.operation) { register, size in
          if sizes[register] != size { sizes[register] = nil }
        }
      }
    }
    for register in sizes.keys.sorted() {
      promoted[register] = function.slotCount
      function.slotCount += 1
    }
  }

  /// Finds loads for assignments to bit-fields: only some of their bits are kept, and stored again.
  private func findPartialUpdates() {
    var uses: [Int: Int] = [:]
    var masks: [Int: Int] = [:]
    var stored: Set<Int> = []
    for block in source.blocks {
      for instruction in block.instructions {
        Self.eachAddressUse(instruction.operation) { register, _ in uses[register, default: 0] += 1
        }
        switch instruction.operation {
        case .binary(.and, _, .register(let a), .constant, _):
          if let result = instruction.result { masks[a] = result }
        case .binary(.or, _, let a, let b, _):
          for case .register(let register) in [a, b] { stored.insert(register) }
        case .store(_, .register(let register), _, _): stored.insert(register)
        default: break
        }
      }
    }
    for (loaded, masked) in masks
    where uses[loaded] == 1 && uses[masked] == 1 && stored.contains(masked) {
      partial.insert(loaded)
    }
  }

  /// Marks of lifetimes say nothing that matters here.
  private func isLifetimeMark(_ operation: IRInstruction.Operation) -> Bool {
    guard case .call(.symbol(let symbol), _, _) = operation else { return false }
    return linker.module.symbols[symbol].hasPrefix("llvm.lifetime.")
  }

  /// Calls `body` with each register that is used: with the size, if it is the address of a whole
  /// plain load or store, and with -1 if not.
  private static func eachAddressUse(
    _ operation: IRInstruction.Operation, _ body: (Int, Int) -> Void
  ) {
    func use(_ value: IRValue, _ size: Int = -1) {
      if case .register(let register) = value { body(register, size) }
    }
    func whole(_ type: IRType, _ access: IRAccess) -> Int {
      type.isFirstClassScalar && access.ordering == .none && !access.isVolatile ? type.size : -1
    }
    switch operation {
    case .allocate(_, let count): use(count)
    case .load(let type, let pointer, let access): use(pointer, whole(type, access))
    case .store(let type, let value, let pointer, let access):
      use(value)
      use(pointer, whole(type, access))
    case .compareExchange(_, let pointer, let expected, let desired, _, _):
      [pointer, expected, desired].forEach { use($0) }
    case .update(_, _, let pointer, let value, _):
      use(pointer)
      use(value)
    case .element(let base, _, let indices):
      use(base)
      for index in indices { use(index.index) }
    case .binary(_, _, let a, let b, _), .compare(_, _, let a, let b),
      .compareFloats(_, _, let a, let b), .insert(_, let a, let b, _, _):
      use(a)
      use(b)
    case .negate(_, let value), .cast(_, _, let value, _), .branchIf(let value, _, _),
      .choose(_, let value, _, _), .extract(_, let value, _, _), .copy(_, let value):
      use(value)
    case .select(_, let a, let b, let c): [a, b, c].forEach { use($0) }
    case .phi(_, let sources): for source in sources { use(source.value) }
    case .return(_, let value): if let value { use(value) }
    case .call(let callee, let arguments, _):
      if case .value(let value) = callee { use(value) }
      for argument in arguments { use(argument.value) }
    case .fence, .branch, .unreachable, .unsupported: break
    }
  }

  // MARK: Operands

  func slot(_ register: Int) -> Int { slots[register] }

  /// One slot of a value.
  func operand(_ value: IRValue, _ index: Int = 0) -> Operand {
    switch value {
    case .register(let register): return .slot(slots[register] + index)
    case .constant(.aggregate(let elements)):
      let flat = elements.flatMap { Self.flat($0) }
      return index < flat.count ? .constant(image.value(of: flat[index], linker)) : .constant(0)
    case .constant(.address(let symbol, let offset)):
      let address = image.address(of: symbol, linker) &+ UInt64(bitPattern: Int64(offset))
      guard image.isThreadLocal(symbol, linker) else { return .constant(address) }
      let own = newSlot()
      emit(.builtin(.threadLocal, [.constant(address)], to: own, bits: 64))
      return .slot(own)
    case .constant(let constant):
      return .constant(index == 0 ? image.value(of: constant, linker) : 0)
    }
  }

  private static func flat(_ constant: IRConstant) -> [IRConstant] {
    if case .aggregate(let elements) = constant { return elements.flatMap(flat) }
    return [constant]
  }

  func newSlot() -> Int {
    function.slotCount += 1
    return function.slotCount - 1
  }

  func emit(_ instruction: Instruction) {
    for instruction in weakened(instruction) {
      block.instructions.append(instruction)
      block.places.append(place)
    }
  }

  func moves(_ value: IRValue, _ count: Int, to slot: Int) -> [Move] {
    (0..<count).map { Move(from: operand(value, $0), to: Int32(slot + $0)) }
  }

  /// The promoted local at an address, if it is one.
  func local(_ pointer: IRValue) -> Int? {
    if case .register(let register) = pointer { promoted[register] } else { nil }
  }
}
