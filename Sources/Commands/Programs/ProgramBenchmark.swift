// C programs of the catalogue, for the command that measures speed.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkSupport

/// A program that is compiled and can be searched.
package struct ProgramBenchmark {
  private let program: Program

  /// Nil if there is no compiler.
  package init?(_ name: String, flags: [String], _ library: ProgramLibrary) {
    guard let compiler = try? Compiler.find(),
      let source = try? ProgramSource([name], flags, library),
      let program = try? source.compile(compiler).link()
    else { return nil }
    self.program = program
  }

  /// Runs a search to its end.
  package func search(_ strategy: Strategy, _ options: SearchOptions) -> SearchResult {
    do throws(Finding) {
      return try program.search(options) { strategy.search($0, $1) }.result
    } catch { fatalError("[internal] a benchmark cannot be run: \(error.message)") }
  }
}
