// The results of operations, and their names without addresses.

import Gracewalk
import GracewalkChecking
import GracewalkMachine
import Testing

@Suite struct OperationTests {
  private static func model(
    _ operations: @escaping @Sendable (Location) -> [CPUOperation]
  ) -> Model {
    Model(name: "words", summary: "", scenario: "", expectation: .holds) { _ in
      let scenario = Scenario()
      let word = scenario.word("w", initial: 7)
      scenario.cpu("a", operations(word))
      scenario.cpu("b", CPUOperation("write") { cpu in try cpu.store(word, 8, .release) })
      return scenario
    }
  }

  /// A body that is one expression returns its value, as every other function in Swift does.
  @Test func oneExpressionIsTheResult() throws {
    let model = Self.model { word in
      [
        CPUOperation("read") { cpu in try cpu.load(word, .acquire) },
        CPUOperation("read and forget") { cpu in _ = try cpu.load(word, .acquire) },
        CPUOperation("add") { cpu in
          let old = try cpu.load(word, .acquire)
          try cpu.store(word, old + 1, .release)
        },
      ]
    }
    let outcomes = try model.check().coverage.operations.map { $0.outcomes.map(\.text) }
    #expect(outcomes == [["7", "8"], [nil], [nil], [nil]])
  }

  @Test func namesWithoutAddressesStayReadable() throws {
    let names = [
      "map 0x2", "move 0x0 to 0x1", "look up 0x0", "map 0x0 read only", "walk to 0x1 2", "0x1",
      "copy-on-write 3",
    ]
    let model = Self.model { word in
      names.map { CPUOperation($0) { cpu in try cpu.store(word, 1, .release) } }
    }
    var options = CheckOptions()
    options.takesCensus = true
    let steps = try model.check(options).synchronisingSteps
    #expect(
      Set(steps.map(\.operation)) == [
        "map", "move", "look up", "map 0x0 read only", "walk to", "0x1", "copy on write", "write",
      ])
  }
}
