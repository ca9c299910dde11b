// What must hold, as seen from the machine: three kinds of invariants, and what a failure says.

import GracewalkSupport

/// What an invariant looks at, which decides how much reduction is sound.
///
/// Partial-order reduction keeps what happens in every class of executions, not every state on
/// the way. So only a `state` invariant needs every state to be visited.
public enum InvariantKind: String, Sendable {
  /// Judged where an event happens; the events are ordered with all they depend on.
  case event
  /// Judged when no CPU can go on.
  case quiescence
  /// Judged in every state.
  case state
}

/// A failed invariant, in words.
public struct Violation: Equatable, Codable, Sendable {
  /// What went wrong, in one sentence with the parts named.
  public var message: String
  /// Further facts, a line each.
  public var details: [String]

  public init(_ message: String, details: [String] = []) {
    self.message = message.printable
    self.details = details.map(\.printable)
  }
}

/// Something that must hold.
public protocol Invariant: Sendable {
  /// Short and stable, in lower case with hyphens.
  var id: String { get }
  /// What must hold, one sentence.
  var statement: String { get }
  /// Why anybody should care.
  var rationale: String { get }
  /// The mail, kernel file or manual section it comes from.
  var source: String { get }
  var kind: InvariantKind { get }
  /// Which scenarios it is for: a test makes sure that every correct model requires it there.
  var applicability: Applicability { get }
  /// True if it judges as before when identical CPUs, and all that names them, are exchanged.
  ///
  /// An invariant that does not say so keeps a search from taking such states for one.
  var treatsCPUsAlike: Bool { get }
}

extension Invariant {
  public var treatsCPUsAlike: Bool { false }
}

/// An invariant judged where something happens.
public protocol EventInvariant: Invariant {
  /// What it wants to see; the machine reports nothing else.
  var watches: EventKinds { get }
  func judge(_ event: Event, in machine: Machine) -> Violation?
}

/// An invariant judged when no CPU can go on.
public protocol QuiescenceInvariant: Invariant {
  /// True if it also judges states in which unfinished CPUs are stuck.
  var judgesDeadlocks: Bool { get }
  func judgeEnd(of machine: Machine) -> Violation?
}

/// An invariant judged in every state.
public protocol StateInvariant: Invariant {
  func judgeState(of machine: Machine) -> Violation?
}

/// An invariant about executions that loop forever.
///
/// Only a search that looks for them asks it, and only scenarios whose CPUs may repeat have them.
public protocol RepetitionInvariant: Invariant {
  /// Judges an execution that loops forever and is weakly fair.
  ///
  /// - Parameters:
  ///   - round: the steps of one cycle.
  ///   - machine: stands where they begin and end.
  func judgeRound(_ round: [RecordedStep], of machine: Machine) -> Violation?
}

/// An invariant that needs the machine to watch more than it does by itself.
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
  public var kind: InvariantKind { .state }
}
