// Errors of sweeps, ablations, features and traces, as one clear line each.

import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

extension SweepError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noVocabulary: "the model has no vocabulary: no operations to choose from"
    case .tooMany(let count, let vocabularySize):
      "that makes \(count.map { "\($0)" } ?? "more than \(Int.max)") combinations of "
        + "\(vocabularySize) operations; at most \(SweepReport.most) are swept: allow fewer CPUs "
        + "or operations"
    case .tooLarge:
      "a sweep takes 1 to \(Model.sweptCPUsMax) CPUs with 1 to \(Model.sweptOperationsMax) "
        + "operations each"
    case .badModel(let combination, let error): error.text(model: combination)
    }
  }
}

extension AblationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .check(let error): return error.description
    case .broken(let report):
      let why =
        report.violatedInvariant.map { "violates \($0) as it is" }
        ?? "could not be checked completely"
      return
        "\(report.model) \(why); which of its steps are needed can be asked of a model that holds"
    case .unknownStep(let step, let known):
      let near = nearest(to: step.text, among: known.map(\.text))
      let hint = near.isEmpty ? "" : "; did you mean \(near[0])?"
      return "no execution reaches '\(step.text.excerpt())'\(hint)"
    }
  }
}

extension FeatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownFeature(let name, let known):
      "there is no feature '\(name)'; it is one of \(known.joined(separator: ", "))"
    case .outOfRange(let name, let value, let range):
      "\(name)=\(value) is out of range; it must be from \(range.lowerBound) to \(range.upperBound)"
    }
  }
}

extension RecordingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .impossibleStep(let number, let reason):
      "step \(number) of the schedule is impossible: \(reason)"
    case .noRepetition(let reason): "the part in parentheses does not repeat: \(reason)"
    case .failed: "the model cannot be run: check says why"
    }
  }
}

extension TraceFileError: CustomStringConvertible {
  public var description: String { "the file \(TraceRefusal(self).text)" }
}
