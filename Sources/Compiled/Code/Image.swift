// A program: its modules linked, with addresses for everything that has one.

import GracewalkLLVM

/// A global as it is in memory.
struct GlobalImage {
  var name: String
  var bytes: [UInt8]
  var isConstant: Bool
  var isThreadLocal: Bool
  /// The size of its elements, if it is an array, for names in traces.
  var stride: Int
}

/// A linked program.
package final class Image {
  var functions: [Function] = []
  var globals: [GlobalImage] = []
  package internal(set) var places: [IRPlace] = []
  /// Whether any thread may be cut short by an assumption.
  var assumes = false
  private(set) var functionNumbers: [String: Int] = [:]
  private var globalNumbers: [String: Int] = [:]
  /// Names of what the program uses and nobody defines.
  private(set) var missing: [String] = []
  /// Whether anything waits for grace periods: if not, read-side sections of RCU mean nothing.
  var waitsForGrace = false
  /// The thread-local variable that keeps each thread's part of RCU.
  private(set) var graceGlobal = 0
  /// The function that a thread runs at its end, if there is anything to do.
  private(set) var threadEnd: Int?
  /// The functions that `exit` and `quick_exit` run, if there is anything to do.
  private(set) var exitRuns: [Int?] = [nil, nil]
  private var owners: [(IRFunction, Linker)] = []
  private var runtime: (code: Runtime.Code, linker: Linker)?
  let link: LinkOptions
  /// Whether there is memory of hardware.
  private(set) lazy var hasHardware = globals.contains { $0.isHardware }
  /// Whether a lock or a section may be what is left out, so that its end is no mistake.
  var leavesOutSteps: Bool { link.without?.change == .omitted }
  /// Functions with a stub that are called.
  var stubbed: Set<String> = []
  /// Steps that can be left out or weakened, in the order of the code.
  package var steps = CodeSteps()
  /// What it says to the checker.
  package var statements = Statements()

  /// The bytes of all globals; more than fit a machine are no program to be checked.
  private var byteCount = 0
  private static let bytesMax = 1 << 26

  /// Links modules.
  package init(
    _ modules: [IRModule], _ link: LinkOptions = LinkOptions()
  ) throws(IRError) {
    self.link = link
    var pending: [(Int, IRGlobal, Linker)] = []
    for (index, module) in modules.enumerated() {
      let linker = Linker(module, number: index, firstPlace: places.count)
      places += module.places.map { place in
        var place = place
        if place.caller >= 0 { place.caller += places.count }
        return place
      }
      for function in module.functions {
        let name = linker.key(function.name, isLocal: function.isLocal)
        if let known = functionNumbers[name] {
          if function.isWeak { continue }
          let line = linker.line(of: function)
          try refuse(function.name, line, linker, unless: owners[known].0.isWeak, modules)
          owners[known] = (function, linker)
          continue
        }
        functionNumbers[name] = owners.count
        owners.append((function, linker))
      }
      for global in module.globals where global.initial != nil {
        let name = linker.key(global.name, isLocal: global.isLocal)
        if let known = globalNumbers[name] {
          if global.isWeak { continue }
          try refuse(global.name, 1, linker, unless: pending[known].1.isWeak, modules)
          pending[known] = (known, global, linker)
          continue
        }
        globalNumbers[name] = pending.count
        pending.append((pending.count, global, linker))
      }
    }
    for (number, (function, _)) in owners.enumerated() {
      functions.append(Function(function.name, number: number))
      if function.isVariadic {
        functions[number].fixedCount = function.parameterTypes.reduce(0) { $0 + $1.slotCount }
      }
    }
    try readRuntime(number: modules.count)
    for (_, global, linker) in pending {
      byteCount += global.type.size
      guard byteCount <= Self.bytesMax else {
        throw IRError(
          file: linker.module.file, line: 1, "the globals have more than \(Self.bytesMax) bytes")
      }
      globals.append(try GlobalImage(global, linker, self))
    }
    try lowerAll()
    for name in link.stubs.keys.sorted() where !stubbed.contains(name) {
      throw IRError(
        file: modules.first?.file ?? "", line: 1, "nothing calls \(name), which --stub names")
    }
    if let step = link.without, !steps.all.contains(step) {
      throw IRError(file: modules.first?.file ?? "", line: 1, "there is no step '\(step.text)'")
    }
    graceGlobal = globals.count
    globals.append(GlobalImage(name: "RCU", size: ProgramMachine.GraceWord.size))
  }

  /// Lowers all functions, and those of the runtime that they turn out to call.
  private func lowerAll() throws(IRError) {
    var next = 0
    while next < owners.count {
      let (function, linker) = owners[next]
      try Lowering(function, functions[next], linker, self).run()
      next += 1
      if next == owners.count, globalNumbers[Runtime.values] != nil, threadEnd == nil {
        threadEnd = self.function(named: Runtime.threadEnd)?.number
      }
      for kind in exitRuns.indices
      where next == owners.count && globalNumbers[Runtime.exits[kind]] != nil {
        exitRuns[kind] = exitRuns[kind] ?? self.function(named: Runtime.exitRuns[kind])?.number
      }
    }
  }

  /// Two modules must not define the same name, unless one definition gives way.
  private func refuse(
    _ name: String, _ line: Int, _ linker: Linker, unless givesWay: Bool, _ modules: [IRModule]
  ) throws(IRError) {
    if givesWay { return }
    let first = modules[..<linker.number].first { module in
      module.functions.contains { $0.name == name } || module.globals.contains { $0.name == name }
    }
    throw IRError(
      file: linker.module.file, line: line,
      "\(name) is defined here and in \(first?.file ?? "another file")")
  }

  // MARK: Runtime

  private func readRuntime(number: Int) throws(IRError) {
    let code = try Runtime.code.get()
    runtime = (code, Linker(code.module, number: number, firstPlace: places.count))
  }

  /// Adds a function of the runtime to the program.
  private func runtimeFunction(_ name: String) -> Int? {
    guard let runtime, let function = runtime.code.functions[name] else { return nil }
    functionNumbers[name] = owners.count
    owners.append((function, runtime.linker))
    functions.append(Function(name, number: functions.count))
    return functions.count - 1
  }

  private func runtimeGlobal(_ name: String) -> Int? {
    guard let runtime, let global = runtime.code.globals[name],
      let image = try? GlobalImage(global, runtime.linker, self)
    else { return nil }
    globalNumbers[name] = globals.count
    globals.append(image)
    return globals.count - 1
  }

  /// The address of the area for atomic accesses of 16 bytes.
  func wideArea() -> UInt64 {
    Region.address(ofGlobal: globalNumbers[Runtime.wide] ?? runtimeGlobal(Runtime.wide) ?? 0)
  }

  /// The function with a name, if the program defines it.
  func function(named name: String) -> Function? {
    (functionNumbers[name] ?? runtimeFunction(name)).map { functions[$0] }
  }

  func noteMissing(_ name: String) { if !missing.contains(name) { missing.append(name) } }

  // MARK: Addresses

  /// Functions have addresses above all objects.
  private static let functionBase: UInt64 = 1 << 45

  static func address(ofFunction number: Int) -> UInt64 { functionBase + UInt64(number) * 16 }

  func function(at address: UInt64) -> Function? {
    guard address >= Self.functionBase, (address - Self.functionBase) % 16 == 0 else { return nil }
    let number = (address - Self.functionBase) / 16
    return number < functions.count ? functions[Int(number)] : nil
  }

  /// Functions that are only declared have addresses, too, that cannot be called.
  private static let missingBase: UInt64 = 1 << 46

  func address(of symbol: Int, _ linker: Linker) -> UInt64 {
    let name = linker.module.symbols[symbol]
    if let target = linker.aliases[name] { return value(of: target, linker) }
    for key in [linker.key(name, isLocal: true), name] {
      if let number = functionNumbers[key] { return Self.address(ofFunction: number) }
      if let number = globalNumbers[key] { return Region.address(ofGlobal: number) }
    }
    if let number = runtimeFunction(name) { return Self.address(ofFunction: number) }
    if let number = runtimeGlobal(name) { return Region.address(ofGlobal: number) }
    noteMissing(name)
    return Self.missingBase + UInt64(missing.firstIndex(of: name) ?? 0) * 16
  }

  func isThreadLocal(_ symbol: Int, _ linker: Linker) -> Bool {
    let name = linker.module.symbols[symbol]
    for key in [linker.key(name, isLocal: true), name] {
      if let number = globalNumbers[key] {
        return globals.indices.contains(number) && globals[number].isThreadLocal
      }
    }
    return false
  }

  /// The bits of a constant with at most 64.
  func value(of constant: IRConstant, _ linker: Linker) -> UInt64 {
    switch constant {
    case .integer(let bits): return bits
    case .zero, .undefined, .bytes: return 0
    case .address(let symbol, let offset):
      return address(of: symbol, linker) &+ UInt64(bitPattern: Int64(offset))
    case .aggregate(let elements): return elements.first.map { value(of: $0, linker) } ?? 0
    case .truncated(let bits, let inner): return value(of: inner, linker) & mask(bits)
    case .binary(let operation, let bits, let a, let b):
      return Arithmetic.result(operation, bits: bits, value(of: a, linker), value(of: b, linker))
        ?? 0
    }
  }
}

/// Names of a module's symbols while it is linked.
final class Linker {
  let module: IRModule
  let number: Int
  let firstPlace: Int
  private var locals: Set<String> = []
  private(set) var aliases: [String: IRConstant] = [:]

  init(_ module: IRModule, number: Int, firstPlace: Int) {
    self.module = module
    self.number = number
    self.firstPlace = firstPlace
    for function in module.functions where function.isLocal { locals.insert(function.name) }
    for global in module.globals where global.isLocal { locals.insert(global.name) }
    for alias in module.aliases { aliases[alias.name] = alias.value }
  }

  /// The line of the source that a function is at, or that of the file of IR.
  func line(of function: IRFunction) -> Int {
    let places = function.blocks.first?.instructions.map(\.place).filter { $0 >= 0 } ?? []
    return places.first.map { module.places[$0].line } ?? function.line
  }

  /// What a name is known by: names that other modules cannot see have the module's number.
  func key(_ name: String, isLocal: Bool) -> String { isLocal ? "\(name)\u{0}\(number)" : name }
}

func mask(_ bits: Int) -> UInt64 { bits >= 64 ? ~0 : (1 << UInt64(bits)) - 1 }

func signExtended(_ value: UInt64, _ bits: Int) -> Int64 {
  guard bits < 64 else { return Int64(bitPattern: value) }
  let shift = UInt64(64 - bits)
  return Int64(bitPattern: value << shift) >> Int64(shift)
}

extension GlobalImage {
  /// A thread-local variable of zeros that no program sees.
  init(name: String, size: Int) {
    self.init(
      name: name, bytes: Array(repeating: 0, count: size), isConstant: false, isThreadLocal: true,
      stride: 0)
  }

  init(_ global: IRGlobal, _ linker: Linker, _ image: Image) throws(IRError) {
    name = global.name
    isConstant = global.isConstant
    isThreadLocal = global.isThreadLocal
    stride = global.type.kind == .array ? global.type.elements[0].size : 0
    bytes = Array(repeating: 0, count: global.type.size)
    if let initial = global.initial { fill(initial, global.type, at: 0, linker, image) }
  }

  private mutating func fill(
    _ constant: IRConstant, _ type: IRType, at offset: Int, _ linker: Linker, _ image: Image
  ) {
    switch constant {
    case .zero, .undefined: return
    case .bytes(let text):
      for (index, byte) in text.enumerated() where offset + index < bytes.count {
        bytes[offset + index] = byte
      }
    case .aggregate(let elements) where type.isAggregate:
      for (index, element) in elements.enumerated() {
        let isField = type.kind == .structure
        guard index < (isField ? type.elements.count : type.count) else { return }
        let part = isField ? type.elements[index] : type.elements[0]
        let start = isField ? type.offsets[index] : index * part.size
        fill(element, part, at: offset + start, linker, image)
      }
    case .aggregate(let halves):
      for (index, half) in halves.enumerated() {
        put(image.value(of: half, linker), 8, at: offset + index * 8)
      }
    default: put(image.value(of: constant, linker), type.size, at: offset)
    }
  }

  private mutating func put(_ value: UInt64, _ size: Int, at offset: Int) {
    for index in 0..<min(size, 8) where offset + index < bytes.count {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }
}
