// Invariants as seen from the machine: three kinds, and violations.

import GracewalkSupport

/// The kind of an invariant, which decides how much reduction is sound.
///
/// Partial-order reduction preserves the events of every class of executions, but not every
/// intermediate state. So only a `state` invariant needs every state to be visited, unless it says
/// what it looks at (`StateScope`).
public enum InvariantKind: String, Sendable {
  /// Judged when an event happens; events are ordered with all steps they depend on.
  case event
  /// Judged when no CPU can continue.
  case quiescence
  /// Judged in every state.
  case state
}

/// A failed invariant, in words.
public struct Violation: Equatable, Codable, Sendable {
  /// The violation in one sentence, with the objects named.
  public var message: String
  /// Further facts, a line each.
  public var details: [String]

  public init(_ message: String, details: [String] = []) {
    self.message = message.printable
    self.details = details.map(\.printable)
  }
}

/// A rule that must hold.
public protocol Invariant: Sendable {
  /// Short and stable, in lower case with hyphens.
  var id: String { get }
  /// The rule, in one sentence.
  var statement: String { get }
  /// Why the rule matters.
  var rationale: String { get }
  /// The mail, kernel file or manual section it comes from.
  var source: String { get }
  var kind: InvariantKind { get }
  /// The scenarios it applies to; a test checks that every correct model requires it there.
  var applicability: Applicability { get }
  /// True if its judgement does not change when identical CPUs, and everything that names them, are
  /// exchanged.
  ///
  /// If false, the search does not merge such states.
  var treatsCPUsAlike: Bool { get }
}

extension Invariant {
  public var treatsCPUsAlike: Bool { false }
}

/// An invariant judged when an event happens.
public protocol EventInvariant: Invariant {
  /// The events it judges; the machine reports only these.
  var watches: EventKinds { get }
  func judge(_ event: Event, in machine: Machine) -> Violation?
}

/// An invariant judged when no CPU can continue.
public protocol QuiescenceInvariant: Invariant {
  /// True if it also judges states in which unfinished CPUs are stuck.
  var judgesDeadlocks: Bool { get }
  func judgeEnd(of machine: Machine) -> Violation?
}

/// An invariant judged in every state.
public protocol StateInvariant: Invariant {
  /// What `judgeState` depends on; anything but `everything` lets the search reduce.
  var scope: StateScope { get }
  func judgeState(of machine: Machine) -> Violation?
}

/// An invariant about executions that loop forever.
///
/// Only a search that looks for them calls it, and only scenarios whose CPUs may repeat have such
/// executions.
public protocol RepetitionInvariant: Invariant {
  /// Judges an execution that loops forever and is weakly fair.
  ///
  /// - Parameters:
  ///   - round: the steps of one cycle.
  ///   - machine: the machine, in the state in which the round begins and ends.
  func judgeRound(_ round: [RecordedStep], of machine: Machine) -> Violation?
}

/// An invariant that needs the machine to keep additional state.
public protocol MachineRequirements: Invariant {
  var requirements: Machine.Requirements { get }
}

extension EventInvariant {
  public var kind: InvariantKind { .event }
}

extension QuiescenceInvariant {
  public var judgesDeadlocks: Bool { false }
  public var kind: InvariantKind { .quiescence }
}

extension StateInvariant {
  public var scope: StateScope { .everything }
  public var kind: InvariantKind { .state }
}

extension Scenario {
  /// The invariants of a kind, with their numbers.
  func numberedInvariants<Kind>() -> [(number: Int, invariant: Kind)] {
    invariants.enumerated().compactMap { number, invariant in
      (invariant as? Kind).map { (number, $0) }
    }
  }
}
