// Mutates LLVM IR: what is read must get a verdict, and what is not, one clear line.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

package struct IRFuzzer {
  package struct Report {
    package var mutants = 0
    /// Mutants that were not read, and those that were checked.
    package var refused = 0
    package var judged = 0
    package var mismatches: [(seed: UInt64, what: String)] = []
  }

  private static let pieces = [
    "%", "@", "!", "#", "{", "}", "[", "]", "(", ")", "<", ">", ",", "\"", "\\", "c\"", "-", "0",
    "99999999999999999999", "16777216", "i0", "i1", "i65", "i128", "ptr", "void", "label", "\n",
    "define", "declare", "getelementptr", "phi i32", "switch", "align", "splat", "<{", "!dbg",
    "alloca [16777215 x i8]", "[1000000000 x {}]", "ret", "br label %b1", "undef", "poison",
    "@main", "null", "zeroinitializer", "...", "i32 -1", "i64 9223372036854775807", "unreachable",
  ]

  package init() {}

  /// The text that a seed stands for: a program, mutated.
  package static func text(seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed ^ 0x6972)
    var bytes = Array(RandomThreads.text(seed: seed).utf8)
    for _ in 0..<1 + random.below(3) {
      let at = random.below(bytes.count)
      switch random.below(14) {
      case 0: bytes.remove(at: at)
      case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.insert(contentsOf: Array(random.pick(pieces).utf8), at: at)
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + random.below(60)))
      case 4:
        let from = random.below(bytes.count)
        bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + random.below(120))], at: at)
      case 5: bytes.removeSubrange(at...)
      case 6...8: changeDigit(&bytes, from: at, &random)
      default: exchangeWord(&bytes, &random)
      }
      if bytes.isEmpty { bytes = Array("x".utf8) }
    }
    return bytes
  }

  /// Changes the next digit, so that what comes of it is often still IR.
  private static func changeDigit(
    _ bytes: inout [UInt8], from start: Int, _ random: inout SplitMix64
  ) {
    guard let at = bytes[start...].firstIndex(where: { (48...57).contains($0) }) else { return }
    bytes[at] = 48 + UInt8(random.below(10))
  }

  /// Puts another word that begins with the same character in place of one.
  private static func exchangeWord(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    var words = bytes.split(separator: 32, omittingEmptySubsequences: false)
    let at = random.below(words.count)
    let others = words.filter { $0.first == words[at].first }
    words[at] = random.pick(others)
    bytes = Array(words.joined(separator: [32]))
  }

  package func run(
    seeds: Range<UInt64>, while shouldContinue: (Report) -> Bool = { _ in true }
  ) -> Report {
    var report = Report()
    for seed in seeds {
      guard shouldContinue(report) else { break }
      report.mutants += 1
      do {
        try check(Self.text(seed: seed))
        report.judged += 1
      } catch {
        report.refused += 1
        let message = "\((error as? Finding)?.message ?? "\(error)")"
        if message.isEmpty || message.contains("\n") || message.contains("[internal]") {
          report.mismatches.append((seed, message))
        }
      }
    }
    return report
  }

  private func check(_ text: [UInt8]) throws {
    let module = try IRReader.read(text, file: "mutant.ll")
    var options = ProgramOptions()
    options.unroll = 6
    let program = try Program([module], options)
    var limits = SearchOptions()
    limits.limits.executions = 2_000
    limits.limits.states = 20_000
    _ = try program.search(limits) { StatefulSearch($0, $1).run() }
  }
}
