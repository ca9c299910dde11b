// A random program as a model.

import GracewalkInvariants
import GracewalkMachine

extension TwinProgram {
  /// What the code of a thread uses.
  private struct Places: Sendable {
    let words: [Location]
    let results: [Location]
    let lock: SpinLock
  }

  /// A scenario whose executions note their outcomes: words, what threads have read last, and a bit
  /// for each thread that cannot go on.
  func scenario(_ outcomes: Outcomes) -> Scenario {
    let scenario = Scenario()
    let places = Places(
      words: (0..<Self.wordCount).map { scenario.word("word \($0)") },
      results: threads.indices.map { scenario.word("result \($0)") },
      lock: scenario.spinLock("lock"))
    for (index, body) in threads.enumerated() {
      let code = Code(body: body, result: index, places: places)
      scenario.cpu("thread \(index)", runs: "run") { cpu in try code.run(cpu) }
    }
    scenario.require(OperationsDoNotThrow())
    scenario.require(
      OutcomesNoted(outcomes) { machine in
        let stuck = machine.stuckCPUs.reduce(0 as UInt64) { $0 | 1 << UInt64($1) }
        return (places.words + places.results).map { machine.value(of: $0) } + [stuck]
      })
    return scenario
  }

  private struct Code: Sendable {
    let body: [Statement]
    let result: Int
    let places: Places

    func run(_ cpu: VirtualCPU) throws {
      var register: UInt64 = 0
      try run(body, cpu, &register)
      try cpu.store(places.results[result], register, .sequentiallyConsistent)
    }

    private func run(_ body: [Statement], _ cpu: VirtualCPU, _ register: inout UInt64) throws {
      for statement in body { try run(statement, cpu, &register) }
    }

    private func run(
      _ statement: Statement, _ cpu: VirtualCPU, _ register: inout UInt64
    ) throws {
      let old = register
      func value(_ value: Value) -> UInt64 {
        switch value {
        case .number(let number): number
        case .register: old
        }
      }
      switch statement {
      case .load(let word): register = try cpu.load(places.words[word], .sequentiallyConsistent)
      case .store(let word, let new):
        try cpu.store(places.words[word], value(new), .sequentiallyConsistent)
      case .add(let word, let number):
        register = try cpu.fetchAdd(places.words[word], Int64(number), .sequentiallyConsistent)
      case .exchange(let word, let new):
        register = try cpu.exchange(places.words[word], value(new), .sequentiallyConsistent)
      case .compareExchange(let word, let expected, let desired):
        register = try cpu.compareExchange(
          places.words[word], expected: value(expected), desired: desired, .sequentiallyConsistent
        ).original
      case .guarded(let body):
        try cpu.lock(places.lock)
        try run(body, cpu, &register)
        try cpu.unlock(places.lock)
      case .tried(let body):
        guard try cpu.tryLock(places.lock) else { return }
        try run(body, cpu, &register)
        try cpu.unlock(places.lock)
      case .branch(let number, let body, let otherwise):
        try run(register == number ? body : otherwise, cpu, &register)
      case .wait(let word, let number):
        _ = try cpu.wait(until: places.words[word], .differs(from: number))
      case .require(let number): try cpu.assert(register != number, "the register differs")
      }
    }
  }
}
