// Hostile trace files: each is refused with one line, or is a valid trace.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkModels
import GracewalkSupport
import GracewalkTraces
import Testing

@Suite struct HostileTraceTests {
  private static func trace(_ name: String) throws -> (model: Model, trace: Trace) {
    let model = try #require(Catalogue.model(named: name))
    return (model, try #require(try model.check().counterexample))
  }

  private static func text() throws -> String {
    TraceFile(try trace("shared-memcache-without-exchange").trace).text
  }

  private static func refusal(_ bytes: some Collection<UInt8>) -> String? {
    do throws(TraceRefusal) {
      _ = try TraceReplay.replay(bytes, named: { Catalogue.model(named: $0) })
      return nil
    } catch {
      return error.text
    }
  }

  /// Makes a change, and corrects the checksum.
  private static func repaired(_ old: String, _ new: String) throws -> String {
    let text = try text()
    #expect(text.contains(old))
    let body =
      text.replacing(old, with: new, maxReplacements: 1)
      .split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
    return body + TraceFile.checksumLine(for: body)
  }

  @Test func theFileItselfIsAccepted() throws {
    #expect(Self.refusal(try Self.text().utf8) == nil)
    #expect(try Self.repaired("minimal: yes", "minimal: yes") == Self.text())
  }

  @Test(arguments: [
    ("model: ", "model: \u{1B}[31m", "line 2 than expected: text, not the control character U+1b"),
    ("model: ", "model: \0", "line 2 than expected: text, not the control character U+0"),
    ("SC", "SC\u{9B}2J", "line 6 than expected: text, not the control character U+9b"),
    ("SC", "S\u{202E}C", "line 6 than expected: text, not the control character U+202e"),
    ("SC", "PSO", "line 6 than expected: a memory model"),
    ("SC", "TSO", "step 4 of the schedule: vcpu 1 cannot continue there"),
    ("\n", "\r\n", "line 1 than expected: lines that end in LF alone, not in CR LF"),
    ("gracewalk trace 3", "gracewalk trace <b>", "has trace version <b>; this is version 3"),
    ("model: shared", "model: <script>", "is a trace of '<script>-memcache-without-exchange'"),
    ("schedule: 0,", "schedule: 0*999999999999,", "line 10 than expected: a schedule such as"),
    ("schedule: 0,", "schedule: 0*1000000,0*999999,", "line 10 than expected: a schedule such as"),
    ("schedule: 0,", "schedule: 0*999990,", "schedule has 999997 steps, of which 8 are listed"),
    ("schedule: 0,", "schedule: 00,", "line 10 than expected: 'schedule: 0,1*4,0*3'"),
    ("schedule: 0,1*4", "schedule: 0,1*2,1*2", "line 10 than expected: 'schedule: 0,1*4,0*3'"),
    ("schedule: 0,", "schedule: 61,", "step 1 of the schedule: there is no CPU 61"),
    ("schedule: 0,", "schedule: 0:7,", "vcpu 0 has no choice 7"),
    ("steps: 8", "steps: 99999999999999999999", "line 13 than expected: the number of steps"),
    ("steps: 8", "steps: 9223372036854775807", "is cut off"),
    ("bbm=0", "bbm=9223372036854775807", "line 4 than expected: features such as"),
    ("bbm=0 haf=0", "haf=0 bbm=0", "line 4 than expected: features such as"),
    ("parameters: ", "parameters: a=1", "has no parameter 'a'; it has none"),
    ("parameters: ", "parameters: a=99999999999999999999", "line 3 than expected: parameters"),
    ("progress", "progress progress", "parameters, invariants or memory model are not those"),
    ("progress", "prozess", "unknown invariant 'prozess'; did you mean progress?"),
    ("violated: no-table", "violated: no-bed", "it says 'no-bed-linked-twice fails'"),
    ("boot.1\n", "boot.7\n", "is '0 vcpu 0 | fault 0 | load memcache | is table boot.7' in the"),
  ])
  func refusedThoughTheChecksumFits(_ old: String, _ new: String, _ expected: String) throws {
    let text = try #require(Self.refusal(try Self.repaired(old, new).utf8))
    #expect(text.contains(expected), "\(text)")
    #expect(!text.unicodeScalars.contains { $0.value < 32 })
  }

  /// To Swift, é is the same text whether it is one scalar or two.
  @Test func equalTextsAreNotEqualFiles() throws {
    let composed = try Self.repaired("found by: ", "found by: \u{E9} ")
    let decomposed = try Self.repaired("found by: ", "found by: e\u{301} ")
    #expect(Self.refusal(composed.utf8) == nil)
    #expect(Self.refusal(decomposed.utf8) == nil)
    let file = try TraceReplay.read(decomposed.utf8)
    #expect(file.text.utf8.elementsEqual(decomposed.utf8))
    let mixed = decomposed.replacing("checksum: ", with: "checksum: 0").dropLast(2)
    #expect(try TraceReplay.read("\(mixed)\n".utf8).isIntact == false)
  }

  @Test func notText() throws {
    #expect(Self.refusal([0xFF, 0xFE, 0]) == "is not a gracewalk trace: it is not text in UTF-8")
    #expect(Self.refusal([]) == "is not a gracewalk trace")
    let big = [UInt8](repeating: 0, count: TraceFile.bytesMax + 1)
    #expect(try #require(Self.refusal(big)).contains("more than 16 MiB"))
  }

  /// Quotations from a file are short, and suggestions take no time.
  @Test func longNamesAreCut() throws {
    let long = String(repeating: "a", count: 1_000_000)
    for (old, new) in [
      ("model: ", "model: "), ("progress", ""), ("steps: 8\n", "steps: 8\n"),
      ("parameters: ", "parameters: "),
    ] {
      let given = new.hasPrefix("param") ? "\(new)\(long)=1" : new + long
      let text = try #require(Self.refusal(try Self.repaired(old, given).utf8))
      #expect(text.utf8.count < 500, "\(text)")
    }
  }

  @Test func excerptsCannotActOnATerminal() {
    #expect("a\u{1B}[31mb\r\n\u{202E}é".printable == "a\\u{1b}[31mb\\u{d}\\u{a}\\u{202e}é")
    #expect("abc".excerpt(3) == "abc")
    #expect("abcd".excerpt(3) == "abc…")
    #expect(("a" + String(repeating: "\u{301}", count: 99)).excerpt(3).unicodeScalars.count == 4)
  }

  @Test func mutants() throws {
    let traces = try [
      "shared-memcache-without-exchange", "collapse-unlocked-descendants",
      "fast-permission-fault-without-tlbi", "unmap-without-tlbi",
    ].map(Self.trace)
    let report = TraceFuzzer(traces).run(seeds: 0..<4_000)
    #expect(report.mismatches == [])
    #expect(report.mutants == 4_000)
    // Mutants are useful only if some pass the checksum, and some are valid traces.
    #expect(report.intact > 800)
    #expect(report.run > 500)
    #expect(report.accepted > 100)
    #expect(TraceFuzzer(traces).run(seeds: 0..<500) == TraceFuzzer(traces).run(seeds: 0..<500))
  }

  /// A reader that trusts the file would be detected.
  @Test func aMutantThatIsBelievedIsAMismatch() throws {
    let (model, trace) = try Self.trace("shared-memcache-without-exchange")
    let fuzzer = TraceFuzzer([(model, trace)])
    let accepted = (UInt64(0)..<300).map { fuzzer.mutant($0) }.filter { Self.refusal($0) == nil }
    #expect(accepted.count > 10)
    for bytes in accepted {
      let file = try TraceReplay.read(bytes)
      let scenario = try model.scenario(invariants: file.invariants, features: file.features)
      let recording = try Recording(file.schedule, of: scenario)
      #expect(TraceFile.lines(for: recording) == file.steps)
    }
  }
}
