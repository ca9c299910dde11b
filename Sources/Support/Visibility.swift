// Which characters a text from outside may carry into a line that people read.

extension Unicode.Scalar {
  /// True for what a terminal obeys instead of showing it: control characters, escape among them,
  /// line breaks, and marks that turn the direction of text or take no room.
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
