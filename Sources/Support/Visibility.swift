// Making text from outside safe to print in a terminal.

extension Unicode.Scalar {
  /// True for characters that a terminal acts on instead of showing.
  ///
  /// These are control characters, including escape and line breaks, and marks that change the
  /// direction of text or have no width.
  package var isInvisible: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      return true
    default: return false
    }
  }
}

extension StringProtocol {
  /// The text with invisible characters escaped, as in `\u{1b}`.
  ///
  /// Names and messages pass through it where they enter a scenario, a model or a violation, so no
  /// output format has to escape them.
  package var printable: String {
    let string = String(self)
    if string.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return string }
    var text = String.UnicodeScalarView()
    for scalar in string.unicodeScalars {
      if scalar.isInvisible {
        text.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        text.append(scalar)
      }
    }
    return String(text)
  }

  /// True for text that is printable, not empty, and without white space.
  package var isOneWord: Bool {
    let string = String(self)
    if string.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return !string.isEmpty }
    return !string.contains(where: \.isWhitespace) && string.printable == string
  }

  /// The beginning of the text, printable.
  ///
  /// Characters are counted as Unicode scalars: a single grapheme may be of any length.
  package func excerpt(_ count: Int = 60) -> String {
    let beginning = unicodeScalars.prefix(count)
    let isWhole = beginning.endIndex == unicodeScalars.endIndex
    return String(String.UnicodeScalarView(beginning)).printable + (isWhole ? "" : "…")
  }
}
