// gracewalk fuzz: check the checker, on random programs, against the exhaustive search.

import Gracewalk
import Reporting

enum FuzzCommand {
  static let command = Command(
    name: "fuzz", operands: "",
    summary: "hold the searches against the exhaustive one on random programs",
    details: [
      "Every random program is explored exhaustively and by the search, or by all that reduce if",
      "no other option tells which, with and without invariants; verdicts, final states, and how",
      "operations end and entries change must be the same. Exit status 1 on a mismatch, 3 where",
      "Ctrl-C ended it before; what there was until then is said.",
    ],
    options: [
      Option(name: "programs", value: "N", help: "how many programs (10000)"),
      TraceFuzzCommand.option,
      Option(name: "seed", value: "N", help: "seed of the first program (0)"),
      SharedOptions.mode, SharedOptions.exact, SharedOptions.jobs,
      Option(
        name: "pieces", value: "N", help: "save the search every N transitions, and go on anew"),
      Option(name: "size", value: "small|full", help: "how large programs get (full)"),
      Option(name: "loops", value: nil, help: "programs with bounded loops"),
      Option(name: "hardware", value: nil, help: "programs with guests and hardware walks"),
      Option(
        name: "repeats", value: nil,
        help: "programs with loops that forget; holds the search for livelocks against its oracle"),
      Option(name: "interrupts", value: nil, help: "programs that mask interrupts"),
      Option(name: "slabs", value: nil, help: "programs whose freed pages come back at once"),
      Option(name: "contexts", value: nil, help: "programs with a VM that owns the table pages"),
      Option(
        name: "symmetry", value: nil,
        help: "programs with identical CPUs; the stateful search exchanges them"),
    ],
    run: run)

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.operands.isEmpty else { throw UsageError("fuzz takes no operands") }
    if arguments.has("traces") { return try TraceFuzzCommand.run(arguments) }
    let count = try arguments.count("programs", upTo: 1_000_000_000) ?? 10_000
    let seed = try arguments.countFromZero("seed") ?? 0
    let isSmall = try arguments.choice("size", of: ["small", "full"]) == "small"
    let seeds = UInt64(seed)..<UInt64(seed + count)
    let fuzzer = try fuzzer(arguments, isSmall: isSmall)
    Terminal.catchInterrupts()
    let report = fuzzer.run(seeds: seeds, size: isSmall ? .small : .full) { report in
      Terminal.goOn(
        "fuzz: \(grouped(report.programs)) of \(counted(count, "program")), "
          + "\(counted(report.transitions, "transition")); mismatches: \(report.mismatches.count)")
    }
    Terminal.clearProgress()
    for mismatch in report.mismatches {
      print("MISMATCH seed \(mismatch.seed): \(mismatch.what); at its simplest:")
      mismatch.program.forEach { print("  \($0)") }
    }
    print(
      "\(counted(report.programs, "program")), \(grouped(report.violated)) with a violation, "
        + (report.skipped > 0 ? "\(counted(report.skipped, "comparison")) too large, " : "")
        + "\(counted(report.transitions, "transition")); mismatches: \(report.mismatches.count)")
    return ExitStatus.fuzzed(mismatches: report.mismatches.count, isWhole: report.programs == count)
  }

  /// The comparison that is asked for.
  private static func fuzzer(
    _ arguments: Arguments, isSmall: Bool
  ) throws(UsageError) -> Fuzzer {
    let chosen = try SharedOptions.strategy(arguments)
    let strategy = chosen ?? .stateful
    guard strategy.isComplete else {
      throw UsageError(
        "--mode \(strategy.rawValue) samples executions; there is nothing to compare")
    }
    let jobs = try SharedOptions.jobs(arguments, strategy)
    let isExact = try SharedOptions.isExact(arguments, strategy)
    let usesSymmetry = arguments.has("symmetry")
    guard !usesSymmetry || strategy == .stateful else {
      throw UsageError("--symmetry is about --mode stateful, not \(strategy.rawValue)")
    }
    guard !usesSymmetry || !isExact else {
      throw UsageError("--symmetry and --exact contradict each other: leave one of them out")
    }
    guard !usesSymmetry || !arguments.has("loops") else {
      throw UsageError("--symmetry and --loops contradict each other: leave one of them out")
    }
    if arguments.has("repeats") {
      for option in ["mode", "exact", "jobs", "loops", "symmetry", "hardware"]
      where arguments.has(option) {
        throw UsageError(
          "--repeats and --\(option) contradict each other: it is about the search for livelocks")
      }
    }
    let piece = try arguments.count("pieces", upTo: 1_000_000_000)
    guard piece == nil || jobs == 1 else {
      throw UsageError("--pieces and --jobs contradict each other: one thread alone is saved")
    }
    let testsAll = chosen == nil && !isExact && !usesSymmetry && jobs == 1 && piece == nil
    var fuzzer =
      testsAll
      ? Fuzzer(Strategy.reduced)
      : Fuzzer(
        strategy, isExact: isExact, usesSymmetry: usesSymmetry, jobs: jobs, inPiecesOf: piece)
    guard !arguments.has("hardware") || !usesSymmetry && !arguments.has("loops") else {
      throw UsageError("--hardware goes with neither --symmetry nor --loops")
    }
    guard !arguments.has("interrupts") || !arguments.has("loops") else {
      throw UsageError("--interrupts and --loops contradict each other: leave one of them out")
    }
    fuzzer.hasLoops = arguments.has("loops")
    fuzzer.hasHardware = arguments.has("hardware")
    fuzzer.hasRepeats = arguments.has("repeats")
    fuzzer.piece = piece
    fuzzer.masksInterrupts = arguments.has("interrupts")
    fuzzer.hasSlabs = arguments.has("slabs")
    fuzzer.hasContexts = arguments.has("contexts")
    // Identical CPUs have the same in mind: many small programs tell more than a few large ones.
    if usesSymmetry && isSmall { fuzzer.statesMax = 20_000 }
    // Without states, what hardware does of its own accord takes many executions.
    if arguments.has("hardware") && isSmall { fuzzer.statesMax = 2_000 }
    return fuzzer
  }
}

extension ExitStatus {
  /// What a fuzzer found; one that was interrupted has found less than it was to look for.
  static func fuzzed(mismatches: Int, isWhole: Bool) -> Int32 {
    if mismatches > 0 { return violated }
    return isWhole ? holds : incomplete
  }
}
