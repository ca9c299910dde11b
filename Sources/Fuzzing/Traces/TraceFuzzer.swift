// Fuzzing the trace reader with mutated traces, usually with corrected checksums.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// Mutates trace files and replays them.
///
/// Each mutant must be refused with one clear line, or be accepted and equal, byte for byte, the
/// file of the execution that it describes. A trap ends the process and a hang blocks it; a mutant
/// depends only on its seed and the files, so bisecting the seeds finds it.
public struct TraceFuzzer {
  /// A mutant that was handled wrongly.
  public struct Mismatch: Equatable, Sendable {
    public var seed: UInt64
    public var what: String
  }

  /// The results of a run.
  public struct Report: Equatable, Sendable {
    public var mutants = 0
    /// Mutants that are valid traces and were accepted.
    public var accepted = 0
    /// Mutants with a correct checksum.
    public var intact = 0
    /// Mutants that are well-formed files and fail only in the replay.
    public var run = 0
    public var mismatches: [Mismatch] = []
  }

  private let files: [[UInt8]]
  private let traces: [Trace]
  private let models: [String: Model]

  /// - Parameter traces: the traces to mutate, each with its model.
  public init(_ traces: [(model: Model, trace: Trace)]) {
    self.traces = traces.map(\.trace)
    files = traces.map { Array(TraceFile($0.trace).text.utf8) }
    models = Dictionary(traces.map { ($0.model.name, $0.model) }) { first, _ in first }
  }

  /// Makes a mutant of each seed and replays it.
  public func run(
    seeds: Range<UInt64>, stopAfter: Int = 10, shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    if traces.isEmpty { return report }
    for seed in seeds {
      if let what = tryMutant(seed, &report) {
        report.mismatches.append(Mismatch(seed: seed, what: what))
      }
      report.mutants += 1
      if report.mismatches.count >= stopAfter || !shouldContinue(report) { break }
    }
    return report
  }

  /// The mutant of a seed, as a file.
  public func mutant(_ seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: StableHash.mix(seed))
    let number = random.below(files.count)
    var mutation = TraceMutation(random: random, others: files)
    // One in four correctly describes another execution, or part of one.
    var bytes = mutation.random.below(4) == 0 ? variant(of: number, &mutation.random) : nil
    if bytes == nil || mutation.random.below(3) > 0 {
      bytes = mutation.apply(to: bytes ?? files[number])
    }
    return bytes ?? []
  }

  /// A trace of the same model with another schedule, written as a check would have.
  private func variant(of number: Int, _ random: inout SplitMix64) -> [UInt8]? {
    var trace = traces[number]
    var schedule = trace.recording.schedule
    let position = random.below(schedule.steps.count + 1)
    switch random.below(3) {
    case 0: schedule.steps.removeLast(schedule.steps.count - position)
    case 1 where position < schedule.steps.count:
      schedule.steps[position].cpu = random.below(trace.recording.cpus.count)
    default:
      guard position + 1 < schedule.steps.count else { return nil }
      schedule.steps.swapAt(position, position + 1)
    }
    if random.below(4) > 0 { schedule.loop = nil }
    schedule.loop = schedule.loop.flatMap { $0 < schedule.steps.count ? $0 : nil }
    guard let recording = record(schedule, trace) else { return nil }
    trace.recording = recording
    return Array(TraceFile(trace).text.utf8)
  }

  private func record(_ schedule: Schedule, _ trace: Trace) -> Recording? {
    guard let model = models[trace.model] else { return nil }
    let values = Dictionary(trace.parameters.map { ($0.name, $0.value) }) { first, _ in first }
    let scenario = try? model.scenario(
      parameters: values, invariants: trace.invariants, features: trace.features,
      without: trace.without)
    return scenario.flatMap { try? Recording(schedule, of: $0) }
  }

  /// Replays the mutant of a seed; returns what is wrong with the result, or nil.
  private func tryMutant(_ seed: UInt64, _ report: inout Report) -> String? {
    let bytes = mutant(seed)
    let file = try? TraceReplay.read(bytes)
    if file?.isIntact == true { report.intact += 1 }
    do throws(TraceRefusal) {
      let trace = try TraceReplay.replay(bytes, named: { models[$0] })
      report.accepted += 1
      // Runs it again from the contents of the trace instead of the file.
      guard let recording = record(trace.recording.schedule, trace) else {
        return "accepted, but what it says cannot be run"
      }
      var again = trace
      again.recording = recording
      return TraceFile(again).text.utf8.elementsEqual(bytes)
        ? nil : "accepted, but the execution is not what the file says"
    } catch {
      if file != nil { report.run += 1 }
      return Self.blemish(in: error.text)
    }
  }

  /// A defect of a refusal's text, or nil.
  private static func blemish(in text: String) -> String? {
    if text.unicodeScalars.contains(where: \.isInvisible) {
      return "refused in a line that acts on the terminal: \(text.printable)"
    }
    return text.unicodeScalars.count > 600 ? "refused in a line that is too long: \(text)" : nil
  }
}
