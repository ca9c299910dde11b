// gracewalk fuzz --traces: mutates traces of the catalogue, and tests that the reader refuses them.

import GracewalkChecking
import GracewalkCommands
import GracewalkFuzzing
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

enum TraceFuzzCommand {
  static let option = Option(
    name: "traces", value: "N", help: "mutate traces of the catalogue N times, and replay them")

  static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
    for option in FuzzCommand.command.options
    where !["traces", "seed", "progress"].contains(option.name) && arguments.has(option.name) {
      throw UsageError(
        "--traces and --\(option.name) contradict each other: it is about files, not about searches"
      )
    }
    let count = try arguments.count("traces", upTo: 1_000_000_000) ?? 0
    let seed = UInt64(try arguments.countFromZero("seed") ?? 0)
    Terminal.catchInterrupts()
    let report = TraceFuzzer(try traces(arguments.models)).run(seeds: seed..<(seed + UInt64(count)))
    { report in
      Terminal.shouldContinue(
        "fuzz: \(grouped(report.mutants)) of \(counted(count, "mutant")); "
          + "mismatches: \(report.mismatches.count)")
    }
    Terminal.clearProgress()
    for mismatch in report.mismatches {
      print("MISMATCH seed \(mismatch.seed): \(mismatch.what.printable)")
    }
    print(
      "\(counted(report.mutants, "mutant")), \(grouped(report.intact)) with a checksum that fits, "
        + "\(grouped(report.run)) refused after they were read, \(grouped(report.accepted)) "
        + "accepted; mismatches: \(report.mismatches.count)")
    return ExitStatus.fuzzed(mismatches: report.mismatches.count, isWhole: report.mutants == count)
  }

  /// A trace of each broken model.
  private static func traces(
    _ models: [Model]
  ) throws(UsageError) -> [(model: Model, trace: Trace)] {
    var traces: [(model: Model, trace: Trace)] = []
    for model in models where model.omission != nil {
      if let trace = try CheckCommand.timedCheck(model, CheckOptions()).0.counterexample {
        traces.append((model, trace))
      }
    }
    return traces
  }
}
