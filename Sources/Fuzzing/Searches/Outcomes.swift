// What executions of a random program can end with, as far as one of its words tells.

import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport

/// The outcomes of the executions that a search has seen: the value of a word, and which CPUs are
/// stuck, or how many if CPUs are identical.
///
/// A search that matches states on what is still read does not visit every final state, but sees
/// every value of a word that a judgement reads.
public final class Outcomes: Sendable {
  private let seen = Locked(Set<[UInt64]>())

  public init() {}

  func note(_ outcome: [UInt64]) { seen.withLock { _ = $0.insert(outcome) } }

  /// In order.
  var all: [[UInt64]] { seen.withLock { $0.sorted { $0.lexicographicallyPrecedes($1) } } }
}

/// Never fails, and notes how each execution ends.
struct OutcomesNoted: QuiescenceInvariant {
  let word: Location
  let namesCPUs: Bool
  let outcomes: Outcomes

  var id: String { "outcomes-noted" }
  var statement: String { "Executions may end in any way." }
  var rationale: String { "Only what they end with is of interest." }
  var source: String { "" }
  var applicability: Applicability { .chosen("the fuzzer asks for it") }
  var treatsCPUsAlike: Bool { true }
  var judgesDeadlocks: Bool { true }

  func judgeEnd(of machine: Machine) -> Violation? {
    let stuck = machine.stuckCPUs.map { UInt64($0) }
    outcomes.note([machine.value(of: word)] + (namesCPUs ? stuck : [UInt64(stuck.count)]))
    return nil
  }
}
