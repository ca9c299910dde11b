// The two machines that implement x86-TSO agree, by all searches of the one with footprints.

import GracewalkChecking
import GracewalkLitmus
import GracewalkMachine
import GracewalkSupport
import Testing

@Suite struct AgreementTests {
  private static let texts =
    Shape.all.map(\.text) + WeakShape.all.filter { !isPlainLoad($0) }.map(\.text)

  /// Of an update that leaves its word alone: in the machine for models it has its order still.
  private static func isPlainLoad(_ shape: WeakShape) -> Bool {
    shape.name.contains("failing-add-unless")
  }

  @Test func shapesComeToTheSame() throws {
    for text in Self.texts where !text.contains("srcu") { try compare(text) }
  }

  /// What the machine for models misses, as `Docs/MemoryModels.md` says.
  @Test func updatesThatChangeNothingAreOrderedInModels() throws {
    let shapes = WeakShape.all.filter(Self.isPlainLoad)
    for (shape, model) in zip(shapes, [MemoryModel.totalStoreOrder, .armv8]) {
      let (expected, found) = try states(of: shape.text, under: model)
      #expect(expected.subtracting(found) == [[0, 0]], "\(shape.name)")
      #expect(found.isSubset(of: expected))
    }
    #expect(shapes.count == 2)
  }

  @Test func randomProgramsComeToTheSame() throws {
    var random = SplitMix64(seed: 16)
    for _ in 0..<150 { try compare(RandomProgram(&random, hasExclusives: false).text) }
  }

  /// Tests in which dependencies through registers matter, of which the machine for models knows
  /// nothing: it finds more.
  private static let dependent = [
    "MP+wmb+address", "MP+assign-pointer+address", "LDR W4,[X3,W2,SXTW]",
  ]

  @Test func theyAgreeUnderArmv8() throws {
    var count = 0
    // There a try lock never finds an old state of the lock.
    for text in Self.texts where !text.contains("srcu") && !text.contains("trylock") {
      let (expected, found) = try states(of: text, under: .armv8)
      #expect(expected.isSubset(of: found), "\(text)")
      let isDependent = Self.dependent.contains { text.contains($0) }
      #expect(isDependent == (expected != found), "\(text)")
      count += 1
    }
    #expect(count > 50)
  }

  /// Random programs have dependencies, so the machine for models may find more, and never less.
  @Test func randomProgramsLoseNothingUnderArmv8() throws {
    var random = SplitMix64(seed: 17)
    var equal = 0
    for _ in 0..<150 {
      let text = RandomProgram(&random, hasExclusives: false).text
      let (expected, found) = try states(of: text, under: .armv8)
      #expect(expected.isSubset(of: found), "\(text)")
      if expected == found { equal += 1 }
    }
    #expect(equal == 149)
  }

  private func states(
    of text: String, under model: MemoryModel
  ) throws -> (Set<[UInt64]>, Set<[UInt64]>) {
    let test = try LitmusTest(reading: text)
    var options = LitmusOptions()
    options.memoryModel = model
    options.strategy = .exhaustive
    let reports = [test.checkWeakly(options), test.checkOnMachine(options)]
    for report in reports { #expect(report.isComplete, "\(report.reason ?? "")\n\(text)") }
    return (Set(reports[0].states.map(\.values)), Set(reports[1].states.map(\.values)))
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
