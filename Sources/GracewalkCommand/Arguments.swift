// Reading the command line: one table of options serves parsing and help alike.

import Gracewalk

/// An error in how the command was called, or in what it was given: one line, exit status 2.
struct UsageError: Error {
  var message: String

  init(_ message: String) { self.message = message }
}

/// An option of a command.
struct Option: Sendable {
  var name: String
  /// Name of its value in the help, or nil for a switch.
  var value: String?
  var help: String
  var isRepeatable = false
}

/// A command: what it is for, and what it takes.
struct Command: Sendable {
  var name: String
  /// Its arguments, as the help shows them.
  var operands: String
  var summary: String
  var details: [String] = []
  var options: [Option]
  /// Returns the exit status.
  var run: @Sendable (Arguments) throws -> Int32

  var help: String {
    let all = options + [Option(name: "help", help: "show this")]
    let names = all.map { "--\($0.name)\($0.value.map { " \($0)" } ?? "")" }
    let width = (names.map(\.count).max() ?? 0) + 2
    var lines = [
      "usage: gracewalk \(name)\(operands.isEmpty ? "" : " \(operands)") [options]", "", summary,
    ]
    if !details.isEmpty { lines += [""] + details }
    lines += ["", "options:"]
    for (option, name) in zip(all, names) {
      let gap = String(repeating: " ", count: width - name.count)
      let again = option.isRepeatable ? " (may be repeated)" : ""
      lines.append("  \(name)\(gap)\(option.help)\(again)")
    }
    return lines.joined(separator: "\n")
  }
}

/// The arguments of a command, read by its table of options.
struct Arguments {
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]

  init(_ words: some Sequence<String>, for command: Command) throws(UsageError) {
    var iterator = words.makeIterator()
    var optionsEnded = false
    while let word = iterator.next() {
      guard word.hasPrefix("--"), !optionsEnded else {
        if word.hasPrefix("-"), word != "-", !optionsEnded {
          throw UsageError("unknown option \(word); see gracewalk \(command.name) --help")
        }
        operands.append(word)
        continue
      }
      if word == "--" {
        optionsEnded = true
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
      let name = parts.first ?? ""
      guard let option = command.options.first(where: { $0.name == name }) else {
        let near = nearest(to: name, among: command.options.map(\.name))
        let hint = near.isEmpty ? "" : "; did you mean --\(near[0])?"
        throw UsageError("unknown option --\(name)\(hint) (see gracewalk \(command.name) --help)")
      }
      guard option.isRepeatable || values[name] == nil else {
        throw UsageError("--\(name) is given twice")
      }
      try addValue(of: option, inline: parts.count == 2 ? parts[1] : nil, &iterator)
    }
  }

  private mutating func addValue(
    of option: Option, inline: String?, _ iterator: inout some IteratorProtocol<String>
  ) throws(UsageError) {
    guard let placeholder = option.value else {
      guard inline == nil else { throw UsageError("--\(option.name) takes no value") }
      values[option.name] = [""]
      return
    }
    guard let value = inline ?? iterator.next(), !value.isEmpty, !value.hasPrefix("--") else {
      throw UsageError("--\(option.name) needs a value: \(placeholder)")
    }
    values[option.name, default: []].append(value)
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  func value(_ name: String) -> String? { values[name]?.last }

  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// A whole number of at least 1.
  func count(_ name: String, upTo most: Int = .max) throws(UsageError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), number >= 1, number <= most else {
      let range = most == .max ? "of at least 1" : "from 1 to \(most)"
      throw UsageError("--\(name) needs a whole number \(range), not '\(text)'")
    }
    return number
  }

  /// A number above zero.
  func seconds(_ name: String) throws(UsageError) -> Double? {
    guard let text = value(name) else { return nil }
    guard let number = Double(text), number > 0, number.isFinite else {
      throw UsageError("--\(name) needs a number of seconds above zero, not '\(text)'")
    }
    return number
  }

  /// One of a few words.
  func choice(_ name: String, of words: [String]) throws(UsageError) -> String? {
    guard let text = value(name) else { return nil }
    guard words.contains(text) else {
      throw UsageError("--\(name) is one of \(words.joined(separator: ", ")), not '\(text)'")
    }
    return text
  }
}
