// Reads the lines of a trace file, of a model or of a program.

import GracewalkSupport

/// Reads `key: value` lines in order.
struct LineReader {
  private let lines: [Substring]
  /// Index of the next line; also the number, from 1, of the line read last.
  private(set) var next = 1

  /// Reads the first line, which must be the magic words and the version.
  init(_ text: String, magic: String, version: Int) throws(TraceFileError) {
    guard text.utf8.count <= TraceFile.bytesMax else { throw .tooLarge }
    guard text.utf8.starts(with: magic.utf8) else { throw .notATrace }
    try Self.refuseInvisible(text)
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let given = lines[0].dropFirst(magic.count)
    guard given == "\(version)" else { throw .wrongVersion(String(given.prefix(20))) }
  }

  /// Files may be shown in terminals, so control characters are refused.
  private static func refuseInvisible(_ text: String) throws(TraceFileError) {
    var line = 1
    for scalar in text.unicodeScalars {
      if scalar == "\n" {
        line += 1
      } else if scalar == "\r" {
        throw .malformed(line: line, expected: "lines that end in LF alone, not in CR LF")
      } else if scalar.isInvisible {
        throw .malformed(
          line: line,
          expected: "text, not the control character U+\(String(scalar.value, radix: 16))")
      }
    }
  }

  mutating func value(_ key: String) throws(TraceFileError) -> String {
    guard next < lines.count else { throw .truncated }
    let line = lines[next]
    // A last line without a line break was cut off.
    guard next < lines.count - 1 else { throw .truncated }
    guard line.hasPrefix("\(key):") else {
      throw .malformed(line: next + 1, expected: "'\(key): …'")
    }
    next += 1
    let value = line.dropFirst(key.count + 1)
    return String(value.hasPrefix(" ") ? value.dropFirst() : value)
  }

  /// Nil if the value is empty.
  mutating func valueIfAny(_ key: String) throws(TraceFileError) -> String? {
    let value = try value(key)
    return value.isEmpty ? nil : value
  }

  mutating func flag(_ key: String) throws(TraceFileError) -> Bool {
    let value = try value(key)
    guard value == "yes" || value == "no" else {
      throw .malformed(line: next, expected: "\(key): yes or no")
    }
    return value == "yes"
  }

  /// A hash as sixteen digits.
  mutating func hash(_ key: String) throws(TraceFileError) -> UInt64 {
    let text = try value(key)
    guard text.utf8.count == 16, let hash = UInt64(text, radix: 16) else {
      throw .malformed(line: next, expected: "a hash of sixteen digits")
    }
    return hash
  }

  /// Lines after one with their number.
  mutating func list(_ key: String) throws(TraceFileError) -> [String] {
    let text = try value(key)
    guard let count = Int(text), count >= 0, "\(count)" == text else {
      throw .malformed(line: next, expected: "the number of \(key)")
    }
    guard count <= lines.count - next else { throw .truncated }
    defer { next += count }
    return lines[next..<next + count].map(String.init)
  }

  /// Reads the checksum, after which nothing follows; true if it is that of all lines before.
  ///
  /// - Parameter body: the only form that these lines may have. Bytes are compared, since Swift
  ///   strings with different bytes may be equal.
  mutating func end(matching body: String) throws(TraceFileError) -> Bool {
    let checksum = try value("checksum")
    guard next == lines.count - 1, lines[next].isEmpty else {
      throw .malformed(line: next + 1, expected: "nothing after the checksum")
    }
    let given = lines[..<(next - 1)].joined(separator: "\n") + "\n"
    guard given.utf8.elementsEqual(body.utf8) else {
      let expected = body.split(separator: "\n", omittingEmptySubsequences: false)
      let same = zip(expected, lines).prefix { $0.utf8.elementsEqual($1.utf8) }.count
      throw .malformed(line: same + 1, expected: "'\(expected.dropFirst(same).first ?? "")'")
    }
    return checksum == TraceFile.checksum(given)
  }
}
