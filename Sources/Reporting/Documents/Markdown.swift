// The Markdown constructs that pages use.

/// Escapes text so that Markdown shows it literally.
func markdown(_ text: String) -> String {
  var escaped = ""
  for character in text {
    if "\\`*_[]<>|#".contains(character) { escaped.append("\\") }
    escaped.append(character.isNewline ? " " : character)
  }
  return escaped
}

/// A name or a piece of code.
func code(_ text: String) -> String { "`\(text.replacing("`", with: "'"))`" }

/// Lines shown verbatim.
func codeBlock(_ lines: [String]) -> [String] { ["```text"] + lines + ["```"] }

/// A table; cells are Markdown already, and bars are escaped here.
func table(_ heading: [String], _ rows: [[String]]) -> [String] {
  guard !rows.isEmpty else { return [] }
  let line = { (cells: [String]) in "| \(cells.joined(separator: " | ")) |" }
  return [line(heading), line(heading.map { _ in "---" })] + rows.map(line)
}
