// gracewalk fuzz --misuse: checks models that misuse the API; each must get a verdict or an error.

import GracewalkChecking
import GracewalkCommands
import GracewalkFuzzing
import GracewalkReporting
import GracewalkSupport

enum MisuseFuzzCommand {
  static let option = Option(
    name: "misuse", value: "N", help: "check N made-up models that misuse the API")

  static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
    for option in FuzzCommand.command.options
    where !["misuse", "seed"].contains(option.name) && arguments.has(option.name) {
      throw UsageError(
        "--misuse and --\(option.name) contradict each other: it is about errors, not about "
          + "searches")
    }
    let count = try arguments.count("misuse", upTo: 1_000_000_000) ?? 0
    let seed = UInt64(try arguments.countFromZero("seed") ?? 0)
    Terminal.catchInterrupts()
    let report = MisuseFuzzer().run(seeds: seed..<(seed + UInt64(count))) { report in
      Terminal.shouldContinue(
        "fuzz: \(grouped(report.models)) of \(counted(count, "model")); "
          + "mismatches: \(report.mismatches.count)")
    }
    Terminal.clearProgress()
    for mismatch in report.mismatches {
      print("MISMATCH seed \(mismatch.seed): \(mismatch.what.printable)")
    }
    print(
      "\(counted(report.models, "model")): \(grouped(report.holding)) hold, "
        + "\(grouped(report.violated)) are violated, \(grouped(report.incomplete)) hit a bound, "
        + "\(grouped(report.refused)) were refused in a line; "
        + "mismatches: \(report.mismatches.count)")
    return ExitStatus.fuzzed(mismatches: report.mismatches.count, isWhole: report.models == count)
  }
}
