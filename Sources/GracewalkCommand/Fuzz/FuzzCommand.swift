// gracewalk fuzz: tests the searches against the exhaustive one on random programs.

import GracewalkChecking
import GracewalkCommands
import GracewalkFuzzing
import GracewalkReporting

enum FuzzCommand {
  static let command = Command(
    name: "fuzz", operands: "",
    summary: "compare the searches with the exhaustive one on random programs",
    details: [
      "Every random program is explored exhaustively and by the search under test, or by all that",
      "reduce unless an option picks one, with and without invariants. Verdicts, final states,",
      "results of operations and changes of entries must agree; and any two steps that footprints",
      "call independent must lead to the same in both orders. With --interpreter the exhaustive",
      "search itself is compared with an interpreter that has no code in common with it. Exit",
      "status: 1 on a mismatch, 3 if Ctrl-C ended it early; results so far are printed.",
    ],
    options: [
      Option(name: "programs", value: "N", help: "how many programs (10000)"),
      TraceFuzzCommand.option, MisuseFuzzCommand.option, ThreadsFuzzCommand.option,
      ThreadsFuzzCommand.mutants, ThreadsFuzzCommand.twins, ThreadsFuzzCommand.orders,
      Option(name: "seed", value: "N", help: "seed of the first program (0)"),
      SharedOptions.mode, SharedOptions.exact, SharedOptions.jobs, SharedOptions.memory,
      Option(
        name: "pieces", value: "N", help: "save the search and resume it every N transitions"),
      Option(
        name: "pairs", value: "N",
        help: "states of a program in which two steps are taken in both orders (100)"),
      Option(name: "size", value: "small|full", help: "how large programs get (full)"),
      Option(name: "levels", value: "2|3", help: "levels of the programs' tables (2)"),
      Option(
        name: "symmetry", value: nil,
        help: "programs with identical CPUs; the stateful search exchanges them"),
      Option(
        name: "interpreter", value: nil,
        help: "compare the exhaustive search with an interpreter of its own"),
    ] + kinds.map { Option(name: $0.name, value: nil, help: $0.help) } + [
      Option(
        name: "all", value: nil,
        help: "all of these together, but --repeats, and --hardware where it cannot be"),
      ProgressLine.option,
    ] + WorkOptions.all,
    run: run)

  /// The switches that add kinds of instructions.
  private static let kinds: [(name: String, mix: RandomProgram.Mix, help: String)] = [
    ("loops", .loops, "programs with bounded loops"),
    ("hardware", .hardware, "programs with guests and hardware walks"),
    ("interrupts", .interrupts, "programs that mask interrupts"),
    ("slabs", .slabs, "programs whose freed pages come back at once"),
    ("contexts", .contexts, "programs with a VM that owns the table pages"),
    ("primitives", .primitives, "programs that try locks, change bits, and assume things"),
    ("repeats", .repeats, "programs with loops that forget: for the search for livelocks"),
  ]

  private static func run(_ arguments: Arguments) throws -> Int32 {
    guard arguments.operands.isEmpty else { throw UsageError("fuzz takes no operands") }
    if arguments.has("traces") { return try TraceFuzzCommand.run(arguments) }
    if arguments.has("threads") { return try ThreadsFuzzCommand.run(arguments) }
    if arguments.has("twins") { return try ThreadsFuzzCommand.compareTwins(arguments) }
    if arguments.has("orders") { return try ThreadsFuzzCommand.compareOrders(arguments) }
    if arguments.has("ir") { return try ThreadsFuzzCommand.mutate(arguments) }
    if arguments.has("misuse") { return try MisuseFuzzCommand.run(arguments) }
    let request = try request(arguments)
    let count = request.seeds.count
    Terminal.catchInterrupts()
    let report = request.report(by: try arguments.executor()) { report in
      Terminal.shouldContinue(
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
        + (report.unknown > 0 ? "\(grouped(report.unknown)) not known to the interpreter, " : "")
        + "\(counted(report.transitions, "transition")), \(counted(report.pairs, "pair")); "
        + "mismatches: \(report.mismatches.count)")
    return ExitStatus.fuzzed(mismatches: report.mismatches.count, isWhole: report.programs == count)
  }

  /// The comparison that the arguments choose.
  private static func request(_ arguments: Arguments) throws(UsageError) -> FuzzRequest {
    let count = try arguments.count("programs", upTo: 1_000_000_000) ?? 10_000
    let seed = try arguments.countFromZero("seed") ?? 0
    var request = FuzzRequest(seeds: UInt64(seed)..<UInt64(seed + count))
    if try arguments.choice("size", of: ["small", "full"]) == "small" { request.size = .small }
    request.isDeep = try arguments.choice("levels", of: ["2", "3"]) == "3"
    try addSearch(arguments, to: &request)
    request.mix = try mix(arguments)
    if let model = try SharedOptions.memory(arguments) { request.memoryModel = model }
    if let problem = request.memoryProblem { throw UsageError(problem) }
    request.statesOfPairsMax = try arguments.countFromZero("pairs") ?? request.statesOfPairsMax
    request.usesInterpreter = arguments.has("interpreter")
    return request
  }

  /// The search under test, and how it is run.
  private static func addSearch(
    _ arguments: Arguments, to request: inout FuzzRequest
  ) throws(UsageError) {
    if arguments.has("interpreter") {
      for option in ["mode", "exact", "jobs", "memory", "pieces", "pairs", "hardware", "repeats"]
      where arguments.has(option) {
        throw UsageError(
          "--interpreter and --\(option) contradict each other: it runs every interleaving of "
            + "programs without hardware and repeats, under sequential consistency")
      }
    }
    request.strategy = try SharedOptions.strategy(arguments)
    let strategy = request.strategy ?? .stateful
    guard strategy.isComplete else {
      throw UsageError(
        "--mode \(strategy.rawValue) samples executions; there is nothing to compare")
    }
    request.jobs = try SharedOptions.jobs(arguments, strategy)
    request.isExact = try SharedOptions.isExact(arguments, strategy)
    request.usesSymmetry = arguments.has("symmetry")
    guard !request.usesSymmetry || strategy == .stateful else {
      throw UsageError("--symmetry is about --mode stateful, not \(strategy.rawValue)")
    }
    guard !request.usesSymmetry || !request.isExact else {
      throw UsageError("--symmetry and --exact contradict each other: leave one of them out")
    }
    request.piece = try arguments.count("pieces", upTo: 1_000_000_000)
  }

  /// The kinds of instructions that the arguments choose.
  private static func mix(_ arguments: Arguments) throws(UsageError) -> RandomProgram.Mix {
    let isSymmetric = arguments.has("symmetry")
    let asked = kinds.filter { arguments.has($0.name) }
    let mix = asked.reduce(into: RandomProgram.Mix()) { $0.insert($1.mix) }
    if mix.contains(.repeats) {
      for option in ["mode", "exact", "symmetry"] where arguments.has(option) {
        throw UsageError(
          "--repeats and --\(option) contradict each other: --repeats is about the search for "
            + "livelocks alone")
      }
    }
    if isSymmetric, mix.contains(.hardware) {
      throw UsageError(
        "--hardware and --symmetry contradict each other: CPUs with an MMU are not identical")
    }
    guard arguments.has("all") else { return mix }
    if let kind = asked.first(where: { $0.mix != .repeats }) {
      throw UsageError("--all includes --\(kind.name) already: leave one of them out")
    }
    let hasNoHardware = isSymmetric || arguments.has("interpreter")
    return mix.union(hasNoHardware ? .allOfIdenticalCPUs : .all)
  }
}

extension ExitStatus {
  /// The exit status of a fuzzer; an interrupted one is incomplete.
  static func fuzzed(mismatches: Int, isWhole: Bool) -> Int32 {
    if mismatches > 0 { return violated }
    return isWhole ? holds : incomplete
  }
}
