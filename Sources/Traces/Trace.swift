// A recorded execution with all that is needed to run it again.

import GracewalkMachine

/// A recording together with where it comes from.
public struct Trace: Equatable, Sendable {
  /// Version of the file format.
  public static let version = 3

  public var model: String
  public var parameters: [(name: String, value: Int)]
  /// What the modelled MMU could do.
  public var features: Features
  /// The step that was left out or weakened, if one was.
  public var without: WeakenedStep?
  public var memoryModel: String
  /// Ids of the invariants that were required.
  public var invariants: [String]
  /// The search that found it, in words.
  public var foundBy: String
  /// True if no simpler counterexample exists; for one that loops for ever, none that begins
  /// to do so earlier, or as early and loops in fewer steps.
  public var isMinimal: Bool
  public var recording: Recording

  public init(
    model: String, parameters: [(name: String, value: Int)], features: Features,
    without: WeakenedStep? = nil, memoryModel: String = "SC", invariants: [String], foundBy: String,
    isMinimal: Bool,
    recording: Recording
  ) {
    self.model = model
    self.parameters = parameters
    self.features = features
    self.without = without
    self.memoryModel = memoryModel
    self.invariants = invariants
    self.foundBy = foundBy
    self.isMinimal = isMinimal
    self.recording = recording
  }

  /// The invariant that fails in the end, and how; nil if none does.
  public var violation: (invariant: String, report: Violation)? {
    guard case .violated(let invariant, let report) = recording.end else { return nil }
    return (invariant, report)
  }

  public static func == (a: Trace, b: Trace) -> Bool {
    TraceFile(a).text == TraceFile(b).text
  }
}

/// Parameters as they follow the name of a model: ` levels=3 walks=1`.
package func parameterText(_ parameters: [(name: String, value: Int)]) -> String {
  parameters.map { " \($0.name)=\($0.value)" }.joined()
}
