// Reading the command line: one table of options drives parsing and help.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkReporting
import GracewalkSupport

/// Wrong usage or input: one line, exit status 2.
package struct UsageError: Error {
  package var message: String

  package init(_ message: String) { self.message = message }
}

/// An option of a command.
package struct Option: Sendable {
  package var name: String
  /// Name of its value in the help, or nil for a switch.
  package var value: String?
  package var help: String
  package var isRepeatable = false
  /// Whether an empty string is a valid value.
  package var mayBeEmpty = false

  package init(
    name: String, value: String? = nil, help: String, isRepeatable: Bool = false,
    mayBeEmpty: Bool = false
  ) {
    self.mayBeEmpty = mayBeEmpty
    self.name = name
    self.value = value
    self.help = help
    self.isRepeatable = isRepeatable
  }
}

/// A command: its purpose and its arguments.
package struct Command: Sendable {
  package var name: String
  /// Its arguments, as the help shows them.
  package var operands: String
  package var summary: String
  package var details: [String] = []
  package var options: [Option]
  /// Returns the exit status.
  package var run: @Sendable (Arguments) throws -> Int32

  package init(
    name: String, operands: String, summary: String, details: [String] = [], options: [Option],
    run: @escaping @Sendable (Arguments) throws -> Int32
  ) {
    self.name = name
    self.operands = operands
    self.summary = summary
    self.details = details
    self.options = options
    self.run = run
  }

  var help: String {
    let all = options + [Option(name: "help", help: "show this")]
    let names = all.map { "--\($0.name)\($0.value.map { " \($0)" } ?? "")" }
    // Longer names get a line of their own.
    let width = min(names.map(\.count).max() ?? 0, 24) + 2
    var lines = [
      "usage: \(RunningProgram.name) \(name)\(operands.isEmpty ? "" : " \(operands)") [options]",
      "",
    ]
    lines += Self.paragraph(summary, Self.helpWidth)
    if !details.isEmpty {
      lines += [""] + Self.paragraph(details.joined(separator: " "), Self.helpWidth)
    }
    lines += ["", "options:"]
    for (option, name) in zip(all, names) {
      let again = option.isRepeatable ? " (may be repeated)" : ""
      let help = Self.paragraph(option.help + again, Self.helpWidth - width - 2)
      let gap = String(repeating: " ", count: width + 2)
      if name.count + 2 <= width {
        lines.append("  " + name.padded(to: width) + (help.first ?? ""))
        lines += help.dropFirst().map { gap + $0 }
      } else {
        lines += ["  \(name)"] + help.map { gap + $0 }
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func paragraph(_ text: String, _ width: Int) -> [String] {
    // The text says gracewalk; replace that with the name of the running program.
    text.replacingOccurrences(of: "gracewalk", with: RunningProgram.name)
      .wrapped(to: width).map { String($0.drop { $0 == " " }) }
  }

  /// Columns of the help text, so that it fits any terminal.
  private static let helpWidth = 80
}

/// The arguments of a command, read by its table of options.
package struct Arguments {
  let source: ModelSource
  /// The command line that they were read from, without the program's name.
  var words: [String]
  /// Where the work is done, if not by this process alone.
  private(set) var session: WorkSession?
  /// Runs a command line as part of this one.
  ///
  /// - mergesShards: how many shards have done its work.
  var runAgain: @Sendable (_ words: [String], _ mergesShards: Int) throws -> Int32 = { _, _ in 2 }
  /// The units that jobs of this program can do.
  var kinds: [WorkKind] = []
  /// All commands of the program.
  var commands: [Command] = []
  package private(set) var operands: [String] = []
  /// The number of operands before `--`, which ends the options.
  package private(set) var operandsBeforeEnd = 0
  private var values: [String: [String]] = [:]

  init(
    _ words: some Sequence<String>, for command: Command, of source: ModelSource
  ) throws(UsageError) {
    self.source = source
    self.words = [command.name] + words
    var iterator = words.makeIterator()
    var optionsEnded = false
    while let word = iterator.next() {
      guard word.hasPrefix("--"), !optionsEnded else {
        if word.hasPrefix("-"), word != "-", !optionsEnded {
          throw UsageError(
            "unknown option \(word); see \(RunningProgram.name) \(command.name) --help")
        }
        operands.append(word)
        if !optionsEnded { operandsBeforeEnd += 1 }
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
        throw UsageError(
          "unknown option --\(name)\(hint) (see \(RunningProgram.name) \(command.name) --help)")
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
    guard let value = inline ?? iterator.next(), option.mayBeEmpty || !value.isEmpty,
      !value.hasPrefix("--")
    else {
      throw UsageError("--\(option.name) needs a value: \(placeholder)")
    }
    values[option.name, default: []].append(value)
  }

  /// Opens the folder that the options name, if they do.
  mutating func open(mergesShards: Int? = nil) throws(UsageError) {
    session = try WorkSession(self, mergesShards: mergesShards)
  }

  /// The executor of a command's units.
  package func executor(jobs: Int = 1) throws(UsageError) -> any Executor {
    if let session { return try session.executor(jobs: jobs) }
    let source = source
    return ThreadExecutor(jobs: jobs) { source.model(named: $0) }
  }

  /// The models that the command works on if it names none.
  package var models: [Model] { source.models }

  var systems: [ModelSystem] { source.systems }

  package func has(_ name: String) -> Bool { values[name] != nil }

  package func value(_ name: String) -> String? { values[name]?.last }

  package func all(_ name: String) -> [String] { values[name] ?? [] }

  /// A whole number of at least 1.
  package func count(_ name: String, upTo most: Int = .max) throws(UsageError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), number >= 1, number <= most else {
      let range = most == .max ? "of at least 1" : "from 1 to \(most)"
      throw UsageError("--\(name) needs a whole number \(range), not '\(text)'")
    }
    return number
  }

  /// A whole number of at least 0.
  package func countFromZero(_ name: String) throws(UsageError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), number >= 0, number <= 1_000_000_000 else {
      throw UsageError("--\(name) needs a whole number from 0 to 1000000000, not '\(text)'")
    }
    return number
  }

  /// A number above zero.
  package func seconds(_ name: String) throws(UsageError) -> Double? {
    guard let text = value(name) else { return nil }
    guard let number = Double(text), number > 0, number.isFinite else {
      throw UsageError("--\(name) needs a number of seconds above zero, not '\(text)'")
    }
    return number
  }

  /// One of a few words.
  package func choice(_ name: String, of words: [String]) throws(UsageError) -> String? {
    guard let text = value(name) else { return nil }
    guard words.contains(text) else {
      throw UsageError("--\(name) is one of \(words.joined(separator: ", ")), not '\(text)'")
    }
    return text
  }
}
