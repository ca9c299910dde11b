// Random straight-line programs as litmus tests.

import GracewalkLitmus
import GracewalkMachine

extension OrderedProgram {
  /// The instructions that a compiler makes of the program on the processors of a memory model.
  package func litmus(_ model: MemoryModel) -> LitmusTest {
    var test = LitmusTest(name: "random", dialect: .aarch64)
    test.words = (0..<wordCount).map { SharedWord(name: "w\($0)") }
    var observables: [Observable] = []
    for (thread, steps) in threads.enumerated() {
      var process = Process(number: thread)
      process.registers = (0..<3 * steps.count).map { "%\($0)" }
      for (number, step) in steps.enumerated() {
        process.instructions += instructions(step, number, steps.count, model)
        guard case .access(let access) = step, access.isShown else { continue }
        observables.append(.register(process: thread, register: number, name: "r\(number)"))
      }
      process.lines = Array(repeating: 0, count: process.instructions.count)
      test.processes.append(process)
    }
    test.condition.observables =
      observables + (0..<wordCount).map { .word($0, name: test.words[$0].name) }
    return test
  }

  private func instructions(
    _ step: Step, _ number: Int, _ count: Int, _ model: MemoryModel
  ) -> [Instruction] {
    switch step {
    case .branch: return []
    case .fence(let order):
      if model != .armv8 { return order == .sequential ? [.fence(.full)] : [] }
      return [.fence(order.releases ? .full : .loads)]
    case .access(let access): return instructions(access, number, count, model)
    }
  }

  private func instructions(
    _ access: Access, _ number: Int, _ count: Int, _ model: MemoryModel
  ) -> [Instruction] {
    var list: [Instruction] = []
    func operand(_ given: Dependency?, _ value: UInt64, _ register: Int) -> Operand {
      guard let given else { return .constant(value) }
      let source = Operand.register(given.step)
      list.append(.compute(register, .xor, source, source))
      list.append(.compute(register, .add, .register(register), .constant(value)))
      return .register(register)
    }
    let address = operand(
      access.address, LitmusTest.address(ofWord: access.word), count + number)
    let value = operand(access.data, UInt64(access.value), 2 * count + number)
    let result = access.isUnused ? nil : number
    let order = access.order.litmus(access.kind)
    switch access.kind {
    case .load: list.append(.load(result, at: address, order, isExclusive: false))
    case .store where model == .totalStoreOrder && access.order == .sequential:
      list.append(.update(nil, .exchange, at: address, by: value, .full))
    case .store: list.append(.store(value, at: address, order))
    case .add: list.append(.update(result, .add, at: address, by: value, order))
    case .exchange: list.append(.update(result, .exchange, at: address, by: value, order))
    case .compareExchange:
      let expected = Modification.compareExchange(expected: .constant(UInt64(access.expected)))
      list.append(.update(result, expected, at: address, by: value, order))
    }
    return list
  }

  /// What a litmus test shows of the contents of the globals.
  package func observed(_ outcome: [UInt64]) -> [UInt64] {
    var values: [UInt64] = []
    for (thread, steps) in threads.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step, access.isShown else { continue }
        values.append(outcome[Self.wordMax + thread * Self.resultsMax + number])
      }
    }
    return values + outcome[..<wordCount]
  }
}

extension OrderedProgram.Order {
  fileprivate func litmus(_ kind: OrderedProgram.Kind) -> AccessOrder {
    switch (self, kind) {
    case (.relaxed, _): .relaxed
    case (.acquire, _), (.sequential, .load), (.both, .load): .acquire
    case (.release, _), (.sequential, .store), (.both, .store): .release
    case (.both, _), (.sequential, _): .acquireRelease
    }
  }
}
