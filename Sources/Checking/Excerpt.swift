// Text from outside within a message: shown, never obeyed, and never longer than a line.

import Support

extension StringProtocol {
  /// The text with what a terminal would obey written out, as in `\u{1b}`.
  package var printable: String {
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if scalar.isInvisible {
        text.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        text.append(scalar)
      }
    }
    return String(text)
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
