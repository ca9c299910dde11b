// Colours for terminals; plain text everywhere else.

/// How text is emphasised.
public struct Style: Sendable {
  public var usesColour: Bool

  public init(usesColour: Bool) { self.usesColour = usesColour }

  public static let plain = Style(usesColour: false)

  private func wrap(_ text: String, _ code: String) -> String {
    usesColour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  public func bold(_ text: String) -> String { wrap(text, "1") }
  public func dim(_ text: String) -> String { wrap(text, "2") }
  public func good(_ text: String) -> String { wrap(text, "32") }
  public func bad(_ text: String) -> String { wrap(text, "1;31") }
  public func warning(_ text: String) -> String { wrap(text, "33") }
}

extension String {
  /// Padded with spaces on the right to a number of characters.
  public func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// Padded with spaces on the left to a number of characters.
  public func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count)) + self
  }

  /// Broken at spaces into lines of at most `width` characters; longer words stand alone.
  ///
  /// Lines after the first are indented like the first, and by two more.
  public func wrapped(to width: Int) -> [String] {
    guard count > width else { return [self] }
    let indent = String(prefix { $0 == " " })
    var lines: [String] = []
    var line = indent
    for word in split(separator: " ") {
      let isEmpty = line.allSatisfy { $0 == " " }
      if !isEmpty && line.count + 1 + word.count > width {
        lines.append(line)
        line = indent + "  " + word
      } else {
        line += (isEmpty ? "" : " ") + word
      }
    }
    lines.append(line)
    return lines
  }
}

/// A number with thousands separated by commas.
public func grouped(_ number: Int) -> String {
  var digits = String(number.magnitude)
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  groups.insert(digits, at: 0)
  return (number < 0 ? "-" : "") + groups.joined(separator: ",")
}

/// A count with its noun: `1 step`, `2 steps`.
public func counted(_ number: Int, _ noun: String) -> String {
  "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}
