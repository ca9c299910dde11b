// A second kind of code, as small as can be: an interpreter whose local state is a value.

import GracewalkMachine
import GracewalkSupport

/// The instructions of an interpreter; registers have numbers from 0.
enum Instruction: Sendable {
  case load(Location, into: Int)
  case store(Location, from: Int)
  case compareExchange(Location, expected: UInt64, from: Int, into: Int)
  case choose(Int, into: Int)
  /// Allocates a table page, and keeps its number.
  case allocate(into: Int)
  /// Publishes the page in a register.
  case publish(Int)
  /// Writes a valid entry into the page in a register.
  case map(Int)
  /// Computes a value locally.
  case compute(@Sendable (inout Registers) -> Void)
  case jump(to: Int, if: @Sendable (Registers) -> Bool)
  /// Ends the operation; registers are forgotten.
  case finish(result: Int)
}

/// The registers of an interpreter.
struct Registers: Hashable {
  private var values: [UInt64] = [0, 0, 0, 0]

  subscript(_ number: Int) -> UInt64 {
    get { values[number] }
    set { values[number] = newValue }
  }

  var all: [UInt64] { values }
  var areClear: Bool { values.allSatisfy { $0 == 0 } }
}

/// Runs operations that are lists of instructions.
final class Interpreter: CPUCode {
  /// The complete state of the interpreter.
  private struct Knowledge {
    var results = HashedSequence()
    var operation = 0
    var counter = 0
    var registers = Registers()
  }

  private let cpu: MachineCPU
  private let operations: [[Instruction]]
  /// A register that affects behaviour but is left out of the hash: a deliberate mistake.
  private let forgotten: Int?
  private var now = Knowledge()
  private var request = Action(.finished)
  private var kept: [LocalStates.Index: Knowledge] = [:]

  init(_ cpu: MachineCPU, _ operations: [[Instruction]], forgetting forgotten: Int? = nil) {
    self.cpu = cpu
    self.operations = operations
    self.forgotten = forgotten
  }

  // MARK: CPUCode

  var mergesStates: Bool { true }

  /// Between operations the same as that of closures, so that final states can be compared.
  var state: LocalState {
    var local = HashedSequence()
    if now.counter != 0 || !now.registers.areClear {
      local.extend(with: UInt64(now.counter), cpu.identities)
      for (number, value) in now.registers.all.enumerated() where number != forgotten {
        local.extend(with: value, cpu.identities)
      }
    }
    let known = StableHash.extend(now.results.hash, with: UInt64(now.operation) << 8)
    var identity = Identities.empty
    if let identities = cpu.identities {
      identity = identities.number(of: now.results.identity, then: UInt64(now.operation) << 32)
      identity = identities.number(of: identity, then: UInt64(local.identity))
    }
    return LocalState(
      request, hash: StableHash.extend(known, with: local.hash), identity: identity,
      operation: now.operation)
  }

  var place: CodePlace { CodePlace(operation: now.operation) }

  func begin() {
    now = Knowledge()
    run()
  }

  func advance(from node: LocalStates.Index, observing result: UInt64) {
    guard let known = kept[node] else { fatalError("the code was never told of node \(node)") }
    now = known
    observe(result)
    run()
  }

  func didStop(at node: LocalStates.Index) { kept[node] = now }

  func abandon() {}

  // MARK: Instructions

  private var instruction: Instruction? {
    guard now.operation < operations.count else { return nil }
    return operations[now.operation][now.counter]
  }

  private func observe(_ result: UInt64) {
    switch instruction {
    case .load(_, let register), .compareExchange(_, _, _, let register), .choose(_, let register),
      .allocate(let register):
      now.registers[register] = result
    case .store, .publish, .map, .compute, .jump, .finish, nil: break
    }
    now.counter += 1
  }

  /// Continues to the next instruction that is an action.
  private func run() {
    while let instruction {
      switch instruction {
      case .compute(let change):
        change(&now.registers)
        now.counter += 1
      case .jump(let target, let isTaken):
        now.counter = isTaken(now.registers) ? target : now.counter + 1
      case .finish(let result):
        now.results.extend(with: now.registers[result], cpu.identities)
        cpu.note(now.registers[result], of: now.operation)
        now.operation += 1
        now.counter = 0
        now.registers = Registers()
      case .load, .store, .compareExchange, .choose, .allocate, .publish, .map:
        request = action(for: instruction)
        return
      }
    }
    request = Action(.finished)
  }

  private func action(for instruction: Instruction) -> Action {
    switch instruction {
    case .load(let location, _): return Action(.access(.load), location)
    case .store(let location, let register):
      var action = Action(.access(.store), location)
      action.a = now.registers[register]
      return action
    case .compareExchange(let location, let expected, let register, _):
      var action = Action(.access(.compareExchange), location)
      action.a = expected
      action.b = now.registers[register]
      return action
    case .choose(let count, _):
      var action = Action(.choose)
      action.a = UInt64(count)
      return action
    case .allocate:
      var action = Action(.page(.allocate))
      action.a = UInt64(now.operation + 1)
      return action
    case .publish(let register):
      return Action(.page(.publish), cpu.page(Int(now.registers[register])).references)
    case .map(let register):
      var action = Action(.access(.store), cpu.page(Int(now.registers[register]))[0])
      action.a = Descriptor.page(1).bits
      return action
    case .compute, .jump, .finish: fatalError("not an action")
    }
  }
}

extension Scenario {
  /// Adds a CPU whose operations are lists of instructions.
  func interpret(_ name: String, forgetting register: Int? = nil, _ operations: [Instruction]...) {
    cpu(name, operations: operations.indices.map { "operation \($0)" }) { cpu in
      Interpreter(cpu, operations, forgetting: register)
    }
  }
}
