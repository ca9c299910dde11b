// Traces: written files can be read and replayed, and changed ones are refused.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkTraces
import Testing

@Suite struct TraceTests {
  private func leak() throws -> Trace {
    let model = try #require(Catalogue.model(named: "collapse-unlocked-descendants"))
    return try #require(try model.check().counterexample)
  }

  @Test func theLeakNamesPageAndAllocator() throws {
    let trace = try leak()
    guard case .violated(let invariant, let report) = trace.recording.end else {
      Issue.record("no violation")
      return
    }
    #expect(invariant == "no-leaked-table-page")
    #expect(report.message.contains("mapper.0, allocated by mapper in map 0x0"))
    #expect(trace.recording.preemptions.count == 1)
    #expect(trace.recording.visibleSteps == 33)
    #expect(trace.isMinimal)
  }

  @Test func fileRoundTrip() throws {
    let file = TraceFile(try leak())
    #expect(try TraceFile(text: file.text) == file)
    #expect(try TraceFile(text: file.text).isIntact)
  }

  @Test func replayGivesTheSameRecording() throws {
    let trace = try leak()
    let model = try #require(Catalogue.model(named: trace.model))
    let scenario = try model.scenario(
      parameters: ["levels": 3], invariants: trace.invariants)
    #expect(try Recording(trace.recording.schedule, of: scenario) == trace.recording)
  }

  @Test func checksAreRepeatable() throws {
    #expect(TraceFile(try leak()).text == TraceFile(try leak()).text)
  }

  @Test func everyLineThatIsChangedIsNoticed() throws {
    let text = TraceFile(try leak()).text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices.dropLast() {
      var changed = lines.map(String.init)
      changed[index] += "x"
      guard let file = try? TraceFile(text: changed.joined(separator: "\n")) else { continue }
      #expect(!file.isIntact, "line \(index + 1)")
    }
  }

  @Test func everyTruncationIsNoticed() throws {
    let text = TraceFile(try leak()).text
    let bytes = Array(text.utf8)
    for length in stride(from: 0, to: bytes.count, by: 7) {
      let cut = String(decoding: bytes[..<length], as: UTF8.self)
      #expect(throws: TraceFileError.self) { try TraceFile(text: cut) }
    }
  }

  @Test func wrongVersion() throws {
    let text = TraceFile(try leak()).text
    let other = text.replacing(
      "gracewalk trace 3\n", with: "gracewalk trace 7\n", maxReplacements: 1)
    #expect(throws: TraceFileError.wrongVersion("7")) { try TraceFile(text: other) }
    #expect(throws: TraceFileError.notATrace) { try TraceFile(text: "hello\n") }
  }

  @Test func impossibleSchedules() throws {
    let model = try #require(Catalogue.model(named: "collapse-locked-descendants"))
    for steps in ["9", "3", "0:1"] {
      let schedule = try #require(Schedule(text: steps))
      #expect(throws: RecordingError.self) {
        try Recording(schedule, of: try model.scenario())
      }
    }
  }

  @Test func aScheduleMayEndEarly() throws {
    let model = try #require(Catalogue.model(named: "collapse-locked-descendants"))
    let schedule = try #require(Schedule(text: "0*3,1*2"))
    let recording = try Recording(schedule, of: try model.scenario())
    #expect(recording.end == .unfinished)
    #expect(recording.preemptions.count == 1)
  }
}
