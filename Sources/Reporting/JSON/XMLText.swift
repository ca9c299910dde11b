// The XML that reports need: elements, attributes and text, without characters that XML forbids.

/// An element with its attributes, elements or text.
///
/// On Linux, Foundation's XML is in a separate library and writes control characters unescaped, so
/// that readers reject the file.
struct XMLElementText {
  var name: String
  var attributes: [(name: String, value: String)] = []
  var text: String?
  var children: [XMLElementText] = []

  /// The element, indented.
  func lines(depth: Int = 0) -> [String] {
    let indent = String(repeating: "  ", count: depth)
    let values = attributes.map { " \($0.name)=\"\(Self.escaped($0.value, inAttribute: true))\"" }
    let opening = "\(indent)<\(name)\(values.joined())"
    if let text { return ["\(opening)>\(Self.escaped(text, inAttribute: false))</\(name)>"] }
    if children.isEmpty { return ["\(opening)/>"] }
    return ["\(opening)>"] + children.flatMap { $0.lines(depth: depth + 1) }
      + ["\(indent)</\(name)>"]
  }

  /// Line breaks in attribute values are escaped, since readers turn raw ones into spaces.
  static func escaped(_ text: String, inAttribute: Bool) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"" where inAttribute: escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "\n" where inAttribute, "\t" where inAttribute, "\r":
        escaped.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
      default: escaped.append(isAllowed(scalar) ? scalar : "\u{FFFD}")
      }
    }
    return String(escaped)
  }

  /// Whether a document may contain the character, even as a reference (XML 1.0, section 2.2).
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
    default: false
    }
  }
}
