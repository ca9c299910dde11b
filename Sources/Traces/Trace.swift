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
  /// How the program was compiled, if the trace is of a program and not of a model.
  package var program: ProgramText?

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

/// A program, and how to run it again.
package struct ProgramText: Equatable, Codable, Sendable {
  /// The words that name it, and options, for any command.
  package var arguments: [String]
  /// Flags of the compiler, which follow `--`.
  package var flags: [String]
  /// The lines of the files that its steps are in.
  package var lines: [String: [String]]

  package init(arguments: [String], flags: [String], lines: [String: [String]]) {
    self.arguments = arguments
    self.flags = flags
    self.lines = lines
  }

  /// A line of the source, without the space around it.
  package func line(_ number: Int, of file: String) -> String? {
    guard let all = lines[file], all.indices.contains(number - 1) else { return nil }
    let text = all[number - 1].drop { $0 == " " || $0 == "\t" }
    return text.isEmpty ? nil : String(text.prefix(200))
  }
}

/// Parameters as they follow the name of a model: ` levels=3 walks=1`.
package func parameterText(_ parameters: [(name: String, value: Int)]) -> String {
  parameters.map { " \($0.name)=\($0.value)" }.joined()
}
