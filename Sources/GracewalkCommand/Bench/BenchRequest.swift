// A row of the measurements as a value that another machine can fill in.

import GracewalkChecking
import GracewalkExploration
import GracewalkSupport

/// One program and search to measure, as a unit of work.
struct BenchRequest: WorkUnit {
  private let program: String
  private let strategy: Strategy
  private let usesSymmetry: Bool
  private let jobs: Int

  init(_ program: BenchProgram, jobs: Int) {
    self.program = program.name
    strategy = program.strategy
    usesSymmetry = program.usesSymmetry
    self.jobs = jobs
  }

  /// What it measures is time.
  var isTimed: Bool { true }

  func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> BenchRow {
    let programs = (try? BenchProgram.named([program])) ?? []
    guard
      let found = programs.first(where: {
        $0.strategy == strategy && $0.usesSymmetry == usesSymmetry
      })
    else { throw .badOptions("there is no program '\(program.excerpt())' to measure here") }
    return BenchRow(measuring: found, jobs: jobs)
  }
}
