// Escapes text in markup and data in a script, so that no name can end either.

import Foundation
import GracewalkSupport

enum HTMLText {
  /// Text for the content of an element or for a quoted attribute.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // Not allowed in markup at all, or invisible in it.
      case "\u{0}"..."\u{8}", "\u{B}"..."\u{1F}", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// Data for a script element: JSON without characters that could end the element, or that old
  /// scripts treat as line breaks.
  static func json(_ value: some Encodable) -> String {
    guard let data = try? JSONEncoder.canonical.encode(value) else { return "null" }
    var result = ""
    for character in String(decoding: data, as: UTF8.self).unicodeScalars {
      switch character {
      case "<", ">", "&", "\u{2028}", "\u{2029}":
        let digits = String(character.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
