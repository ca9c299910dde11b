// The findings of an ablation: which of a model's steps are needed.

import GracewalkExploration
import GracewalkMachine
import GracewalkTraces

/// The result of checking a model without each of its steps.
public struct AblationReport: Codable, Sendable {
  /// Whether a step is needed, and for what.
  public enum Finding: Codable, Sendable {
    /// Without it these invariants fail, each when it is the only one required; the counterexample
    /// is of the most telling.
    case necessary(violated: [String], Trace)
    /// No invariant fails without it within the scope of the check. These outcomes, which the whole
    /// model has in some execution, never happen then.
    case redundant(neverHappens: [ExpectedOutcome])
    /// The code cannot be checked without it: it loops forever on its own, or breaks the rules for
    /// model code.
    case inseparable(String)
    /// A bound ended the check.
    case undecided(String)
    /// The memory model makes no difference: it orders all accesses anyway.
    case notAsked(MemoryModel)
  }

  public struct Row: Codable, Sendable {
    public let step: WeakenedStep
    /// Where it stands in the source: in several places if its name is that of several.
    public let sites: [SourceSite]
    public internal(set) var finding: Finding
    /// A row for each call that leads to the step, if there are several.
    ///
    /// A line of a helper may be needed in one call and not in another, or be redundant only one
    /// call at a time.
    public internal(set) var calls: [Row] = []
  }

  /// The check of the model as it is.
  public let whole: CheckReport
  /// One for each step, by place.
  public let rows: [Row]

  /// The rows of steps that were tried.
  public var asked: [Row] { rows.filter { !$0.isOpen } }

  /// The rows of steps that were not tried because of the memory model.
  public var open: [Row] { rows.filter(\.isOpen) }
}

extension AblationReport.Row {
  /// Where it stands in the source, in words.
  public var place: String { sites.map(\.text).joined(separator: ", ") }

  fileprivate var isOpen: Bool { if case .notAsked = finding { true } else { false } }
}

/// Why an ablation of a model is impossible.
public enum AblationError: Error, Codable {
  case check(CheckError)
  /// The model does not hold as it is, or does so only because nothing happens.
  case broken(CheckReport)
  case unknownStep(WeakenedStep, known: [WeakenedStep])
}
