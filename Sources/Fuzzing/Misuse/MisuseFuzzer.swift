// Fuzzing checks with invalid models: wrong indices, addresses, names and bounds.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// Generates models that misuse the public API in every known way, and checks them.
///
/// Each must get a verdict or a one-line `CheckError`, within a bound on steps. A trap ends the
/// process and a hang blocks it; a model depends only on its seed, so bisecting the seeds finds it.
public struct MisuseFuzzer {
  /// A model that was handled wrongly.
  public struct Mismatch: Equatable, Sendable {
    public var seed: UInt64
    public var what: String
  }

  /// The results of a run.
  public struct Report: Equatable, Sendable {
    public var models = 0
    public var holding = 0
    public var violated = 0
    public var incomplete = 0
    /// Models refused with a one-line error.
    public var refused = 0
    public var transitions = 0
    public var mismatches: [Mismatch] = []
  }

  /// The maximum number of transitions of a check, which is bounded in states and executions.
  public static let transitionsMax = 3 * 4_096

  public init() {}

  /// Checks a model for each seed.
  public func run(
    seeds: Range<UInt64>, stopAfter: Int = 10, shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    for seed in seeds {
      if let what = Self.check(seed, &report) {
        report.mismatches.append(Mismatch(seed: seed, what: what))
      }
      report.models += 1
      if report.mismatches.count >= stopAfter || !shouldContinue(report) { break }
    }
    return report
  }

  /// The model of a seed, and the options with which it is checked.
  public static func model(_ seed: UInt64) -> (model: Model, options: CheckOptions) {
    var random = MisuseChoices(seed: seed)
    let options = random.options()
    return (random.model(seed), options)
  }

  private static func check(_ seed: UInt64, _ report: inout Report) -> String? {
    let (model, options) = model(seed)
    do throws(CheckError) {
      let found = try model.check(options)
      let transitions = found.statistics.transitions
      report.transitions += transitions
      switch found.verdict {
      case .holds: report.holding += 1
      case .violated:
        report.violated += 1
        if found.counterexample == nil { return "violated, and no counterexample" }
      case .incomplete: report.incomplete += 1
      }
      return transitions <= transitionsMax ? nil : "\(transitions) transitions"
    } catch {
      report.refused += 1
      let text = error.text(model: model.name)
      if text.contains("[internal]") { return text }
      return text.unicodeScalars.allSatisfy { !$0.isInvisible }
        ? nil : "refused in a line that acts on the terminal: \(text.printable)"
    }
  }
}

/// Random choices that are mostly valid, so that some mistakes happen late.
struct MisuseChoices {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: StableHash.mix(seed ^ 0x6D69_7375_7365)) }

  /// True once in `count` times.
  mutating func once(in count: Int) -> Bool { random.below(count) == 0 }

  mutating func below(_ count: Int) -> Int { random.below(count) }

  mutating func pick<Choice>(_ choices: [Choice]) -> Choice { random.pick(choices) }

  /// Numbers far outside every range, or just outside one.
  private static let wild = [
    -1, 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 70, 255, 256, 257, 65_535, 65_536, 65_537,
    1 << 24, 1 << 31, 1 << 32, 1 << 47, 1 << 62, .max, .max - 1, .min, .min + 1, -2, -256, -65_536,
  ]

  /// A number below a count, or occasionally any number.
  mutating func number(below count: Int) -> Int {
    once(in: 150) ? pick(Self.wild) : below(count)
  }

  mutating func word() -> UInt64 {
    switch below(6) {
    case 0: UInt64(bitPattern: Int64(pick(Self.wild)))
    case 1: random.next()
    // A plausible entry: a table or a page, pointing anywhere.
    case 2: UInt64(below(80)) << 12 | UInt64(below(4))
    case 3: (Descriptor.firstDataFrame + UInt64(below(4))) << 12 | random.next() & 0xFFF
    default: UInt64(below(3))
    }
  }

  mutating func name(_ usual: String) -> String {
    guard once(in: 150) else { return usual }
    return pick([
      "", " ", "\u{1B}[31mred", "a\nb", "\u{202E}rtl", "frame 0x0 owner", "root", "cpu 0",
      "cpu 0/rcu",
      "cpu 0/mmu", "boot", String(repeating: "n", count: 300), "\u{0}", "w0", "héllo, wörld 1",
    ])
  }

  mutating func options() -> CheckOptions {
    var options = CheckOptions()
    options.strategy = pick(Strategy.allCases)
    options.isExact = once(in: 5)
    options.seed = random.next()
    options.usesSymmetry = !once(in: 4)
    options.minimises = once(in: 40)
    options.recordsPictures = once(in: 10)
    options.priorityChanges = number(below: 3)
    options.jobs = once(in: 200) ? pick([0, -1, 2]) : 1
    options.limits.depth = once(in: 40) ? pick([-1, 0, 1, 5, .max, .min]) : 100
    options.limits.states = once(in: 200) ? pick([0, -1]) : 200
    options.limits.executions = once(in: 200) ? pick([0, -1]) : 50
    if once(in: 30) { options.limits.preemptions = number(below: 3) }
    if once(in: 200) { options.parameters = [pick(["size", "sise", ""]): number(below: 4)] }
    if once(in: 200) { options.invariants = [pick(["no-use-after-free", "nothing", "progress"])] }
    if once(in: 8) { options.features = pick(Architecture.all).features }
    options.watch = { $0.statistics.transitions < 4_096 }
    return options
  }

  mutating func model(_ seed: UInt64) -> Model {
    let plan = MisusePlan(&self)
    let expectation: Expectation =
      once(in: 200)
      ? .violates(pick([[], ["no-use-after-fre"], ["progress"]])) : .holds
    let outcomes = once(in: 200) ? [ExpectedOutcome(name("operation 0"), "0")] : []
    let exempt =
      once(in: 200) ? [Exemption(pick(["no-stale-use", "nobody-knows"]), "why not")] : []
    let instances: [[String: Int]] =
      once(in: 200) ? pick([[], [["size": 99]], [["sise": 1]], [["size": 2], [:]]]) : [[:]]
    let parameters =
      once(in: 2) ? [] : [Parameter("size", "a size", 1...3, standard: once(in: 200) ? 9 : 2)]
    return Model(
      name: name("misuse \(seed)"), summary: "a misuse", scenario: "None.", parameters: parameters,
      expectation: expectation, mustHappen: outcomes, exempt: exempt, instances: instances
    ) { plan.build($0) }
  }
}
