// Which of a model's steps are needed, as far as that was found out.

import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// What becomes of a model without one of its steps.
public struct AblationReport: Codable, Sendable {
  /// What a step is there for.
  public enum Finding: Codable, Sendable {
    /// Without it these invariants fail, each when it is the only one required; the counterexample
    /// is of the most telling.
    case necessary(violated: [String], Trace)
    /// Nothing fails without it within the scope of the check; but these outcomes, which some
    /// execution of the whole model has, no execution has then.
    case redundant(neverHappens: [ExpectedOutcome])
    /// The code cannot be checked without it: it loops forever on its own, or breaks the rules for
    /// model code.
    case inseparable(String)
    /// A bound was met before the end.
    case undecided(String)
    /// The memory model has no answer: its accesses are ordered anyway.
    case notAsked(MemoryModel)
  }

  public struct Row: Codable, Sendable {
    public let step: WeakenedStep
    public internal(set) var finding: Finding
    /// The same for each of the calls that lead to the step, where there are several: a helper's
    /// line may be needed in one and not in another, or be redundant only one call at a time.
    public internal(set) var calls: [Row] = []
  }

  /// The check of the model as it is.
  public let whole: CheckReport
  /// One for each step, by place.
  public let rows: [Row]

  /// Those that the memory model has an answer to.
  public var asked: [Row] { rows.filter { !$0.isOpen } }

  /// Those that it has none to.
  public var open: [Row] { rows.filter(\.isOpen) }
}

extension AblationReport.Row {
  fileprivate var isOpen: Bool { if case .notAsked = finding { true } else { false } }
}

/// Why the steps of a model could not be looked at.
public enum AblationError: Error, Codable {
  case check(CheckError)
  /// The model does not hold as it is, or does so only because nothing happens.
  case broken(CheckReport)
  case unknownStep(WeakenedStep, known: [WeakenedStep])
}
