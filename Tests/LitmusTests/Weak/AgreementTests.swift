// The two machines that implement x86-TSO agree, by all searches of the one with footprints.

import GracewalkChecking
import GracewalkLitmus
import GracewalkMachine
import GracewalkSupport
import Testing

@Suite struct AgreementTests {
  @Test func shapesComeToTheSame() throws {
    for text in Shape.all.map(\.text) + WeakShape.all.map(\.text) where !text.contains("srcu") {
      try compare(text)
    }
  }

  @Test func randomProgramsComeToTheSame() throws {
    var random = SplitMix64(seed: 16)
    for _ in 0..<150 { try compare(RandomProgram(&random, hasExclusives: false).text) }
  }

  private func compare(_ text: String) throws {
    let test = try LitmusTest(reading: text)
    var options = LitmusOptions()
    options.memoryModel = .totalStoreOrder
    let expected = test.checkWeakly(options)
    #expect(expected.isComplete)
    if expected.states.isEmpty { return }
    for strategy in [Strategy.exhaustive, .stateful, .source] {
      options.strategy = strategy
      let report = test.checkOnMachine(options)
      #expect(report.isComplete)
      #expect(report.states == expected.states, "\(strategy)\n\(text)")
    }
  }
}
