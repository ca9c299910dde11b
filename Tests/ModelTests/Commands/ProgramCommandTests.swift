// C programs on the command line: the examples have the verdicts that their first lines declare.

import Foundation
import GracewalkCommands
import GracewalkModels
import TestExpectations
import Testing

private let hasClang = (try? Compiler.find()) != nil

@Suite(.tags(.process), .unlessQuick, .enabled(if: hasClang, "there is no clang"))
struct ProgramCommandTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("models/C")

  static var examples: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".c") }.sorted()
  }

  private func check(_ arguments: [String]) throws -> CommandTests.Outcome {
    try CommandTests.outcome(["check"] + arguments)
  }

  private func path(_ name: String) -> String { Self.folder.appendingPathComponent(name).path }

  /// Writes a file for the body, and removes it.
  private func withFile(_ text: String, _ ending: String, _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).\(ending)")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }

  @Test(arguments: ProgramCommandTests.examples)
  func examplesAreAsDeclared(_ name: String) throws {
    let text = try String(contentsOfFile: path(name), encoding: .utf8)
    let declared = text.prefix { $0 != "\n" }.dropFirst(3)
    for mode in ["stateful", "optimal"] {
      let outcome = try check([path(name), "--mode", mode])
      if declared.hasPrefix("holds") {
        #expect(outcome.status == 0, "\(name): \(outcome.output)\(outcome.error)")
        #expect(outcome.output.contains("✓ holds"))
        continue
      }
      #expect(outcome.status == 1, "\(name): \(outcome.output)\(outcome.error)")
      let kinds = declared.dropFirst("violates ".count).prefix { $0 != ":" }
        .components(separatedBy: " or ")
      #expect(kinds.contains { outcome.output.contains("✗ \($0)\n") }, "\(outcome.output)")
    }
  }

  /// `dirty-log` is a model, too.
  @Test func aModelComesBeforeAProgramOfItsName() throws {
    let model = try check(["dirty-log", "--states", "10"])
    #expect(model.output.contains("\n  scenario: "))
    let program = try check(["dirty-log.c"])
    #expect(program.status == 0)
    #expect(program.output.contains("✓ holds"))
    #expect(!program.output.contains("\n  scenario: "))
    #expect(try check(["dirty-log", "--no-races"]).error.contains("is about C programs"))
    #expect(try check(["page-table", "--no-races"]).error.isEmpty)
  }

  @Test func thereAreExamplesOfBothKinds() {
    #expect(Self.examples.count >= 24)
    #expect(Self.examples == Programs.files.map(\.name), "models/Programs.swift names all files")
  }

  @Test func countsAreExact() throws {
    let outcome = try check([path("ticket-lock.c"), "--mode", "optimal"])
    // Three threads in every order.
    #expect(outcome.output.contains("optimal: 6 complete executions,"))
  }

  @Test func severalThreadsFindTheSame() throws {
    let one = try check([path("treiber.c"), "--format", "sarif"])
    let two = try check([path("treiber.c"), "--format", "sarif", "--jobs", "2"])
    #expect(one.output == two.output && one.status == 0 && two.status == 0)
    let broken = try check([path("treiber-without-tag.c"), "--jobs", "2"])
    #expect(broken.output.contains("✗ assertion"))
  }

  @Test func aFindingHasItsPlace() throws {
    let outcome = try check([path("counter.c")])
    #expect(outcome.output.contains("a data race on counter"))
    #expect(outcome.output.contains("counter.c:9, in worker, by thread 2"))
    #expect(outcome.output.contains("and the plain write of thread 1"))
    #expect(!outcome.output.contains("the other access"))
    let page = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).html").path
    defer { try? FileManager.default.removeItem(atPath: page) }
    #expect(try check([path("counter.c"), "--html", page]).status == 1)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("data race on counter"))
    let json = try check([path("counter.c"), "--format", "json"])
    #expect(json.output.contains("\"kind\" : \"race\""))
  }

  @Test func errorsOfTheCompilerAreShown() throws {
    try withFile("int main(void) { return undeclared; }\n", "c") { file in
      let outcome = try check([file])
      #expect(outcome.status == 2)
      #expect(outcome.error.contains("use of undeclared identifier 'undeclared'"))
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func flagsAreForTheCompiler() throws {
    try withFile("int main(void) { __builtin_assume(1); return N; }\n", "c") { file in
      let (without, with) = (try check([file]), try check([file, "--", "-DN=0"]))
      #expect((without.status, with.status) == (2, 0))
    }
  }

  @Test func whatIsNotSupportedIsNamed() throws {
    try withFile("int unknown(void);\nint main(void) {\n  return unknown();\n}\n", "c") { file in
      let outcome = try check([file])
      #expect(outcome.status == 2)
      #expect(outcome.error.contains(":3: not supported: a call of unknown, which is not defined"))
    }
    try withFile("define i32 @main() {\n  %a = frob i32 1\n  ret i32 0\n}\n", "ll") { file in
      let outcome = try check([file])
      #expect(outcome.status == 2)
      #expect(outcome.error.contains(":2: the instruction 'frob' is not known"))
    }
  }

  @Test func aNewProgramHasARaceThatCanBeMended() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).c").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(try CommandTests.outcome(["init", file]).status == 0)
    let race = try check([file])
    #expect(race.status == 1)
    #expect(race.output.contains("a data race on message"))
    #expect(try check([file, "--", "-DMENDED"]).status == 0)
    let again = try CommandTests.outcome(["init", file])
    #expect(again.status == 2)
    #expect(again.error.contains("exists; name a new file"))
  }

  @Test func optionsOfModelsAreRefused() throws {
    let outcome = try check([path("counter.c"), "--no-symmetry"])
    #expect(outcome.status == 2)
    #expect(outcome.error.contains("--no-symmetry is about models"))
    let without = try check([path("counter.c"), "--without", "unlock"])
    #expect(without.error.contains("--without needs a step such as queue.c:31/relaxed"))
    let other = try check(["collapse-locked-descendants", "--unroll", "2"])
    #expect(other.status == 2)
    #expect(other.error.contains("--unroll is about C programs"))
  }
}
