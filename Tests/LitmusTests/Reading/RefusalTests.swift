// What is not read is refused, with the line; and whatever is read can be run.

import GracewalkExploration
import GracewalkLitmus
import GracewalkSupport
import TestExpectations
import Testing

@Suite struct RefusalTests {
  private static func problem(_ text: String) -> String? {
    do throws(LitmusError) {
      _ = try LitmusTest(reading: text)
      return nil
    } catch {
      return "\(error.line): \(error.message)"
    }
  }

  @Test func whatIsNotReadIsRefusedWithItsLine() {
    let refused = [
      ("", "1: the test is empty"),
      (
        "PPC MP\n{}",
        "1: a test begins with C, X86, X86_64 or AArch64 and its name; 'PPC' is not read"
      ),
      ("C MP\n", "2: no initial state: '{' expected"),
      ("C MP\n{", "2: '{' has no '}'"),
      ("C MP\n{}\n", "3: the test has no process"),
      ("C MP\n{ int a[2]; }\n", "2: in the initial state 'int a [ 2 ]' is not supported"),
      ("C a\n{}\nP0(int *x) {\n foo(x); }\nexists (x=1)", "4: 'foo' is not known"),
      ("C a\n{}\nP0(int *x) {\n goto out; }\nexists (x=1)", "4: 'goto' is not supported"),
      ("C a\n{}\nP0(int *x) {\n x = 1; }\nexists (x=1)", "4: 'x' is shared: write to '*x'"),
      ("C a\n{}\nP0(int *x) { }\nexists (1:r0=1)", "4: there is no P1"),
      ("C a\n{}\nP0(int *x) { }\nexists (0:r0=1", "4: ')' expected, and not the end of the test"),
      ("C a\n{}\nP0(int *x) { }\nP0(int *x) { }\nexists (x=1)", "4: there is a P0 already"),
      ("C a\n{}\nP0(int *x) { /* }\nexists (x=1)", "3: a comment has no end"),
      ("X86 a\n{}\n P0 ;\n FOO EAX,EBX ;\nexists (x=1)", "4: the instruction 'FOO' is not known"),
      (
        "X86_64 a\n{}\n P0 ;\n movb $1,(x) ;\nexists (x=1)",
        "4: 'movb': accesses to a part of a word are not modelled"
      ),
      ("X86 a\n{}\n P0 ;\n JMP L1 ;\nexists (x=1)", "4: there is no label 'L1'"),
      (
        "AArch64 a\n{}\n P0 ;\n LDR W0,[X1],#8 ;\nexists (x=1)",
        "4: 'LDR' is supported with 2 operands"
      ),
      (
        "AArch64 a\n{ [PTE(x)]=(dbm:1); }\n P0 ;\n NOP ;\nexists (x=1)",
        "2: of an entry, oa and valid are supported, and not 'dbm'"
      ),
      (
        "AArch64 a\nVariant=handled\n{ [PTE(x)]=(valid:0); }\n P0 ;\n NOP ;\nexists (x=1)",
        "3: 'Variant=handled' is not supported: a fault ends its process, or goes on in its handler"
      ),
    ]
    for (text, problem) in refused { #expect(Self.problem(text) == problem) }
  }

  @Test func nestingHasABound() {
    let deep = String(repeating: "(", count: 100_000)
    let texts = [
      "C a\n{ x = \(deep); }", "C a\n{}\nP0(int *x) { int r0 = \(deep); }",
      "C a\n{}\nP0(int *x) { }\nexists \(deep)",
      "C a\n{}\nP0(int *x) { \(String(repeating: "{", count: 100_000)) }",
      "C a\n{}\nP0(int *x) { }\nexists (x=1 \(String(repeating: "/\\ x=1 ", count: 100_000)))",
    ]
    for text in texts { #expect(Self.problem(text) != nil) }
  }

  /// Mutated tests are refused in one line, or run; nothing traps.
  @Test(.tags(.fuzz), .unlessQuick) func mutationsAreReadOrRefused() {
    var random = SplitMix64(seed: 7)
    var read = 0
    for _ in 0..<6_000 {
      let shape = Shape.all[Int(random.next() % UInt64(Shape.all.count))]
      var bytes = Array(shape.text.utf8)
      for _ in 0...(random.next() % 2) { Self.mutate(&bytes, &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(LitmusError) {
        let test = try LitmusTest(reading: text)
        read += 1
        var options = LitmusOptions()
        options.limits = Limits(depth: 200, states: 500)
        let report = test.check(options)
        #expect(report.witnesses <= report.states.count)
      } catch {
        #expect(error.line >= 1)
        #expect(!error.message.isEmpty && !error.message.contains("\n"))
      }
    }
    #expect(read > 300)
  }

  private static let pieces = [
    "(", ")", "{", "}", ";", "|", ":", "=", "/\\", "\\/", "~", "0", "1", "99999999999999999999",
    "x", "r0", "&", "*", "while (1)", "if (r0)", "P0", "exists", "[", "]", "(*", "*)", "\n", "\0",
    "é", "spin_lock(x);", "synchronize_rcu();", "rcu_read_lock();", "JMP L0", "L0:", "-", "%",
  ].map { Array($0.utf8) }

  private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let at = Int(random.next() % UInt64(bytes.count))
    switch random.next() % 5 {
    case 0: bytes.remove(at: at)
    case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
    case 2: bytes.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: at)
    case 3:
      let end = min(bytes.count, at + Int(random.next() % 12))
      bytes.removeSubrange(at..<end)
    default:
      let end = min(bytes.count, at + Int(random.next() % 40))
      bytes.insert(contentsOf: bytes[at..<end], at: bytes.count / 2)
    }
  }
}
