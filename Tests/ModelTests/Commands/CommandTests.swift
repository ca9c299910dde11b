// The command line: output, exit status, and one clear line for every mistake.

import Foundation
import GracewalkChecking
import GracewalkCommands
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct CommandTests {
  struct Outcome {
    var status: Int32
    var output: String
    var error: String
  }

  /// The executable that was built along with the tests.
  static let executable: URL = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folder = tests.deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appendingPathComponent("gracewalk")
      if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      folder.deleteLastPathComponent()
    }
    return URL(fileURLWithPath: ".build/debug/gracewalk")
  }()

  private func run(_ arguments: String...) throws -> Outcome { try Self.outcome(arguments) }

  static func outcome(_ arguments: String...) throws -> Outcome { try outcome(arguments) }

  static func outcome(_ arguments: [String]) throws -> Outcome {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try outcome(arguments, in: folder)
  }

  func run(
    _ arguments: [String], in folder: URL, path: String? = nil
  ) throws -> Outcome {
    try Self.outcome(arguments, in: folder, path: path)
  }

  /// Output goes to files: a pipe that is not drained would block a long output.
  private static func outcome(
    _ arguments: [String], in folder: URL, path: String? = nil
  ) throws -> Outcome {
    let process = Process()
    if let path {
      var environment = ProcessInfo.processInfo.environment
      environment["PATH"] = path
      process.environment = environment
    }
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let output = folder.appendingPathComponent("stdout")
    let error = folder.appendingPathComponent("stderr")
    for file in [output, error] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      error: try String(contentsOf: error, encoding: .utf8))
  }

  @Test func catalogue() throws {
    let outcome = try run("check", "--jobs", "2")
    #expect(outcome.status == 0)
    let names = Catalogue.models.flatMap { model in model.declaredChecks.map { _ in model.name } }
    let rows = outcome.output.split(separator: "\n").filter { $0.hasPrefix("✓") }
    for (row, name) in zip(rows, names) { #expect(row.dropFirst(2).hasPrefix(name + " ")) }
    let hasClang = (try? Compiler.find()) != nil
    let declared = Catalogue.models.reduce(0) { $0 + $1.declaredChecks.count }
    let programs = Programs.files.reduce(Programs.files.count) { count, file in
      let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
      return count + lines.count { $0.hasPrefix("// under ") }
    }
    let count = declared + (hasClang ? programs : 0)
    #expect(outcome.output.contains("\(count) of \(count) verdicts as declared"))
  }

  /// A search that is not for weaker memory checks the rest, and says what it left out.
  @Test func theOptimalSearchLeavesOutWeakerMemory() throws {
    let outcome = try run("check", "--mode", "optimal", "--executions", "1")
    let models = Catalogue.models.reduce(0) { count, model in
      let own = model.largestScenario.memoryModel
      return count + model.declaredChecks.count { ($0.memoryModel ?? own) != .standard }
    }
    let programs = Programs.files.reduce(0) { count, file in
      let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
      return count + lines.count { $0.hasPrefix("// under ") }
    }
    #expect(
      outcome.output.hasSuffix(
        "\n\(models + programs) verdicts under weaker memory not checked: --mode optimal is for "
          + "sequential consistency there\n"))
    #expect(!outcome.output.contains("(arm)") && !outcome.output.contains("(tso)"))
    #expect(outcome.error.isEmpty)
  }

  @Test func helpEverywhere() throws {
    let verbs = [
      "check", "sweep", "ablate", "replay", "document", "list", "show", "bench", "fuzz",
      "suites", "init",
    ]
    for words in [["--help"]] + verbs.map({ [$0, "--help"] }) {
      let outcome = try Self.outcome(words)
      #expect(outcome.status == 0)
      #expect(outcome.output.hasPrefix("usage: gracewalk"))
      #expect(outcome.error.isEmpty)
      for line in outcome.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test func checkWritesATraceThatReplays() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = "collapse-unlocked-descendants"
    let check = try run(["check", model, "--trace", "leak.trace"], in: folder)
    #expect(check.status == 1)
    let replay = try run(["replay", "leak.trace"], in: folder)
    #expect(replay.status == 1)
    let body = { (text: String) in text.components(separatedBy: "\n\n").dropFirst().joined() }
    #expect(body(check.output) == body(replay.output))
    #expect(body(check.output).contains("no-leaked-table-page"))

    // The file is not overwritten, and a step that is edited is named.
    let again = try run(["check", model, "--trace", "leak.trace"], in: folder)
    #expect(again.status == 2 && again.error.contains("exists"))
    let url = folder.appendingPathComponent("leak.trace")
    let text = try String(contentsOf: url, encoding: .utf8)
    try text.replacingOccurrences(of: "store root[0]", with: "store root[1]")
      .write(to: url, atomically: true, encoding: .utf8)
    let edited = try run(["replay", "leak.trace"], in: folder)
    #expect(edited.status == 2)
    #expect(edited.output.isEmpty)
    #expect(edited.error.contains("was edited after it was written: step 13 is"))
  }

  /// The command that is shown replays a violation that exists under weaker memory only.
  @Test func commandsNameTheMemoryModel() throws {
    let check = try run("check", "switch-mm-gets-flushes", "--memory", "tso")
    #expect(check.status == 1)
    let line = try #require(
      check.output.split(separator: "\n").first { $0.contains(" replay switch-mm-gets-flushes ") })
    let words = line.split(separator: " ").drop { $0 != "replay" }
      .map { $0.filter { $0 != "'" } }
    #expect(words.contains("tso"))
    #expect(try Self.outcome(words).status == 1)
    let elsewhere = words.filter { $0 != "--memory" && $0 != "tso" }
    #expect(try Self.outcome(elsewhere).status != 1)
  }

  @Test func outputIsTheSameApartFromTime() throws {
    let withoutTime = { (text: String) in
      text.split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.hasSuffix(" s") }.joined(separator: "\n")
    }
    let first = try run("check", "collapse-free-at-once")
    let second = try run("check", "collapse-free-at-once")
    #expect(withoutTime(first.output) == withoutTime(second.output))
  }

  @Test func exact() throws {
    let hashed = try run("check", "collapse-in-rcu-callback")
    #expect(hashed.output.contains("were merged: below 7e-13"))
    let exact = try run("check", "collapse-in-rcu-callback", "--exact")
    #expect(exact.status == 0)
    #expect(exact.output.contains("7,258 states"))
    #expect(exact.output.contains("states compared in full: no two had the same hash"))
    let json = try run("check", "collapse-in-rcu-callback", "--exact", "--format", "json")
    #expect(json.output.contains("\"collisions\" : 0"))
  }

  @Test func checkpoints() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let check = ["check", "collapse-in-rcu-callback"]
    let withoutTime = { (text: String) in
      text.split(separator: "\n").filter { !$0.hasSuffix(" s") }.joined(separator: "\n")
    }
    let whole = try run(check, in: folder)
    let first = try run(check + ["--checkpoint", "saved", "--executions", "9"], in: folder)
    #expect(first.status == 3)
    #expect(first.output.contains("saved in saved: resume with --resume saved"))

    // Another check is refused, and the file stays as it is.
    let url = folder.appendingPathComponent("saved")
    let bytes = try Data(contentsOf: url)
    let other = try run(
      ["check", "fault-in-parallel", "--resume", "saved", "--checkpoint", "saved"], in: folder)
    #expect(other.status == 2 && other.output.isEmpty)
    #expect(other.error.contains("'saved' is of another check: expected model"))
    #expect(try Data(contentsOf: url) == bytes)
    // What is wrong, and what to do; that nothing would be saved is of no interest then.
    try bytes.dropLast(9).write(to: folder.appendingPathComponent("cut"))
    for (name, wrong) in [
      ("saved", "is of another check: expected memory 'Armv8', found 'SC'; ask for the check"),
      ("cut", "is damaged or was cut short; begin again without --resume"),
      ("none", "No such file or directory; name a file that --checkpoint has written"),
    ] {
      let refused = try run(check + ["--memory", "arm", "--resume", name], in: folder)
      #expect(refused.status == 2 && refused.output.isEmpty)
      #expect(refused.error.split(separator: "\n").count == 1, "\(refused.error)")
      #expect(refused.error.contains("'\(name)'") && refused.error.contains(wrong))
    }

    let rest = try run(check + ["--resume", "saved", "--checkpoint", "saved"], in: folder)
    #expect(rest.status == 0 && rest.error.isEmpty)
    #expect(withoutTime(rest.output) == withoutTime(whole.output))
    let unsaved = try run(check + ["--resume", "saved"], in: folder)
    #expect(unsaved.error.contains("no more checkpoints are written"))
    #expect(withoutTime(unsaved.output) == withoutTime(whole.output))
  }

  @Test func tracesReplayForTheirArchitecture() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = "shared-memcache-without-exchange"
    let words = ["check", model, "--architecture", "armv8.4", "--feature", "bbm=2"]
    let check = try run(words + ["--trace", "twice.trace"], in: folder)
    #expect(check.status == 1)
    #expect(check.output.contains("features of the architecture change nothing"))
    let url = folder.appendingPathComponent("twice.trace")
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(text.hasPrefix("gracewalk trace 3\n"))
    #expect(text.contains("\nfeatures: bbm=2 haf=1 hd=1 range=1 ets=0\n"))
    #expect(try run(["replay", "twice.trace"], in: folder).status == 1)
    try text.replacingOccurrences(of: "bbm=2", with: "bbm=1")
      .write(to: url, atomically: true, encoding: .utf8)
    let edited = try run(["replay", "twice.trace"], in: folder)
    #expect(edited.status == 2 && edited.error.contains("was edited after it was written"))
  }

  @Test func sweepNamesACombinationThatChecksAndReplays() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sweep = try run(
      ["sweep", "collapse-unlocked-descendants", "--operations", "2"], in: folder)
    #expect(sweep.status == 1)
    let name = "collapse-unlocked-descendants/map-0x0/collapse-0x0"
    #expect(sweep.output.contains("\n  \(Self.executable.path) check \(name)\n"))
    // CPUs are interchangeable: their order in a name does not matter.
    let other = "collapse-unlocked-descendants/collapse-0x0/map-0x0"
    let check = try run(["check", other, "--trace", "leak.trace"], in: folder)
    #expect(check.status == 1)
    let replay = try run(["replay", "leak.trace"], in: folder)
    #expect(replay.status == 1)
    let body = { (text: String) in text.components(separatedBy: "\n\n").dropFirst().joined() }
    #expect(body(check.output).contains("✗ no-leaked-table-page"))
    #expect(body(check.output) == body(replay.output))
    #expect(body(check.output) == body(sweep.output))

    let bounded = try run("sweep", "fault-in-parallel", "--states", "100", "--format", "json")
    #expect(bounded.status == 3)
    #expect(bounded.output.contains("\"format\" : \"gracewalk sweep 1\""))
    #expect(try run("sweep", "unmap-under-write-lock").status == 0)
  }

  @Test func matrix() throws {
    let outcome = try run("check", "--matrix", "shared-memcache-without-exchange")
    #expect(outcome.status == 0)
    #expect(
      outcome.output.hasSuffix(
        """
        model                             on  1 2 3 4 5 6 7 8 9
        shared-memcache-without-exchange  all ✓ ✓ ✓ ✓ ✗ ✓ ✓ ✓ ✓

        1 of 1 model as declared

        """), "\(outcome.output)")
    #expect(!outcome.output.contains("\u{1B}"))
    let json = try run(
      "check", "--matrix", "shared-memcache", "--memory", "tso", "--format", "json")
    #expect(json.status == 0)
    #expect(json.output.contains("\"memory\" : \"tso\"") && !json.output.contains("\"arm\""))
    #expect(json.output.contains("\"format\" : \"gracewalk matrix 1\""))
  }

  /// A bound leaves cells incomplete, which is not a verdict.
  @Test func matrixOfABoundedCheck() throws {
    let outcome = try run("check", "--matrix", "fault-in-parallel", "--executions", "3")
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("not as declared: incomplete: progress, no-leaked-table-page"))
  }

  @Test func incomplete() throws {
    let outcome = try run("check", "collapse-in-rcu-callback", "--executions", "5")
    #expect(outcome.status == 3)
    #expect(outcome.output.contains("raise --executions"))
    let cut = try run("check", "collapse-in-rcu-callback", "--depth", "9")
    #expect(cut.status == 3)
    #expect(cut.output.contains("a reduced search may also leave out shorter ones"))
    let bounded = try run("check", "unmap-under-write-lock", "--preemptions", "1")
    #expect(bounded.status == 3)
    #expect(bounded.output.contains("holds up to 1 preemptions"))
  }

  @Test(arguments: [
    (["chek"], "unknown command 'chek'; did you mean check?"),
    ([], "which command?"),
    (["check", "colapse-free-at-once"], "did you mean collapse-free-at-once?"),
    (["check", "shared-memcache", "--invariant", "no-leak"], "did you mean no-leaked-table-page?"),
    (["check", "shared-memcache", "--dept", "3"], "did you mean --depth?"),
    (["check", "shared-memcache", "--depth", "0"], "--depth needs a whole number"),
    (["check", "shared-memcache", "--executions", "-1"], "--executions needs a whole number"),
    (["check", "shared-memcache", "--seconds", "0"], "--seconds needs a number of seconds"),
    (
      ["check", "shared-memcache", "--mode", "fast"],
      "--mode is one of stateful, optimal, source, sleep, exhaustive, random, pct"
    ),
    (["check", "shared-memcache", "--mode", "source", "--preemptions", "1"], "contradict"),
    (["check", "shared-memcache", "--mode", "source", "--states", "1"], "contradict"),
    (["check", "shared-memcache", "--mode", "optimal", "--jobs", "2"], "contradict"),
    (["check", "shared-memcache", "--jobs", "65"], "--jobs needs a whole number"),
    (["check", "shared-memcache", "--mode", "source", "--exact"], "contradict"),
    (["check", "--resume", "x"], "--resume needs a model"),
    (["check", "shared-memcache", "--resume", "x"], "cannot read 'x': No such file"),
    (["check", "shared-memcache", "--checkpoint-every", "9"], "is about --checkpoint"),
    (["check", "shared-memcache", "--checkpoint", "/dev/null", "--force"], "not a regular file"),
    (["check", "shared-memcache", "--checkpoint", "stdout"], "resume it with --resume stdout"),
    (["check", "shared-memcache", "--checkpoint", "/no/such/x"], "there is no folder"),
    (["fuzz", "--mode", "sleep", "--exact"], "it keeps no states"),
    (["check", "shared-memcache", "--seed", "1"], "--seed is about --mode random or pct"),
    (["check", "shared-memcache", "--max-memory", "0"], "--max-memory needs a whole number"),
    (
      ["check", "shared-memcache", "--mode", "source", "--no-symmetry"], "is about --mode stateful"
    ),
    (["fuzz", "--mode", "pct"], "samples executions"),
    (["fuzz", "--interpreter", "--hardware"], "--interpreter and --hardware contradict"),
    (["fuzz", "--mode", "source", "--symmetry"], "--symmetry is about --mode stateful"),
    (["bench", "nothing"], "there is no program 'nothing'"),
    (["check", "shared-memcache", "--trace", "/no/such/folder/x"], "there is no folder"),
    (["check", "shared-memcache", "--set", "levels=2"], "has no parameter 'levels'"),
    (["check", "fault-in-parallel", "--set", "levels=9"], "it must be from 2 to 3"),
    (["check", "--trace", "x"], "--trace needs a model"),
    (["check", "shared-memcache", "--architecture", "arm9"], "one of armv8.0, armv8.1, armv8.4"),
    (["check", "shared-memcache", "--feature", "bbm"], "--feature needs NAME=VALUE"),
    (["check", "shared-memcache", "--feature", "bbm=3"], "it must be from 0 to 2"),
    (["check", "shared-memcache", "--feature", "nt=1"], "one of bbm, haf, hd, range, ets"),
    (["check", "shared-memcache", "--feature", "hd=1", "--feature", "hd=0"], "gives hd twice"),
    (["check", "--matrix", "--set", "levels=2"], "--matrix and --set contradict each other"),
    (["check", "--matrix", "--feature", "hd=1"], "--matrix and --feature contradict each other"),
    (["replay", "x.trace", "--feature", "hd=1"], "a trace file says itself"),
    (["replay", "x.trace", "--memory", "sc"], "a trace file says itself"),
    (
      ["check", "shared-memcache", "--memory", "pso"],
      "--memory is one of sc, tso, arm, not 'pso'"
    ),
    (
      ["check", "shared-memcache", "--memory", "tso", "--mode", "optimal"],
      "--mode optimal is for sequential consistency"
    ),
    (["check", "a", "b"], "check takes one model"),
    (["replay", "nothing.trace"], "there is no file 'nothing.trace'"),
    (["replay", "shared-memcache", "--schedule", "0**"], "--schedule needs steps"),
    (["replay", "shared-memcache", "--schedule", "7"], "there is no CPU 7"),
    (["check", "--format", "mermaid"], "is not for a check of the whole catalogue"),
    (["check", "--matrix", "--format", "junit"], "is not for --matrix: the forms there are text"),
    (
      ["check", "shared-memcache", "--format", "graphviz"],
      "and there is none: shared-memcache holds"
    ),
    (["check", "shared-memcache", "--format", "xml"], "sarif, mermaid, graphviz, not 'xml'"),
    (["check", "shared-memcache", "--at", "3"], "--at is about --format graphviz"),
    (
      [
        "replay", "shared-memcache", "--schedule", "0", "--format", "graphviz", "--at", "9",
      ], "--at needs a step of the trace, from 0 to 1, not '9'"
    ),
    (["list", "--format", "sarif"], "--format is one of text, json, not 'sarif'"),
    (["replay", "shared-memcache", "--schedule", "\u{1B}[2J"], "--schedule needs steps"),
    (["check", "\u{1B}[2Jx"], "unknown model '\\u{1b}[2Jx'"),
    (["fuzz", "--traces", "9", "--loops"], "--traces and --loops contradict each other"),
    (
      ["list", "things"],
      "list takes 'models', 'programs', 'systems', 'invariants' or 'architectures'"
    ),
    (["ablate"], "ablate takes one model"),
    (
      ["ablate", "unmap-without-tlbi"], "unmap-without-tlbi violates no-reuse-while-cached as it is"
    ),
    (
      ["ablate", "shared-memcache", "--step", "x"],
      "--step needs a step such as unmap/flush/no-tlbi, not 'x'"
    ),
    (
      ["ablate", "shared-memcache", "--step", "fault/tale/load-and-store"],
      "reaches 'fault/tale/load-and-store'; did you mean fault/take/load-and-store"
    ),
    (
      ["ablate", "shared-memcache", "--format", "sarif"],
      "--format is one of text, json, not 'sarif'"
    ),
    (
      ["check", "shared-memcache", "--without", "unmap/flush/no-tlbi"],
      "no execution of shared-memcache reaches 'unmap/flush/no-tlbi'"
    ),
    (["check", "--without", "unmap/flush/no-tlbi"], "--without needs a model"),
    (
      ["check", "shared-memcache", "--without", "no-tlbi:unmap@F.swift:7"],
      "not 'no-tlbi:unmap@F.swift:7': steps are no longer named by file and line"
    ),
    (["check", "shared-memcache", "--without", "tlbi"], "--without needs a step such as"),
    (["document", "nowhere"], "there is no folder 'nowhere'"),
    (["sweep"], "sweep takes one system"),
    (["sweep", "shared-memcache"], "shared-memcache has no vocabulary of operations to combine"),
    (["sweep", "fault-in-parallel", "--cpus", "0"], "--cpus needs a whole number from 1 to 1000"),
    (
      ["sweep", "collapse-in-rcu-callback", "--cpus", "40"],
      "--cpus 40 --operations 1 makes 62,891,498 combinations of 7 operations; at most 100,000 are"
    ),
    (["sweep", "swap-two-entries", "--cpus", "9"], "--cpus must be from 1 to 8"),
    (
      ["check", "unmap-and-free/read-0x0/map"],
      "unmap-and-free has no operation 'map'; it has read-0x0, write-0x0, unmap-0x0, map-0x0"
    ),
    (["check", "shared-memcache/map-0x0"], "shared-memcache has no operations to choose from"),
    (
      ["check", "unmap-and-free/\(Array(repeating: "read-0x0", count: 7).joined(separator: ","))"],
      "a combination has at most 8 CPUs with 6 operations each"
    ),
  ])
  func mistakesGetOneLineAndStatusTwo(_ words: [String], _ expected: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let outcome = try run(words, in: folder)
    #expect(outcome.status == 2)
    #expect(outcome.error.contains(expected), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
    #expect(outcome.output.isEmpty)
  }

  /// A program given by name is measured with every suitable search, and without SPIN.
  @Test func benchOfNamedPrograms() throws {
    struct Document: Decodable {
      struct Row: Decodable, Equatable {
        var program: String
        var search: String
        var executions: Int
        var states: Int
        var transitions: Int
      }
      var rows: [Row]
      var peakMiB: Double?
    }
    let outcome = try run("bench", "page-table(2)", "lastzero(8)", "--format", "json")
    let document = try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
    let row = Document.Row.init(program:search:executions:states:transitions:)
    #expect(
      document.rows == [
        row("page-table(2)", "stateful", 16, 245, 332),
        row("page-table(2)", "optimal", 172, 0, 1_100),
        row("page-table(2)", "source", 172, 0, 1_100),
        row("page-table(2)", "exhaustive", 21, 696, 1_449),
        row("lastzero(8)", "stateful", 128, 2_037, 2_347),
        row("lastzero(8)", "optimal", 704, 0, 6_847),
        row("lastzero(8)", "source", 704, 0, 17_749),
      ])
    #expect(try #require(document.peakMiB) > 1)
    #expect(!outcome.output.contains("spin"))
  }

  static let hasSpin = ["spin", "gcc"].allSatisfy { tool in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
  }

  @Test(.enabled(if: hasSpin)) func comparisonWithSpin() throws {
    let outcome = try run("bench", "--spin", "2", "--rounds", "1")
    #expect(outcome.status == 0, "\(outcome.error)")
    let rows = outcome.output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(rows.count == 4)
    #expect(rows[1].starts(with: ["gracewalk", "245"]))
    // The number of states that SPIN stores depends a little on its version; it does not reduce
    // them.
    #expect(rows[2].first == "spin")
    #expect(try #require(Int(rows[2][1])) > 245)
    // SPIN takes over 100 MiB for its tables before it begins.
    #expect(rows[3].starts(with: ["spin", "/", "gracewalk"]))
    #expect(try #require(rows[3].last.flatMap { Double($0) }) > 2)
  }

  @Test func withoutSpinItSaysWhatToInstall() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let outcome = try run(["bench", "--spin", "2"], in: folder, path: "/nowhere")
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("needs spin and gcc: install the Debian packages spin and gcc"))
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  @Test func listAsJSON() throws {
    struct Document: Decodable {
      struct Model: Decodable { var name: String }
      struct Invariant: Decodable { var id: String }
      var format: String
      var models: [Model]
      var invariants: [Invariant]
    }
    let outcome = try run("list", "--format", "json")
    let document = try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
    #expect(document.format == "gracewalk list 1")
    #expect(document.models.count == Catalogue.models.count)
    let invariants = InvariantCatalogue.described + Catalogue.models.ownInvariants
    #expect(document.invariants.count == invariants.count)
  }
}
