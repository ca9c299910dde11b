// Replaying a trace file: read it, take its steps and compare each, or say in one line why not.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// Why a trace file is refused, as a phrase that follows the name of the file.
///
/// One line. Quotations from the file are short and contain no control characters.
public struct TraceRefusal: Error, Equatable, CustomStringConvertible {
  public let text: String

  init(_ text: String) { self.text = text }

  init(_ error: TraceFileError) {
    switch error {
    case .notATrace: text = "is not a gracewalk trace"
    case .tooLarge:
      text = "cannot be replayed: it has more than \(TraceFile.bytesMax >> 20) MiB"
    case .wrongVersion(let version):
      text =
        "has trace version \(version.excerpt(20)); this is version \(Trace.version): check the "
        + "model again to get a new trace, or give its name and the file's schedule: "
        + "\(RunningProgram.name) replay MODEL --schedule SCHEDULE"
    case .truncated: text = "is cut off: its end is missing"
    case .malformed(let line, let expected):
      text = "has something else in line \(line) than expected: \(expected.excerpt(120))"
    }
  }

  public var description: String { "the trace \(text)" }
}

/// Replays trace files.
public enum TraceReplay {
  /// Replays the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - recordsPictures: whether to keep a picture of the machine at each step.
  ///   - model: the model with a name, or nil.
  public static func replay(
    _ bytes: some Collection<UInt8>, recordsPictures: Bool = false,
    named model: (String) -> Model?
  ) throws(TraceRefusal) -> Trace {
    let file = try read(bytes)
    guard let model = model(file.model) else {
      throw TraceRefusal(
        "is a trace of '\(file.model.excerpt())', which is not a model of this version")
    }
    return try replay(file, of: model, recordsPictures: recordsPictures)
  }

  /// Reads the bytes of a file.
  public static func read(_ bytes: some Collection<UInt8>) throws(TraceRefusal) -> TraceFile {
    guard bytes.count <= TraceFile.bytesMax else { throw TraceRefusal(.tooLarge) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TraceRefusal("is not a gracewalk trace: it is not text in UTF-8")
    }
    do throws(TraceFileError) {
      return try TraceFile(text: text)
    } catch {
      throw TraceRefusal(error)
    }
  }

  /// Takes the steps of a file on a model; the resulting trace equals the file.
  public static func replay(
    _ file: TraceFile, of model: Model, recordsPictures: Bool = false
  ) throws(TraceRefusal) -> Trace {
    let scenario: Scenario
    let choice = ScenarioChoice(file.scenario)
    do throws(CheckError) {
      scenario = try model.scenario(choice)
    } catch {
      throw TraceRefusal("\(blame(file)): \(error.text(model: model.name))")
    }
    // Every step of the schedule is recorded, so this bounds the work by the size of the file.
    guard file.schedule.steps.count <= file.steps.count else {
      throw TraceRefusal(
        "\(blame(file)): its schedule has \(file.schedule.steps.count) steps, of which "
          + "\(file.steps.count) are listed")
    }
    let recording: Recording
    do throws(RecordingError) {
      recording = try Recording(
        file.schedule, of: scenario, recordsPictures: recordsPictures)
    } catch {
      throw TraceRefusal("\(blame(file)): \(error.text(for: scenario))")
    }
    var checked = model.checked(scenario, model.values(choice.parameters))
    checked.invariants = invariants(of: scenario, in: file)
    let trace = Trace(
      scenario: checked, foundBy: file.foundBy, isMinimal: file.isMinimal, recording: recording)
    try compare(file, TraceFile(trace))
    return trace
  }

  /// The invariants that the file names are required; those always required need not be named,
  /// since older files do not name them.
  private static func invariants(of scenario: Scenario, in file: TraceFile) -> [String] {
    scenario.invariants.map(\.id).filter {
      file.invariants.contains($0) || !InvariantCatalogue.keptAlways.contains($0)
    }
  }

  /// The cause of a mismatch, according to the checksum: an edited file or a changed model.
  private static func blame(_ file: TraceFile) -> String {
    file.isIntact
      ? "does not fit this version of the model" : "was edited after it was written"
  }

  private static func compare(_ file: TraceFile, _ now: TraceFile) throws(TraceRefusal) {
    for (number, (old, new)) in zip(file.steps, now.steps).enumerated()
    where !old.utf8.elementsEqual(new.utf8) {
      throw TraceRefusal(
        "\(blame(file)): step \(number) is '\(old.excerpt(120))' in the file and '\(new)' in the "
          + "replay")
    }
    guard file.steps.count == now.steps.count else {
      throw TraceRefusal(
        "\(blame(file)): \(file.steps.count) steps in the file, \(now.steps.count) in the replay")
    }
    guard file.violated == now.violated, file.message == now.message else {
      throw TraceRefusal(
        "\(blame(file)): it says '\((file.violated ?? "nothing").excerpt()) fails', the replay "
          + "says '\(now.violated ?? "nothing") fails'")
    }
    guard file.isIntact else {
      throw TraceRefusal("was edited after it was written: its checksum does not fit")
    }
    // Remaining differences: parameters or invariants written differently than by a check.
    guard file.text.utf8.elementsEqual(now.text.utf8) else {
      throw TraceRefusal(
        "does not fit this version of the model: its parameters, invariants or memory model are "
          + "not those of the replay")
    }
  }
}
