// One or a few mutations of a trace file: bytes, lines, numbers, malicious text.

import GracewalkChecking
import GracewalkSupport
import GracewalkTraces

/// Changes files at random.
package struct TraceMutation {
  var random: SplitMix64
  /// Files from which parts are taken.
  let others: [[UInt8]]

  /// Numbers that parsers often get wrong.
  private static let numbers = [
    "0", "00", "1", "-1", "+1", "7", "61", "62", "63", "64", "255", "32768", "65536", "999999",
    "1000000", "1000001", "9999999", "99999999", "2147483648", "4294967296", "999999999999",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e9", "0x10", "٣", "",
    String(repeating: "9", count: 400), String(repeating: "0", count: 5_000) + "1",
  ]

  /// Texts that are no names, steps or schedules, to put in their place.
  private static let texts = [
    "\u{1B}[2J\u{1B}[31m", "\u{1B}]0;title\u{7}", "\u{9B}31m", "\0", "\r\n", "\r", "\n", "\n\n",
    "\t", "\u{7F}", "\u{202E}", "\u{2028}", "\u{FEFF}", "\u{301}", "e\u{301}", "ａ", "🙂",
    "<script>alert(1)</script>", "]]>", "&amp;", "\"'`$(reboot)`", "%n%s", "../../x", "|", " | ",
    ":", "=", "==", ",", "(", ")", "()", "(0)", "0*", "*0", "0*999999999999", "0*1000000,",
    "0*1000000", "61*1000000", ":1", "0:9999999", "63", "levels=3", "levels=2 levels=3",
    "bbm=2", "yes", "no", "checksum: 0000000000000000\n", "schedule: 0\n",
    String(repeating: "(", count: 10_000), String(repeating: "0,", count: 10_000),
    String(repeating: "a", count: 10_000), String(repeating: "\u{301}", count: 2_000),
  ].map { Array($0.utf8) }

  package init(random: SplitMix64, others: [[UInt8]]) {
    self.random = random
    self.others = others
  }

  /// One to four changes; then, usually, a correct checksum.
  package mutating func apply(to file: [UInt8]) -> [UInt8] {
    var bytes = file
    for _ in 0...(random.below(2) * random.below(4)) { change(&bytes) }
    if random.below(4) > 0 { Self.repairChecksum(of: &bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    switch random.below(10) {
    case 0: flipBit(&bytes)
    case 1: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count + 1))
    case 2: bytes.removeSubrange(range(in: bytes, upTo: 40))
    case 3: bytes.removeLast(random.below(bytes.count + 1))
    case 4: splice(&bytes)
    case 5: changeLines(&bytes)
    case 6, 7: changeNumber(&bytes)
    case 8: changeValue(&bytes)
    default:
      bytes.insert(contentsOf: random.pick(Self.texts), at: random.below(bytes.count + 1))
    }
  }

  private mutating func flipBit(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
  }

  private mutating func range(in bytes: [UInt8], upTo most: Int) -> Range<Int> {
    let start = random.below(bytes.count + 1)
    return start..<min(bytes.count, start + random.below(most))
  }

  /// Continues with a part of another file.
  private mutating func splice(_ bytes: inout [UInt8]) {
    let other = random.pick(others)
    let part = other[range(in: other, upTo: other.count)]
    if random.below(2) == 0 {
      bytes.replaceSubrange(range(in: bytes, upTo: bytes.count + 1), with: part)
    } else {
      bytes = Array(bytes.prefix(random.below(bytes.count + 1)) + part)
    }
  }

  /// Doubles, swaps, removes or replaces lines.
  private mutating func changeLines(_ bytes: inout [UInt8]) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let (a, b) = (random.below(lines.count), random.below(lines.count))
    switch random.below(4) {
    case 0: lines.insert(lines[a], at: b)
    case 1: lines.swapAt(a, b)
    case 2: lines.remove(at: a)
    default:
      let others = random.pick(others).split(separator: UInt8(ascii: "\n"))
      lines[a] = others[min(a, others.count - 1)]
    }
    bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  /// Replaces a number by another.
  private mutating func changeNumber(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return }
    let from = random.below(bytes.count)
    guard let start = bytes[from...].firstIndex(where: Self.isDigit) else { return }
    let end = bytes[start...].firstIndex { !Self.isDigit($0) } ?? bytes.endIndex
    bytes.replaceSubrange(start..<end, with: random.pick(Self.numbers).utf8)
  }

  /// Replaces the value of one of the first lines.
  private mutating func changeValue(_ bytes: inout [UInt8]) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let number = random.below(min(12, lines.count))
    guard let colon = lines[number].firstIndex(of: UInt8(ascii: ":")) else { return }
    let kept = lines[number][...colon] + [UInt8(ascii: " ")]
    lines[number] = kept + random.pick(Self.texts)
    bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }

  /// Writes a correct checksum.
  static func repairChecksum(of bytes: inout [UInt8]) {
    let key = Array("\nchecksum:".utf8)
    let starts = bytes.indices.dropLast(key.count - 1).reversed()
    let start = starts.first { bytes[$0..<($0 + key.count)].elementsEqual(key) }
    var body = start.map { Array(bytes[...$0]) } ?? bytes
    if body.last != UInt8(ascii: "\n") { body.append(UInt8(ascii: "\n")) }
    body += TraceFile.checksumLine(for: String(decoding: body, as: UTF8.self)).utf8
    bytes = body
  }
}
