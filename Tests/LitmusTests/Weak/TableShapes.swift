// Shapes about page tables, and whether Armv8 allows what they ask about.

import GracewalkLitmus
import GracewalkMachine

/// A test of AArch64 with entries of the page table.
struct TableShape: Sendable {
  /// Who allows its condition: processors without FEAT_ETS2, those with it, both, or none.
  enum Allowed: Sendable { case never, always, withoutETS2 }

  var name: String
  var start: String
  /// Instructions of each process, or of a fault handler behind its process, with commas between.
  var columns: [(name: String, code: [String])]
  var condition: String
  var allowed: Allowed

  init(
    _ name: String, _ start: String, _ columns: [(String, [String])], _ condition: String,
    _ allowed: Allowed
  ) {
    self.name = name
    self.start = start
    self.columns = columns.map { (name: $0.0, code: $0.1) }
    self.condition = condition
    self.allowed = allowed
  }

  var text: String {
    let rows = (0..<(columns.map(\.code.count).max() ?? 0)).map { row in
      columns.map { row < $0.code.count ? $0.code[row] : "" }.joined(separator: " | ") + " ;"
    }
    let head = columns.map(\.name).joined(separator: " | ") + " ;"
    return (["AArch64 \(name)", "{ \(start) }", head] + rows + ["exists (\(condition))"])
      .joined(separator: "\n")
  }

  func observation(hasETS2: Bool) throws -> LitmusReport.Observation {
    var options = LitmusOptions()
    options.memoryModel = .armv8
    options.hasETS2 = hasETS2
    let report = try LitmusTest(reading: text).check(options)
    return report.isComplete ? report.observation : .sometimes
  }

  private static let shoot = [
    "STR X1,[X2]", "DSB ISH", "LSR X9,X3,#12", "TLBI VAAE1IS,X9", "DSB ISH",
  ]
  private static let remap = "y=1; 0:X1=(oa:PA(y)); 0:X2=PTE(x); 0:X3=x; 0:X8=z; 1:X3=x; 1:X8=z;"
  private static let unmap =
    "0:X1=(oa:PA(x), valid:0); 0:X2=PTE(x); 0:X3=x; 0:X8=z; 1:X3=x; 1:X8=z;"
  private static let map =
    "[PTE(x)]=(oa:PA(x), valid:0); 0:X1=(oa:PA(x)); 0:X2=PTE(x); 0:X3=x; 0:X8=z; 1:X3=x; 1:X8=z;"
  private static let flag = ["MOV W7,#1", "STR W7,[X8]"]

  static let all = alone + messages + stores + faults

  /// One process changes an entry and uses it.
  static let alone = [
    TableShape(
      "V2I", unmap, [("P0", ["STR X1,[X2]", "L0: LDR W4,[X3]"])], "~fault(P0:L0,x)", .always),
    TableShape(
      "V2I+DSB-TLBI-DSB", unmap, [("P0", shoot + ["L0: LDR W4,[X3]"])], "~fault(P0:L0,x)",
      .withoutETS2),
    TableShape(
      "V2I+DSB-TLBI-DSB-ISB", unmap, [("P0", shoot + ["ISB", "L0: LDR W4,[X3]"])],
      "~fault(P0:L0,x)", .never),
    TableShape(
      "V2I+TLBI-DSB-ISB", unmap,
      [("P0", ["STR X1,[X2]"] + shoot[2...] + ["ISB", "L0: LDR W4,[X3]"])], "~fault(P0:L0,x)",
      .always),
    TableShape(
      "V2I+DSB-TLBI-DSB.LD-ISB", unmap,
      [("P0", shoot[...3] + ["DSB LD", "ISB", "L0: LDR W4,[X3]"])], "~fault(P0:L0,x)", .always),
    TableShape(
      "I2V+DSB", map, [("P0", ["STR X1,[X2]", "DSB ISH", "L0: LDR W4,[X3]"])], "fault(P0:L0,x)",
      .withoutETS2),
    TableShape(
      "I2V+DSB-ISB", map, [("P0", ["STR X1,[X2]", "DSB ISH", "ISB", "L0: LDR W4,[X3]"])],
      "fault(P0:L0,x)", .never),
  ]

  /// Another process is told of the change.
  static let messages = [
    TableShape(
      "MP-I2V+DMB.ST+DMB.LD", map,
      [
        ("P0", ["STR X1,[X2]", "DMB ST"] + flag),
        ("P1", ["LDR W7,[X8]", "DMB LD", "L1: LDR W4,[X3]"]),
      ], "1:X7=1 /\\ fault(P1:L1,x)", .withoutETS2),
    TableShape(
      "MP-I2V+DMB.ST+DSB-ISB", map,
      [
        ("P0", ["STR X1,[X2]", "DMB ST"] + flag),
        ("P1", ["LDR W7,[X8]", "DSB ISH", "ISB", "L1: LDR W4,[X3]"]),
      ], "1:X7=1 /\\ fault(P1:L1,x)", .never),
    TableShape(
      "MP+shoot+po", remap,
      [("P0", shoot + flag), ("P1", ["LDR W7,[X8]", "LDR W4,[X3]"])], "1:X7=1 /\\ 1:X4=0", .always),
    TableShape(
      "MP+shoot+addr", remap,
      [("P0", shoot + flag), ("P1", ["LDR W7,[X8]", "EOR W9,W7,W7", "LDR W4,[X3,W9,SXTW]"])],
      "1:X7=1 /\\ 1:X4=0", .never),
    TableShape(
      "MP+shoot+acquire", remap,
      [("P0", shoot + flag), ("P1", ["LDAR W7,[X8]", "LDR W4,[X3]"])], "1:X7=1 /\\ 1:X4=0", .never),
    TableShape(
      "MP+local-shoot+addr", remap,
      [
        ("P0", shoot[..<3] + ["TLBI VAAE1,X9", "DSB ISH"] + flag),
        ("P1", ["LDR W7,[X8]", "EOR W9,W7,W7", "LDR W4,[X3,W9,SXTW]"]),
      ], "1:X7=1 /\\ 1:X4=0", .always),
    TableShape(
      "MP+shoot-all+addr", remap,
      [
        ("P0", shoot[..<2] + ["TLBI VMALLE1IS", "DSB ISH"] + flag),
        ("P1", ["LDR W7,[X8]", "EOR W9,W7,W7", "LDR W4,[X3,W9,SXTW]"]),
      ], "1:X7=1 /\\ 1:X4=0", .never),
    TableShape(
      "MP+shoot-other+addr", remap,
      [
        ("P0", ["STR X1,[X2]", "DSB ISH", "LSR X9,X8,#12"] + shoot[3...] + flag),
        ("P1", ["LDR W7,[X8]", "EOR W9,W7,W7", "LDR W4,[X3,W9,SXTW]"]),
      ], "1:X7=1 /\\ 1:X4=0", .always),
  ]

  /// An invalidation waits for stores by the old translation.
  static let stores = [
    TableShape(
      "SB+shoot+release", remap,
      [
        ("P0", shoot + ["LDR W7,[X8]"]),
        ("P1", ["MOV W4,#2", "STR W4,[X8]", "STLR W4,[X3]"]),
      ], "0:X7=0 /\\ x=2", .never),
    TableShape(
      "SB+shoot+po", remap,
      [
        ("P0", shoot + ["LDR W7,[X8]"]),
        ("P1", ["MOV W4,#2", "STR W4,[X8]", "STR W4,[X3]"]),
      ], "0:X7=0 /\\ x=2", .always),
  ]

  /// What comes before and behind a fault.
  static let faults = [
    TableShape(
      "MP+release+fault-handler",
      "[PTE(w)]=(oa:PA(w), valid:0); 0:X1=x; 0:X3=z; 1:X1=x; 1:X3=z; 1:X5=w;",
      [
        ("P0", ["MOV W2,#1", "STR W2,[X1]", "STLR W2,[X3]"]),
        ("P1", ["LDR W0,[X3]", "STR W0,[X5]"]), ("P1.F", ["LDR W2,[X1]"]),
      ], "1:X0=1 /\\ 1:X2=0", .withoutETS2),
    TableShape(
      "MP+release+DSB+fault-handler",
      "[PTE(w)]=(oa:PA(w), valid:0); 0:X1=x; 0:X3=z; 1:X1=x; 1:X3=z; 1:X5=w;",
      [
        ("P0", ["MOV W2,#1", "STR W2,[X1]", "STLR W2,[X3]"]),
        ("P1", ["LDR W0,[X3]", "DSB SY", "STR W0,[X5]"]), ("P1.F", ["LDR W2,[X1]"]),
      ], "1:X0=1 /\\ 1:X2=0", .never),
    TableShape(
      "2+2W-I2V+shoot+DMB.ST", map,
      [
        ("P0", shoot + flag),
        ("P1", ["MOV W7,#2", "STR W7,[X8]", "DMB ST", "L1: STR W7,[X3]"]),
      ], "z=2 /\\ fault(P1:L1,x)", .never),
    TableShape(
      "2+2W-I2V+shoot+po", map,
      [
        ("P0", shoot + flag), ("P1", ["MOV W7,#2", "STR W7,[X8]", "L1: STR W7,[X3]"]),
      ], "z=2 /\\ fault(P1:L1,x)", .withoutETS2),
  ]
}
