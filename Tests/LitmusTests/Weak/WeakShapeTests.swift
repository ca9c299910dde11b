// What each memory model makes of well-known shapes.

import GracewalkChecking
import GracewalkExploration
import GracewalkLitmus
import GracewalkMachine
import Testing

@Suite struct WeakShapeTests {
  @Test(arguments: WeakShape.all.map(\.name))
  func shapesAreAllowedWhereTheyMustBe(name: String) throws {
    let shape = try #require(WeakShape.all.first { $0.name == name })
    for model in MemoryModel.allCases {
      let isAllowed = try shape.observation(under: model) != .never
      #expect(isAllowed == shape.allowed.contains(model), "under \(model.text)")
    }
  }

  /// Each model allows what the stronger one does, on the shapes of both small sets.
  @Test func finalStatesGrow() throws {
    var growth = 0
    for text in Shape.all.map(\.text) + WeakShape.all.map(\.text) {
      let test = try LitmusTest(reading: text)
      var options = LitmusOptions()
      let strong = Set(test.check(options).states.map(\.values))
      for model in [MemoryModel.sequentialConsistency, .totalStoreOrder, .armv8] {
        options.memoryModel = model
        let report = test.checkWeakly(options)
        #expect(report.isComplete)
        let weak = Set(report.states.map(\.values))
        #expect(strong.isSubset(of: weak), "\(test.name)")
        // The two machines agree where they both can be asked.
        if model == .sequentialConsistency { #expect(strong == weak, "\(test.name)") }
        if strong != weak { growth += 1 }
      }
    }
    #expect(growth > 10)
  }

  /// To compare states in full changes nothing.
  @Test func exactStatesAgree() throws {
    for shape in WeakShape.all {
      let test = try LitmusTest(reading: shape.text)
      for model in [MemoryModel.totalStoreOrder, .armv8] {
        var options = LitmusOptions()
        options.memoryModel = model
        let hashed = test.check(options)
        options.isExact = true
        let exact = test.check(options)
        #expect(hashed.states == exact.states)
        #expect(hashed.statistics.states == exact.statistics.states)
      }
    }
  }

  /// To take and release locks at the earliest moment loses no final state, and saves states.
  @Test func hasteWithLocksLosesNothing() throws {
    for name in ["MP+locks", "SB+unlocks"] {
      let shape = try #require(WeakShape.all.first { $0.name == name })
      let test = try LitmusTest(reading: shape.text)
      var options = LitmusOptions()
      options.memoryModel = .armv8
      let hasty = test.check(options)
      options.shortcuts.remove(.hastenedLocks)
      let patient = test.check(options)
      #expect(hasty.states == patient.states)
      #expect(hasty.statistics.states < patient.statistics.states)
    }
  }

  /// Reports name what the model leaves out.
  @Test func theLimitIsNamed() throws {
    var options = LitmusOptions()
    options.memoryModel = .armv8
    let shape = try #require(WeakShape.all.first { $0.name == "LB" })
    let report = try LitmusTest(reading: shape.text).check(options)
    #expect(report.observation == .never)
    #expect(report.memoryModel.text.contains("without load buffering"))
  }
}
