// gracewalk check on litmus tests: forms, exit statuses, what is refused.

import Foundation
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct LitmusCommandTests {
  private static let tests = [
    "mp.litmus":
      """
    C MP
    {}
    P0(int *x, int *y) { WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1); }
    P1(int *x, int *y) { int r0 = READ_ONCE(*y); int r1 = READ_ONCE(*x); }
    exists (1:r0=1 /\\ 1:r1=0)
    """,
    "count.litmus":
      """
    X86 count
    {}
     P0        | P1        ;
     ADD [x],$1 | ADD [x],$1 ;
    exists (x=1)
    """,
    "bad.litmus": "C bad\n{}\nP0(int *x) {\n  frobnicate(x);\n}\nexists (x=1)\n",
  ]

  private func run(_ arguments: [String]) throws -> CommandTests.Outcome {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let tests = folder.appendingPathComponent("tests")
    let empty = folder.appendingPathComponent("empty")
    for folder in [tests, empty] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in Self.tests {
      try Data(text.utf8).write(to: tests.appendingPathComponent(name))
    }
    return try CommandTests().run(["check"] + arguments, in: folder)
  }

  @Test func oneTestIsShownAsHerdShowsIt() throws {
    let outcome = try run(["tests/mp.litmus"])
    #expect(outcome.status == 1)
    let text = """
      Test MP Allowed
      States 3
      1:r0=0; 1:r1=0;
      1:r0=0; 1:r1=1;
      1:r0=1; 1:r1=1;
      No
      Witnesses
      Positive: 0 Negative: 3
      Condition exists (1:r0=1 /\\ 1:r1=0)
      Observation MP Never 0 3

      """
    #expect(outcome.output.hasPrefix(text), "\(outcome.output)")
    #expect(try run(["tests/count.litmus"]).status == 0)
  }

  @Test func whatIsNotReadIsRefused() throws {
    let outcome = try run(["tests/bad.litmus"])
    #expect(outcome.status == 2)
    #expect(outcome.error == "gracewalk: tests/bad.litmus:4: 'frobnicate' is not known\n")
  }

  @Test func aFolderIsATable() throws {
    let outcome = try run(["tests"])
    #expect(outcome.status == 2)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4, "\(outcome.output)")
    #expect(lines[0] == "tests/bad.litmus    not read: line 4: 'frobnicate' is not known")
    #expect(lines[1].hasPrefix("tests/count.litmus  Sometimes  Ok"))
    #expect(lines[2].hasPrefix("tests/mp.litmus     Never      No"))
    #expect(lines[3] == "3 tests: 1 Ok, 1 No, 1 not read")
    #expect(try run(["tests/mp.litmus", "tests/count.litmus"]).status == 1)
    #expect(try run(["tests/mp.litmus", "--states", "2"]).status == 3)
  }

  @Test func buildServersReadIt() throws {
    let outcome = try run(["tests", "--format", "junit"])
    #expect(outcome.status == 2)
    let name = "litmus --memory sc"
    let counts = "tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\""
    #expect(outcome.output.contains("<testsuite name=\"\(name)\" \(counts)"), "\(outcome.output)")
    for text in [
      "<error message=\"line 4: 'frobnicate' is not known\" type=\"not-read\">",
      "<testcase name=\"tests/count.litmus\" classname=\"gracewalk.\(name)\"",
      "<failure message=\"Never: exists (1:r0=1 /\\ 1:r1=0)\" type=\"No\">Test MP Allowed",
    ] {
      #expect(outcome.output.contains(text), "\(outcome.output)")
    }
  }

  @Test(arguments: [
    (["tests/mp.litmus", "--set", "walkers=2"], "--set is about models"),
    (
      ["tests/mp.litmus", "--format", "sarif"],
      "--format sarif is not for litmus tests: the forms there are text, json, junit"
    ),
    (["tests/mp.litmus", "collapse"], "neither a file *.litmus nor a folder"),
    (["none.litmus"], "cannot read 'none.litmus'"),
    (["empty"], "there is no file *.litmus"),
  ])
  func misuseIsRefused(arguments: [String], message: String) throws {
    let outcome = try run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.error.contains(message), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
  }
}
