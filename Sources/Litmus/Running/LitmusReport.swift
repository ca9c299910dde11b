// What is found out about a litmus test, in the words of litmus tests.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine

/// The answer to a test's question.
package struct LitmusReport: Sendable {
  /// A final state.
  package struct State: Equatable, Sendable {
    package var values: [UInt64]
    /// Whether the test's proposition holds there.
    package var isWitness: Bool
  }

  /// Whether the proposition holds in final states.
  package enum Observation: String, Sendable {
    case never = "Never"
    case sometimes = "Sometimes"
    case always = "Always"
  }

  /// Whether the test gets what it asks for.
  package enum Answer: String, Sendable {
    case validated = "Ok"
    case refuted = "No"
    /// Not all was explored, and what was decides nothing.
    case open = "Undecided"
  }

  package let test: LitmusTest
  package let strategy: Strategy
  package let memoryModel: MemoryModel
  /// Final states that pass the filter, in order.
  package private(set) var states: [State] = []
  /// What the test does that it must not, such as leaving a section that is not open.
  package var flags: [String] = []
  /// Why not all was explored; nil if it was.
  package var reason: String?
  package var statistics = Statistics()

  init(_ test: LitmusTest, _ strategy: Strategy, _ memoryModel: MemoryModel) {
    self.test = test
    self.strategy = strategy
    self.memoryModel = memoryModel
  }

  mutating func add(finals: [[UInt64]]) {
    states = finals.filter { test.condition.filter.holds($0) }.map { values in
      State(values: values, isWitness: test.condition.proposition.holds(values))
    }
  }

  package var isComplete: Bool { reason == nil }
  package var witnesses: Int { states.count(where: \.isWitness) }
  package var others: Int { states.count - witnesses }

  package var observation: Observation {
    witnesses == 0 ? .never : others == 0 ? .always : .sometimes
  }

  package var answer: Answer {
    switch test.condition.quantifier {
    case .exists: witnesses > 0 ? .validated : isComplete ? .refuted : .open
    case .notExists: witnesses > 0 ? .refuted : isComplete ? .validated : .open
    case .forall: others > 0 ? .refuted : isComplete ? .validated : .open
    }
  }

  /// A state as herd shows it: `0:r1=1; [x]=2;`.
  package func text(of state: State) -> String {
    zip(test.condition.observables, state.values).map { observable, value in
      if case .fault = observable { return "\(value == 0 ? "~" : "")\(observable.text);" }
      return "\(observable.text)=\(test.text(of: value));"
    }.joined(separator: " ")
  }
}
