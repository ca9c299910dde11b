// The same random programs as models and as C code.

import Foundation
import GracewalkCommands
import GracewalkFuzzing
import TestExpectations
import Testing

private let hasClang = (try? Compiler.find()) != nil

@Suite(.tags(.process), .unlessQuick, .enabled(if: hasClang, "there is no clang"))
struct TwinTests {
  private func report(
    _ seeds: Range<UInt64>, changing change: @escaping (String) -> String = { $0 }
  ) throws -> TwinFuzzer.Report {
    let compiler = try Compiler.find()
    return try TwinFuzzer(changing: change) { try compiler.module(of: $0) }.run(seeds: seeds)
  }

  @Test func modelsAndCodeAgree() throws {
    let report = try report(0..<300)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    #expect(report.skipped == 0)
    // Some are wrong, and others have several outcomes, or the test would show little.
    #expect(report.wrong == 6 && report.outcomes == 661)
  }

  @Test func aChangeOfTheCodeIsFound() throws {
    // What a compare-exchange has read is lost.
    let report = try report(0..<50) {
      $0.replacingOccurrences(of: "a = e;", with: "a = 0;")
    }
    #expect(!report.mismatches.isEmpty)
  }
}
