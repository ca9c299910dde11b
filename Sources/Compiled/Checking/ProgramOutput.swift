// What a program prints, for traces.

import GracewalkSupport

extension ProgramMachine {
  /// What a thread that is about to print will print.
  func output(of cpu: Int) -> String {
    let state = graph.nodes[node(of: cpu)].state
    guard let frame = state.frames.last,
      case .builtin(let builtin, let operands, _, _) = image.functions[Int(frame.function)].blocks[
        Int(frame.block)
      ].instructions[Int(frame.index)]
    else { return "print" }
    let values = operands.map { operand in
      operand.slot < 0 ? operand.bits : state.slots[Int(frame.base) + Int(operand.slot)]
    }
    if builtin == .hardware { return hardwareText(state.request, values) }
    // The first text is the format; what stands before it is the file.
    for (index, value) in values.enumerated() {
      guard let format = string(at: value) else { continue }
      return "print \"\(formatted(format, Array(values[(index + 1)...])).printable)\""
    }
    return "print"
  }

  private static let lengthMax = 200

  /// The text at an address; nil if there is none.
  func string(at address: UInt64) -> String? {
    guard let region = Region.number(of: address) else { return nil }
    let record = layout.record(ofRegion: region)
    guard record >= 0 else { return nil }
    var bytes: [UInt8] = []
    for offset in Region.offset(of: address)..<layout.records[record].capacity {
      guard isInitialised(record, offset, 1), bytes.count < Self.lengthMax else { return nil }
      let byte = UInt8(truncatingIfNeeded: read(record, offset, 1))
      if byte == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }

  func formatted(_ format: String, _ values: [UInt64]) -> String {
    var text = ""
    var values = values[...]
    var rest = format[...]
    while let character = rest.popFirst() {
      guard character == "%" else {
        text.append(character)
        continue
      }
      let flags = rest.prefix { "-+ #0123456789.hlzjtqL".contains($0) }
      rest = rest.dropFirst(flags.count)
      guard let kind = rest.popFirst() else { break }
      if kind == "%" {
        text.append("%")
        continue
      }
      guard let value = values.popFirst() else { return text + "%\(kind)" }
      let isLong = flags.contains { "lzjtqL".contains($0) }
      text += converted(value, kind, bits: isLong ? 64 : 32)
    }
    return text
  }

  private func converted(_ value: UInt64, _ kind: Character, bits: Int) -> String {
    switch kind {
    case "d", "i": "\(signExtended(value, bits))"
    case "u": "\(value & mask(bits))"
    case "x", "X": String(value & mask(bits), radix: 16)
    case "c": String(UnicodeScalar(UInt8(truncatingIfNeeded: value)))
    case "s": string(at: value) ?? "…"
    case "p": name(of: value)
    case "f", "g", "e": "\(Double(bitPattern: value))"
    default: "…"
    }
  }
}
