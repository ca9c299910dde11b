// What executions of a random program can end with.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// The outcomes of the executions that a search has seen.
public final class Outcomes: Sendable {
  private let seen = Locked(Set<[UInt64]>())

  public init() {}

  func note(_ outcome: [UInt64]) { seen.withLock { _ = $0.insert(outcome) } }

  /// In order.
  var all: [[UInt64]] { seen.withLock { $0.sorted { $0.lexicographicallyPrecedes($1) } } }
}

/// Never fails, and notes the outcome of each execution that has one.
struct OutcomesNoted: QuiescenceInvariant {
  let outcomes: Outcomes
  let outcome: @Sendable (Machine) -> [UInt64]?

  init(_ outcomes: Outcomes, _ outcome: @escaping @Sendable (Machine) -> [UInt64]?) {
    self.outcomes = outcomes
    self.outcome = outcome
  }

  /// The value of a word, and which CPUs are stuck, or how many if CPUs are identical.
  ///
  /// A search that matches states on what is still read does not visit every final state, but sees
  /// every value of a word that a judgement reads.
  init(_ outcomes: Outcomes, word: Location, namesCPUs: Bool) {
    self.init(outcomes) { machine in
      let stuck = machine.stuckCPUs.map { UInt64($0) }
      return [machine.value(of: word)] + (namesCPUs ? stuck : [UInt64(stuck.count)])
    }
  }

  var id: String { "outcomes-noted" }
  var statement: String { "Executions may end in any way." }
  var rationale: String { "Only what they end with is of interest." }
  var source: String { "" }
  var applicability: Applicability { .chosen("the fuzzer asks for it") }
  var treatsCPUsAlike: Bool { true }
  var judgesDeadlocks: Bool { true }

  func judgeEnd(of machine: Machine) -> Violation? {
    if let outcome = outcome(machine) { outcomes.note(outcome) }
    return nil
  }
}
