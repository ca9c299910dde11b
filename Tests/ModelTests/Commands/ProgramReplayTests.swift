// Executions of C programs: written, replayed, and refused if the program is not the same.

import Foundation
import GracewalkCommands
import GracewalkSupport
import TestExpectations
import Testing

private let hasClang = (try? Compiler.find()) != nil

@Suite(.tags(.process), .unlessQuick, .enabled(if: hasClang, "there is no clang"))
struct ProgramReplayTests {
  private typealias Outcome = CommandTests.Outcome

  /// A program with a race between two plain accesses, in a header's function.
  private static let program = """
    #include <pthread.h>
    #include "add.h"
    static void *worker(void *argument) { add(N); return 0; }
    int main(void) {
      pthread_t threads[2];
      for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, worker, 0);
      for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
    }

    """

  /// Runs the body in a folder with the program.
  private func inFolder(
    _ body: (_ run: ([String]) throws -> CommandTests.Outcome, _ folder: URL) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try write(Self.program, "a race.c", folder)
    try write("int x;\nstatic void add(int n) { x += n; }\n", "add.h", folder)
    try body({ try CommandTests().run($0, in: folder) }, folder)
  }

  private func write(_ text: String, _ name: String, _ folder: URL) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  private static let check = ["check", "a race.c", "--trace", "t", "--", "-DN=2"]

  @Test func aTraceIsReplayed() throws {
    try inFolder { run, folder in
      let check = try run(Self.check)
      #expect(check.status == 1)
      let replay = try run(["replay", "t"])
      #expect(replay.status == 1, "\(replay.error)")
      let body = { (text: String) in
        text.components(separatedBy: "\n\n").dropFirst().joined().prefix { $0 != "✗" }
      }
      #expect(!body(check.output).isEmpty && body(check.output) == body(replay.output))
      #expect(replay.output.contains("add.h:2, in add, by thread 2"))
      let text = try String(contentsOf: folder.appendingPathComponent("t"), encoding: .utf8)
      #expect(text.hasPrefix("gracewalk program trace 1\narguments: 1\na race.c\nflags: 1\n-DN"))
      for format in ["json", "junit", "sarif", "mermaid"] {
        #expect(try run(["replay", "t", "--format", format]).status == 1, "\(format)")
      }
    }
  }

  @Test func thePrintedCommandReplaysIt() throws {
    try inFolder { run, folder in
      let page = try run(["check", "a race.c", "--html", "p.html", "--", "-DN=2"])
      let line = try #require(page.output.split(separator: "\n").last.map(String.init))
      let schedule = try #require(
        line.components(separatedBy: "--schedule ").last?.components(separatedBy: " ").first)
      #expect(line.hasSuffix("replay 'a race.c' --schedule \(schedule) -- -DN=2"))
      let html = try String(contentsOf: folder.appendingPathComponent("p.html"), encoding: .utf8)
      #expect(html.contains("--schedule \(schedule) -- -DN=2"))
      // The line of C is beside the lanes.
      #expect(html.contains("static void add(int n) { x += n; }"))
      let replay = try run(["replay", "a race.c", "--schedule", schedule, "--", "-DN=2"])
      #expect(replay.status == 1)
      #expect(replay.output.contains("✗ race\n"))
      // A part of it shows nothing.
      let part = try run(["replay", "a race.c", "--schedule", "0*2", "--", "-DN=2"])
      #expect(part.status == 0)
      #expect(part.output.contains("threads could go on"))
      let wrong = try run(["replay", "a race.c", "--schedule", "7", "--", "-DN=2"])
      #expect(wrong.status == 2)
      #expect(wrong.error.contains("the schedule does not fit a race.c: step 1 is not possible"))
    }
  }

  @Test func whatHasChangedIsSaid() throws {
    try inFolder { run, folder in
      #expect(try run(Self.check).status == 1)
      func refusal() throws -> String {
        let outcome = try run(["replay", "t"])
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        return outcome.error
      }
      try write(Self.program + "// more\n", "a race.c", folder)
      #expect(try refusal().contains("t is of another text of a race.c, which has changed since"))
      try write(Self.program, "a race.c", folder)
      #expect(try run(["replay", "t"]).status == 1)
      try write("int x;\nstatic void add(int n) { x -= n; }\n", "add.h", folder)
      #expect(try refusal().contains("t is of other code: what a race.c includes, or clang, has"))
      try FileManager.default.removeItem(at: folder.appendingPathComponent("a race.c"))
      #expect(try refusal().contains("t: it is of 'a race.c', which is not here"))
    }
  }

  @Test func otherFilesAreRefused() throws {
    try inFolder { run, folder in
      #expect(try run(Self.check).status == 1)
      let trace = folder.appendingPathComponent("t")
      let text = try String(contentsOf: trace, encoding: .utf8)
      let changes: [(String, String)] = [
        (text.replacing("message: a", with: "message: b"), "was edited after it was written"),
        (text.replacing("-DN=2", with: "-DN=3"), "was edited after it was written"),
        (text.replacing("trace 1\n", with: "trace 9\n"), "has version 9 of traces of programs"),
        (String(text.dropLast(30)), "is cut off"),
        (text.replacing("flags: 1", with: "flags: one"), "in line 4 than expected"),
        (text.replacing("flags: 1", with: "flags: 99999999"), "is cut off"),
      ]
      for (changed, message) in changes {
        try Data(changed.utf8).write(to: trace)
        let outcome = try run(["replay", "t"])
        #expect(outcome.status == 2)
        #expect(outcome.error.contains(message), "\(outcome.error)")
        #expect(outcome.error.split(separator: "\n").count == 1)
      }
    }
  }

  @Test func stepsAreLeftOut() throws {
    let ablation = try CommandTests.outcome(["ablate", "ticket-lock"])
    #expect(ablation.status == 0)
    #expect(ablation.output.contains("3 steps and weakenings: 3 necessary\n"))
    #expect(ablation.output.contains("✗ necessary  load, acquire, made relaxed: race"))
    #expect(
      ablation.output.contains("✗ necessary  fetch-add split into a load and a store: livelock"))
    let without = try CommandTests.outcome(
      ["check", "ticket-lock", "--without", "ticket-lock.c:28/relaxed"])
    #expect(without.status == 1)
    #expect(without.output.contains("✗ race"))
    let locked = try CommandTests.outcome(["ablate", "counter-locked"])
    #expect(locked.output.contains("✗ necessary  without the lock: race"))
    // Orderings of a program without plain accesses to what is shared cannot be told.
    let seqlock = try CommandTests.outcome(["ablate", "seqlock"])
    #expect(seqlock.output.contains("not tested: memory is sequentially consistent"))
    let broken = try CommandTests.outcome(["ablate", "counter"])
    #expect(broken.status == 2)
    #expect(broken.error.contains("counter has a finding as it is (race)"))
    let json = try CommandTests.outcome(["ablate", "ticket-lock", "--format", "json"])
    #expect(json.output.contains("\"finding\" : \"necessary\""))
  }

  @Test func theCatalogueHasThem() throws {
    let list = try CommandTests.outcome(["list", "programs"])
    #expect(list.output.contains("treiber-without-tag (C): violates assertion\n"))
    let show = try CommandTests.outcome(["show", "treiber"])
    #expect(show.output.hasPrefix("// holds: a stack after Treiber"))
    #expect(try CommandTests.outcome(["show", "gracewalk.h"]).output.contains("gw_choose"))
    #expect(try CommandTests.outcome(["show", "shared-memcache"]).output.contains("holds"))
    let check = try CommandTests.outcome(["check", "treiber-without-tag", "--format", "junit"])
    #expect(check.status == 1)
    #expect(check.output.contains("replay treiber-without-tag --schedule"))
  }

  @Test func definedTwiceIsAnError() throws {
    try inFolder { run, folder in
      try write("int f(void) { return 1; }\nint main(void) { return f(); }\n", "a.c", folder)
      try write("\nint f(void) { return 2; }\n", "b.c", folder)
      let outcome = try run(["check", "a.c", "b.c"])
      #expect(outcome.status == 2)
      #expect(outcome.error.contains("b.c:2:"))
      #expect(outcome.error.contains("f is defined here and in a.c"))
    }
  }

  @Test func callsHaveStubs() throws {
    try inFolder { run, folder in
      try write(
        "#include <assert.h>\nint ask(int); int begin(void) { assert(ask(1) == 7); return 0; }\n",
        "a.c", folder)
      let check = ["check", "a.c", "--entry", "begin"]
      #expect(try run(check + ["--stub", "ask=7"]).status == 0)
      #expect(try run(check + ["--stub", "ask=8"]).status == 1)
      #expect(try run(check).error.contains("a call of ask, which is not defined"))
      let wrong = try run(check + ["--stub", "ask=7", "--stub", "tell=0"])
      #expect(wrong.status == 2)
      #expect(wrong.error.contains("nothing calls tell, which --stub names"))
      #expect(try run(["check", "a.c"]).error.contains("the program has no function main"))
    }
  }

  @Test(arguments: [
    (["nothing.c"], "there is no file 'nothing.c'"), (["folder.c"], "is a folder, not a file"),
    (["empty.c"], "the program has no function main"),
    (["x.cpp"], "'x.cpp' is C++, which is not supported"), (["binary.ll"], "binary.ll:1:"),
    (["a race.c", "--", "-DN=1", "-c"], "the flag -c changes what clang writes"),
    (["a race.c", "--", "-o", "x"], "the flag -o changes what clang writes"),
    (["a race.c", "--", "--no-such-flag"], "error: "), (["a race.c"], "use of undeclared"),
    (["a race.c", "counter"], "'counter' is a program by itself"),
    (["a race.c", "other"], "'other' is neither a file *.c nor a file *.ll"),
    (["binary.c"], "error: "), (["a race.c", "--stub", "f"], "--stub needs NAME=VALUE"),
  ])
  func wrongInputIsALine(_ arguments: [String], _ message: String) throws {
    try inFolder { run, folder in
      try write("", "empty.c", folder)
      try write("class X {};\n", "x.cpp", folder)
      for name in ["binary.ll", "binary.c"] {
        try Data((0..<999).map { UInt8($0 * 7 % 256) }).write(
          to: folder.appendingPathComponent(name))
      }
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("folder.c"), withIntermediateDirectories: true)
      let outcome = try run(["check"] + arguments)
      #expect(outcome.status == 2, "\(outcome.output)")
      #expect(outcome.error.contains(message), "\(outcome.error)")
      #expect(outcome.output.isEmpty)
      if !message.contains("error: "), !message.contains("undeclared") {
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
      }
    }
  }

  @Test func whatMustHappenIsLookedFor() throws {
    try inFolder { run, folder in
      let text = { (statement: String) in
        "#include <gracewalk.h>\nint main(void) {\n  int n = gw_choose(3);\n  \(statement)\n}\n"
      }
      let cases: [(statement: String, status: Int32, message: String)] = [
        ("if (n == 2) gw_must_happen(\"two\");", 0, "✓ holds"),
        ("if (n == 3) gw_must_happen(\"three\");", 3, "this never happens: three"),
        ("gw_assume(n < 2); if (n == 2) gw_must_happen(\"two\");", 3, "never happens: two"),
        ("gw_require(\"no-leaked-table-page\"); n = 0;", 0, "✓ holds"),
        ("gw_require(\"no-leaked-table-page\"); gw_alloc_page();", 1, "✗ leak"),
        ("gw_alloc_page();", 0, "✓ holds"),
        ("gw_require(\"no-stale-use-after-dsb\");", 2, "nothing in the program judges it"),
        ("gw_note(\"here\"); assert(n != 1);", 1, "print \"here\""),
      ]
      for (statement, status, message) in cases {
        try write(text(statement), "s.c", folder)
        let outcome = try run(["check", "s.c"])
        #expect(outcome.status == status, "\(statement): \(outcome.output)\(outcome.error)")
        #expect((outcome.output + outcome.error).contains(message), "\(outcome.output)")
      }
    }
  }

  /// The header has what it needs for other compilers, too.
  @Test func theHeaderCompilesWithoutGracewalk() throws {
    try inFolder { run, folder in
      let header = try run(["show", "gracewalk.h"])
      try write(header.output, "gracewalk.h", folder)
      try write(
        "#include \"gracewalk.h\"\nint main(void) { return gw_choose(1); }\n", "a.c", folder)
      let clang = try Compiler.find()
      for standard in ["-std=c11", "-std=gnu17"] {
        let result = try Subprocess.run(
          clang.path, ["-Wall", "-Wextra", "-Werror", standard, "-c", "a.c", "-o", "a.o"],
          in: folder.path)
        #expect(result.status == 0, "\(result.errors)")
      }
    }
  }
}
