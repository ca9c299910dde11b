// Mutated modules: one clear error, or success; never a crash or an endless run.

import GracewalkLLVM
import GracewalkSupport
import Testing

@Suite struct IRMutationTests {
  private static let pieces = [
    "%", "@", "!", "#", "{", "}", "[", "]", "(", ")", "<", ">", ",", "\"", "\\", "c\"", "-", "0",
    "99999999999999999999", "x", "i0", "i1", "i65", "i128", "ptr", "void", "label", "type", "\n",
    "define", "declare", "getelementptr", "phi i32", "switch", "align", "splat", "<{", "!dbg",
    "...",
  ]

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<1 + random.below(4) {
      let at = random.below(bytes.count)
      switch random.below(6) {
      case 0: bytes.remove(at: at)
      case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.insert(contentsOf: Array(random.pick(Self.pieces).utf8), at: at)
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + random.below(60)))
      case 4:
        let from = random.below(bytes.count)
        bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + random.below(120))], at: at)
      default: bytes.removeSubrange(at...)
      }
      if bytes.isEmpty { bytes = Array("x".utf8) }
    }
  }

  @Test func mutatedModulesAreReadOrRefused() {
    let original = Array(SampleText.module.utf8)
    var random = SplitMix64(seed: 16)
    var (read, refused) = (0, 0)
    for _ in 0..<6_000 {
      var bytes = original
      mutate(&bytes, &random)
      do {
        _ = try IRReader.read(bytes, file: "m.ll")
        read += 1
      } catch {
        refused += 1
        #expect(error.line >= 1)
        #expect(!error.message.isEmpty && !error.message.contains("\n"))
      }
    }
    // Both kinds occur, or the test would show little.
    #expect(read > 200 && refused > 500, "\(read) read, \(refused) refused")
  }

  @Test func deepNestingIsRefused() {
    let types = "@x = global " + String(repeating: "[1 x ", count: 5_000) + "i8"
    #expect(throws: IRError.self) { try IRReader.read(Array(types.utf8), file: "m.ll") }
    let constants =
      "@x = global i64 " + String(repeating: "add (i64 1, i64 ", count: 5_000) + "1"
    #expect(throws: IRError.self) { try IRReader.read(Array(constants.utf8), file: "m.ll") }
  }
}
