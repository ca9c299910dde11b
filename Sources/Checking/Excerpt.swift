// Text from outside within a message: shown, never obeyed, and never longer than a line.

import Support

extension StringProtocol {
  /// The beginning of the text, printable.
  ///
  /// Characters are counted as Unicode scalars: a single grapheme may be of any length.
  package func excerpt(_ count: Int = 60) -> String {
    let beginning = unicodeScalars.prefix(count)
    let isWhole = beginning.endIndex == unicodeScalars.endIndex
    return String(String.UnicodeScalarView(beginning)).printable + (isWhole ? "" : "…")
  }
}
