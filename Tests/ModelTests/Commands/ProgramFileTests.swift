// C programs: mutated trace files, checks that are saved and resumed, sweeps, folders of pages.

import Foundation
import GracewalkCommands
import GracewalkFuzzing
import GracewalkModels
import GracewalkSupport
import TestExpectations
import Testing

private let hasClang = (try? Compiler.find()) != nil

@Suite(.tags(.process), .unlessQuick, .enabled(if: hasClang, "there is no clang"))
struct ProgramFileTests {
  /// Threads that add to a word, as many as `N`, and one that looks at it.
  private static let counter = """
    #include <gracewalk.h>
    atomic_int counter;
    static void *adder(void *argument) {
      for (int i = 0; i < 2; i++) {
    #ifdef TORN
        counter = counter + 1;
    #else
        counter++;
    #endif
      }
      return NULL;
    }
    int main(void) {
      for (int i = 0; i < N; i++) gw_cpu(adder, NULL);
      gw_run();
      assert(counter == 2 * N);
    }

    """

  private func inFolder(
    _ body: (_ run: ([String]) throws -> CommandTests.Outcome, _ folder: URL) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try write(Self.counter, "counter.c", folder)
    try body({ try CommandTests().run($0, in: folder) }, folder)
  }

  private func write(_ text: String, _ name: String, _ folder: URL) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  // MARK: Trace files

  /// Each mutant is refused in one line, or replayed.
  @Test func mutatedTracesAreRefusedOrReplayed() throws {
    try inFolder { run, folder in
      let library = ProgramLibrary(Programs.files)
      let models = ModelSource([], programs: library)
      var files: [[UInt8]] = []
      for name in ["counter", "ticket-lock-relaxed", "unmap-no-dsb"] {
        let check = try run(["check", name, "--trace", "\(name).trace"])
        #expect(check.status == 1)
        files.append(Array(try Data(contentsOf: folder.appendingPathComponent("\(name).trace"))))
        #expect(ProgramReplay.refusal(of: files[files.count - 1], models) == nil)
      }
      var mutation = TraceMutation(random: SplitMix64(seed: 1), others: files)
      // More by hand.
      let count = ProcessInfo.processInfo.environment["MUTANTS"].flatMap { Int($0) } ?? 250
      var (refused, replayed) = (0, 0)
      for number in 0..<count {
        let mutant = mutation.apply(to: files[number % files.count])
        guard let line = ProgramReplay.refusal(of: mutant, models) else {
          replayed += 1
          continue
        }
        refused += 1
        #expect(!line.contains(where: \.isNewline) && line.count < 700, "\(line)")
        #expect(!line.contains("[internal]"), "\(line)")
        #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 0x9B }, "\(line)")
      }
      #expect(refused > count * 3 / 4 && refused + replayed == count)
    }
  }

  // MARK: Saving

  private func json(_ outcome: CommandTests.Outcome) throws -> [String: Int] {
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let all = try #require(object as? [String: Any])
    var counts: [String: Int] = [:]
    for key in ["completeExecutions", "spinningExecutions", "transitions", "states"] {
      counts[key] = all[key] as? Int
    }
    #expect(counts.count == 4)
    return counts
  }

  @Test func aCheckIsSavedAndResumed() throws {
    try inFolder { run, folder in
      let flags = ["--format", "json", "--", "-DN=3"]
      for mode in ["stateful", "exhaustive", "optimal"] {
        let whole = try json(try run(["check", "counter.c", "--mode", mode] + flags))
        let bound =
          mode == "optimal"
          ? ["--executions", "\((whole["completeExecutions"] ?? 0) / 2)"]
          : ["--states", "\((whole["states"] ?? 0) / 2)"]
        let part = try run(
          ["check", "counter.c", "--mode", mode, "--checkpoint", "c", "--force"] + bound + flags)
        #expect(part.status == 3, "\(part.output)\(part.error)")
        let rest = try run(["check", "counter.c", "--mode", mode, "--resume", "c"] + flags)
        #expect(rest.status == 0, "\(rest.error)")
        #expect(try json(rest) == whole, "\(mode)")
      }
    }
  }

  @Test func aSavedCheckIsOfItsProgram() throws {
    try inFolder { run, folder in
      let start = ["check", "counter.c", "--mode", "optimal"]
      let saved = try run(start + ["--executions", "5", "--checkpoint", "c", "--", "-DN=3"])
      #expect(saved.status == 3)
      #expect(saved.output.contains("saved in c: resume with --resume c"))
      func refusal(_ arguments: [String]) throws -> String {
        let outcome = try run(arguments)
        #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome.output)")
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        return outcome.error
      }
      #expect(try refusal(start + ["--resume", "c", "--", "-DN=2"]).contains("of another check"))
      #expect(
        try refusal(["check", "counter.c", "--resume", "c", "--", "-DN=3"])
          .contains("expected search 'stateful', found 'optimal'; ask for"))
      #expect(
        try refusal(["check", "treiber", "--mode", "optimal", "--resume", "c"])
          .contains("expected program 'treiber', found 'counter.c'; ask for"))
      try write(Self.counter + "\n", "counter.c", folder)
      let changed = try refusal(start + ["--resume", "c", "--", "-DN=3"])
      #expect(changed.contains("'c' is out of date: its text has changed since; check counter.c"))
      try write("nonsense", "c", folder)
      #expect(try refusal(start + ["--resume", "c", "--", "-DN=3"]).contains("not a checkpoint"))
    }
  }

  // MARK: Sweeps and pages

  @Test func settingsAreSwept() throws {
    try inFolder { run, folder in
      let all = try run(["sweep", "counter.c", "--define", "N=1..3"])
      #expect(all.status == 0, "\(all.error)")
      #expect(all.output.contains("counter.c: 3 of 3 combinations, 0 violated"))
      let torn = ["sweep", "counter.c", "--define", "N=1..3", "--", "-DTORN"]
      let first = try run(torn)
      #expect(first.status == 1)
      #expect(first.output.contains("N=2  ✗ violated"))
      #expect(first.output.contains("2 of 3 combinations, 1 violated; --all goes on"))
      #expect(first.output.contains("check counter.c -- -DTORN -DN=2"))
      let two = try run(["sweep", "counter.c", "--define", "N=1,3", "--define", "M=a,b", "--all"])
      #expect(two.output.contains("4 of 4 combinations, 0 violated"))
      for (arguments, message) in [
        (["sweep", "counter.c"], "sweep of a C program needs settings: --define NAME=VALUES"),
        (["sweep", "counter.c", "--define", "N"], "--define needs NAME=VALUES"),
        (["sweep", "counter.c", "--define", "N=3..1"], "--define needs NAME=VALUES"),
        (["sweep", "counter.c", "--define", "N=1", "--cpus", "2"], "--cpus is about systems"),
        (["sweep", "shared-memcache", "--define", "N=1"], "--define is about C programs"),
      ] {
        let outcome = try run(arguments)
        #expect(outcome.status == 2 && outcome.error.contains(message), "\(outcome.error)")
      }
    }
  }

  @Test func aFolderHasPages() throws {
    try inFolder { run, folder in
      let programs = folder.appendingPathComponent("programs")
      try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
      try write(Self.counter, "good.c", programs)
      try write("#define TORN\n" + Self.counter, "torn<.c", programs)
      try write("int main(void) { return nothing; }\n", "broken.c", programs)
      let arguments = ["check", "programs", "--html", "pages"]
      let outcome = try run(arguments + ["--", "-DN=2"])
      #expect(outcome.status == 2, "\(outcome.error)")
      #expect(outcome.output.contains("2 pages in pages: open index.html"))
      let pages = folder.appendingPathComponent("pages")
      let index = try String(
        contentsOf: pages.appendingPathComponent("index.html"), encoding: .utf8)
      #expect(index.contains("<a href=\"torn&lt;.c.html\">programs/torn&lt;.c</a>"))
      #expect(index.contains("use of undeclared identifier"))
      let page = try String(
        contentsOf: pages.appendingPathComponent("torn<.c.html"), encoding: .utf8)
      #expect(page.contains("counter = counter + 1;"))
      let again = try run(arguments)
      #expect(again.status == 2 && again.error.contains("'pages' exists; name another folder"))
    }
  }
}
