// gracewalk fuzz --threads, --twins and --ir: random programs as LLVM IR and as C, and mutated IR.

import GracewalkCommands
import GracewalkFuzzing
import GracewalkReporting
import GracewalkSupport

enum ThreadsFuzzCommand {
  static let option = Option(
    name: "threads", value: "N", help: "compare the searches on N random programs in LLVM IR")
  static let mutants = Option(
    name: "ir", value: "N", help: "mutate LLVM IR N times, and check what is read")

  static let twins = Option(
    name: "twins", value: "N", help: "compare N random programs as models and as C code")

  static let orders = Option(
    name: "orders", value: "N",
    help: "compare N random programs in LLVM IR with litmus tests, under each memory model")

  private static func seeds(
    _ arguments: Arguments, _ name: String
  ) throws(UsageError) -> Range<UInt64> {
    for option in FuzzCommand.command.options
    where ![name, "seed", "progress"].contains(option.name) && arguments.has(option.name) {
      throw UsageError("--\(name) and --\(option.name) contradict each other")
    }
    let count = try arguments.count(name, upTo: 1_000_000_000) ?? 0
    let seed = UInt64(try arguments.countFromZero("seed") ?? 0)
    Terminal.catchInterrupts()
    return seed..<(seed + UInt64(count))
  }

  private typealias Mismatches = [(seed: UInt64, what: String)]

  /// Shows progress; false after an interrupt.
  private static func shouldContinue(
    after programs: Int, of seeds: Range<UInt64>, _ mismatches: Mismatches
  ) -> Bool {
    Terminal.shouldContinue(
      "fuzz: \(grouped(programs)) of \(counted(seeds.count, "program")); "
        + "mismatches: \(mismatches.count)")
  }

  /// Prints the mismatches and what was done, and returns the exit status.
  private static func finish(
    _ mismatches: Mismatches, isWhole: Bool, _ text: String
  ) -> Int32 {
    Terminal.clearProgress()
    for mismatch in mismatches { print("MISMATCH seed \(mismatch.seed): \(mismatch.what)") }
    print("\(text); mismatches: \(mismatches.count)")
    return ExitStatus.fuzzed(mismatches: mismatches.count, isWhole: isWhole)
  }

  static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
    let seeds = try seeds(arguments, "threads")
    let report = ThreadsFuzzer().run(seeds: seeds) {
      shouldContinue(after: $0.programs, of: seeds, $0.mismatches)
    }
    return finish(
      report.mismatches, isWhole: report.programs == seeds.count,
      "\(counted(report.programs, "program")), \(grouped(report.wrong)) with a finding, "
        + "\(grouped(report.skipped)) too large")
  }

  static func compareTwins(_ arguments: Arguments) throws -> Int32 {
    let seeds = try seeds(arguments, "twins")
    let compiler = try Compiler.find()
    let report = try TwinFuzzer { try compiler.module(of: $0) }.run(seeds: seeds) {
      shouldContinue(after: $0.programs, of: seeds, $0.mismatches)
    }
    return finish(
      report.mismatches, isWhole: report.programs == seeds.count,
      "\(counted(report.programs, "program")), \(grouped(report.wrong)) with a finding, "
        + "\(grouped(report.skipped)) too large, \(counted(report.outcomes, "outcome"))")
  }

  static func compareOrders(_ arguments: Arguments) throws(UsageError) -> Int32 {
    let seeds = try seeds(arguments, "orders")
    let report = OrderFuzzer().run(seeds: seeds) {
      shouldContinue(after: $0.programs, of: seeds, $0.mismatches)
    }
    let weak = report.weak.map { "\(grouped($0.programs)) weaker under \($0.model)" }
    return finish(
      report.mismatches, isWhole: report.programs == seeds.count,
      "\(counted(report.programs, "program")), \(weak.joined(separator: ", ")), "
        + "\(grouped(report.skipped)) too large, \(counted(report.outcomes, "final state"))")
  }

  static func mutate(_ arguments: Arguments) throws(UsageError) -> Int32 {
    let seeds = try seeds(arguments, "ir")
    let report = IRFuzzer().run(seeds: seeds) { report in
      Terminal.shouldContinue(
        "fuzz: \(grouped(report.mutants)) of \(counted(seeds.count, "mutant"))")
    }
    return finish(
      report.mismatches, isWhole: report.mutants == seeds.count,
      "\(counted(report.mutants, "mutant")), \(grouped(report.refused)) refused, "
        + "\(grouped(report.judged)) with a verdict")
  }
}
