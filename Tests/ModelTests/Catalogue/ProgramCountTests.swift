// Exact counts of the C programs of the catalogue; the exhaustive search agrees.

import Foundation
import GracewalkCommands
import GracewalkModels
import TestExpectations
import Testing

private let hasClang = (try? Compiler.find()) != nil

@Suite(.tags(.process), .unlessQuick, .enabled(if: hasClang, "there is no clang"))
struct ProgramCountTests {
  private struct Document: Decodable {
    var verdict: String
    var completeExecutions: Int
    var spinningExecutions: Int
    var transitions: Int
    var states: Int
    var finding: Finding?

    struct Finding: Decodable {
      var kind: String
    }
  }

  /// Programs whose exhaustive search is large.
  private static let large: Set = ["chase-lev", "left-right", "page-table", "table-free"]

  private static var names: [String] {
    Programs.files.map(\.name).filter { $0.hasSuffix(".c") }.map { String($0.dropLast(2)) }
  }

  private func document(_ arguments: [String]) throws -> Document {
    // With the ending it is the program, whatever models are called.
    let words = ["check", "\(arguments[0]).c"] + arguments.dropFirst() + ["--format", "json"]
    let outcome = try CommandTests.outcome(words)
    #expect(outcome.error.isEmpty)
    return try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
  }

  @Test(arguments: names)
  func countsAreExact(_ name: String) throws {
    let found = try document([name])
    try Counts("Programs").expect(
      [
        "complete": found.completeExecutions, "spinning": found.spinningExecutions,
        "transitions": found.transitions, "states": found.states,
      ], for: "\(name) (\(found.finding?.kind ?? found.verdict))")
  }

  /// Programs with the memory models that they declare a verdict under.
  private static var weak: [(name: String, memory: String)] {
    Programs.files.flatMap { file in
      String(decoding: file.bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
        guard line.hasPrefix("// under ") else { return nil }
        let memory = line.dropFirst("// under ".count).prefix { $0 != ":" }
        return (String(file.name.dropLast(2)), String(memory))
      }
    }
  }

  @Test(arguments: weak)
  func countsUnderOtherModelsAreExact(_ name: String, _ memory: String) throws {
    let found = try document([name, "--memory", memory])
    try Counts("Programs").expect(
      [
        "complete": found.completeExecutions, "spinning": found.spinningExecutions,
        "transitions": found.transitions, "states": found.states,
      ], for: "\(name) \(memory) (\(found.finding?.kind ?? found.verdict))")
  }

  @Test(arguments: names.filter { !large.contains($0) })
  func theExhaustiveSearchAgrees(_ name: String) throws {
    let (reduced, all) = (try document([name]), try document([name, "--mode", "exhaustive"]))
    #expect(reduced.verdict == all.verdict)
    // The simplest execution is the same, whichever search has found one.
    #expect(reduced.finding?.kind == all.finding?.kind)
  }
}
