// Runs the instructions of a process on a virtual CPU; its local state is a value.

import GracewalkMachine
import GracewalkSupport

/// Code of a litmus test: equal local states are one, so that what is dead makes no difference.
final class ProcessCode: CPUCode {
  /// All that a process knows.
  struct Knowledge {
    var counter = 0
    /// How far an instruction has come that takes several actions.
    var phase = 0
    /// What those before have observed.
    var seen: [UInt64] = []
    /// Read-side sections that are open.
    var depth = 0
    /// Address and value of the last exclusive load.
    var monitor: (address: UInt64, value: UInt64)?
    /// It will never do anything again.
    var isStuck = false
    var registers: [UInt64]
  }

  let plan: ProcessPlan
  let cpu: MachineCPU
  let board: TestBoard
  var now: Knowledge
  private var request = Action(.finished)
  private var kept: [LocalStates.Index: Knowledge] = [:]

  init(_ cpu: MachineCPU, _ plan: ProcessPlan, _ board: TestBoard) {
    self.cpu = cpu
    self.plan = plan
    self.board = board
    now = Knowledge(registers: plan.process.initial)
  }

  /// What a register holds where the process stands.
  func value(ofRegister register: Int, at node: LocalStates.Index) -> UInt64 {
    kept[node]?.registers[register] ?? 0
  }

  var instruction: Instruction? {
    let instructions = plan.process.instructions
    return now.counter < instructions.count ? instructions[now.counter] : nil
  }

  // MARK: CPUCode

  var mergesStates: Bool { true }

  var state: LocalState {
    var local = HashedSequence()
    let count = plan.process.instructions.count
    let isOver = now.counter >= count
    let identities = cpu.identities
    local.extend(with: UInt64(min(now.counter, count)), identities)
    local.extend(with: UInt64(now.phase) << 1 | (now.isStuck ? 1 : 0), identities)
    local.extend(with: UInt64(now.depth), identities)
    for value in now.seen { local.extend(with: value, identities) }
    if let monitor = now.monitor, !isOver {
      local.extend(with: monitor.address, identities)
      local.extend(with: monitor.value, identities)
    }
    for register in plan.live[min(now.counter, count)] {
      local.extend(with: now.registers[register], identities)
    }
    return LocalState(
      request, hash: local.hash, identity: local.identity, operation: isOver ? 1 : 0)
  }

  var place: CodePlace {
    var place = CodePlace(operation: instruction == nil ? 1 : 0)
    if now.counter < plan.process.lines.count {
      place.site = SourceSite(file: plan.test.name, line: plan.process.lines[now.counter])
    }
    return place
  }

  func begin() {
    now = Knowledge(registers: plan.process.initial)
    run()
  }

  func advance(from node: LocalStates.Index, observing result: UInt64) {
    guard let known = kept[node] else { fatalError("[internal] never told of node \(node)") }
    now = known
    observe(result)
    run()
  }

  func didStop(at node: LocalStates.Index) { kept[node] = now }

  func abandon() {}

  // MARK: Between actions

  /// Instructions in a row that are no actions, before the process is taken to do nothing else.
  private static let localInstructionsMax = 10_000

  /// Goes on to the next action.
  private func run() {
    var count = 0
    while !now.isStuck, let instruction {
      if let action = action(for: instruction) {
        request = action
        return
      }
      count += 1
      if count > Self.localInstructionsMax { now.isStuck = true }
    }
    guard now.isStuck else {
      request = Action(.finished)
      return
    }
    request = Action(.access(.wait), plan.places.never)
    (request.mask, request.awaited) = (~0, 1)
  }

  func value(of operand: Operand) -> UInt64 {
    switch operand {
    case .register(let register): now.registers[register]
    case .constant(let value): value
    }
  }

  func set(_ register: Int?, to value: UInt64) {
    if let register { now.registers[register] = value }
  }

  /// Ends an instruction.
  func finish() {
    now.counter += 1
    now.phase = 0
    now.seen = []
  }

  /// Takes note of what a test must not do.
  func flag(_ text: String) { board.flag("\(plan.place(of: now.counter)) \(text)") }

  /// Ends the process where it cannot go on, and says why.
  func stop(_ text: String) {
    flag(text)
    now.isStuck = true
  }
}
