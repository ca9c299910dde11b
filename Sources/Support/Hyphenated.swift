// Words as an identifier.

extension StringProtocol {
  /// Its letters and digits, with a hyphen for anything between them: `map 0x0` becomes `map-0x0`.
  package var hyphenated: String {
    split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }
}
