// The manual page, from the table that --help is made of.

import Foundation
import GracewalkSupport

/// A page for man, in its own language.
struct ManualPage {
  private let name: String
  private let commands: [Command]

  init(_ name: String, _ commands: [Command]) {
    self.name = name
    self.commands = commands
  }

  var text: String {
    var lines = [
      ".TH \(name.uppercased()) 1 \"\" \"\(name) \(CommandLineTool.version)\" \"User Commands\"",
      ".SH NAME", "\(name) \\- checks lockless page\\-table code by running every interleaving",
      ".SH SYNOPSIS", ".B \(name)", ".I COMMAND", "[options]", ".SH COMMANDS",
    ]
    for command in commands {
      lines += [
        ".SS \"\(Self.plain("\(name) \(command.name) \(command.operands)"))\"",
        Self.plain(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + "."),
      ]
      if !command.details.isEmpty {
        lines += [".PP", Self.plain(command.details.joined(separator: " "))]
      }
      for option in command.options {
        lines += [
          ".TP",
          "\\fB\\-\\-\(Self.plain(option.name))\\fR"
            + (option.value.map { " \\fI\(Self.plain($0))\\fR" } ?? ""),
          Self.plain(option.help) + (option.isRepeatable ? " (may be repeated)" : ""),
        ]
      }
    }
    lines += [
      ".SH \"EXIT STATUS\"",
      "0 holds, 1 violated, 2 wrong usage or input, or output that cannot be written,",
      "3 incomplete, or something that must happen never does.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// Text in which nothing has a meaning to man.
  private static func plain(_ text: String) -> String {
    let escaped = text.replacingOccurrences(of: "\\", with: "\\e")
      .replacingOccurrences(of: "-", with: "\\-").replacingOccurrences(of: "\"", with: "\\(dq")
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&\(escaped)" : escaped
  }
}
