// Errors that prevent a check, each as one clear line.

import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// Why a model could not be checked.
///
/// All of them are mistakes that the user can correct.
public enum CheckError: Error, Codable, Equatable {
  case unknownParameter(name: String, known: [String])
  case parameterOutOfRange(name: String, value: Int, range: ClosedRange<Int>)
  case unknownInvariant(id: String, known: [String])
  /// No execution reaches the step to leave out.
  case unknownStep(WeakenedStep)
  /// The model breaks the rules for model code.
  case badModel(String)
  /// The options make no sense.
  case badOptions(String)
  /// The file to resume from is not a checkpoint of this check, or is damaged.
  case badCheckpoint(String)
}

extension CheckError: CustomStringConvertible {
  /// The line to print for a model with that name.
  package func text(model: String) -> String {
    switch self {
    case .unknownParameter(let name, let known):
      let list = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
      return "\(model) has no parameter '\(name.excerpt())'; \(list)"
    case .parameterOutOfRange(let name, let value, let range):
      return
        "\(name)=\(value) is out of range; it must be from \(range.lowerBound) to "
        + "\(range.upperBound)"
    case .unknownInvariant(let id, let known):
      let near = nearest(to: id, among: known)
      let hint =
        near.isEmpty
        ? "\(model) has \(known.joined(separator: ", "))"
        : "did you mean \(near.joined(separator: ", "))?"
      return "unknown invariant '\(id.excerpt())'; \(hint)"
    case .unknownStep(let step):
      return
        "no execution of \(model) reaches '\(step.text.excerpt())'; "
        + "\(RunningProgram.name) ablate names all"
    case .badCheckpoint(let text), .badOptions(let text): return text
    case .badModel(let text): return "\(model): \(text)"
    }
  }

  public var description: String { text(model: "the model") }
}

extension RecordingError {
  /// Why a schedule does not fit a scenario.
  package func text(for scenario: Scenario) -> String {
    switch self {
    case .impossibleStep(let number, let reason): "step \(number) of the schedule: \(reason)"
    case .noRepetition(let reason): "the part in parentheses does not repeat: \(reason)"
    case .failed(let failure): Machine(scenario).text(of: failure)
    }
  }
}
