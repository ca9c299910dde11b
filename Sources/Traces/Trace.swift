// A recorded execution with everything needed to run it again.

import GracewalkMachine

/// A recording together with its origin.
public struct Trace: OfCheckedScenario, Equatable, Codable, Sendable {
  /// Version of the file format.
  public static let version = 3

  public var scenario: CheckedScenario
  /// The search that found it, in words.
  public var foundBy: String
  /// True if no simpler counterexample exists; for a livelock, none that begins to loop earlier, or
  /// as early with fewer repeating steps.
  public var isMinimal: Bool
  public var recording: Recording

  public init(
    model: String, parameters: [(name: String, value: Int)], features: Features,
    without: WeakenedStep? = nil, memoryModel: String = MemoryModel.standard.name,
    invariants: [String], foundBy: String,
    isMinimal: Bool,
    recording: Recording
  ) {
    self.init(
      scenario: CheckedScenario(
        model: model, parameters: parameters, features: features, without: without,
        memoryModel: memoryModel, invariants: invariants),
      foundBy: foundBy, isMinimal: isMinimal, recording: recording)
  }

  public init(scenario: CheckedScenario, foundBy: String, isMinimal: Bool, recording: Recording) {
    self.scenario = scenario
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
