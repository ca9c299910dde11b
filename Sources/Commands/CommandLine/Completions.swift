// What shells need to complete commands and options, from the table that --help is made of.

import Foundation
import GracewalkSupport

/// Completions of one program's commands for a shell.
struct Completions {
  private let name: String
  private let commands: [Command]

  static let shells = ["bash", "zsh", "fish"]

  init(_ name: String, _ commands: [Command]) {
    self.name = name
    self.commands = commands
  }

  /// A name that shells accept for a function.
  private var function: String {
    "_" + String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  func text(for shell: String) -> String {
    switch shell {
    case "zsh": zsh
    case "fish": fish
    default: bash
    }
  }

  /// The values of an option that takes one of a few words.
  private static func words(of option: Option) -> [String] {
    let words = option.value?.split(separator: "|").map(String.init) ?? []
    return words.count > 1 || words == ["slurm"] ? words : []
  }

  private var bash: String {
    var lines = [
      "# Completions of \(name) for bash.", "\(function)() {",
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"",
      "  local options=''",
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then",
      "    COMPREPLY=($(compgen -W '\(commands.map(\.name).joined(separator: " "))' -- \"$word\"))",
      "    return", "  fi", "  case \"${COMP_WORDS[1]} $before\" in",
    ]
    for command in commands {
      for option in command.options {
        let words = Self.words(of: option)
        guard !words.isEmpty else { continue }
        lines.append(
          "    '\(command.name) --\(option.name)') COMPREPLY=($(compgen -W "
            + "'\(words.joined(separator: " "))' -- \"$word\")); return ;;")
      }
    }
    lines += ["  esac", "  case \"${COMP_WORDS[1]}\" in"]
    for command in commands {
      let options = (command.options.map(\.name) + ["help"]).map { "--\($0)" }
      lines.append("    \(command.name)) options='\(options.joined(separator: " "))' ;;")
    }
    lines += [
      "  esac", "  case \"$word\" in",
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;",
      "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;", "  esac", "}",
      "complete -o filenames -F \(function) \(name)", "",
    ]
    return lines.joined(separator: "\n")
  }

  private var zsh: String {
    var lines = [
      "#compdef \(name)", "# Completions of \(name) for zsh.", "\(function)() {",
      "  local -a commands", "  commands=(",
    ]
    lines += commands.map { "    '\($0.name):\(Self.escaped($0.summary, "'"))'" }
    lines += [
      "  )", "  if (( CURRENT == 2 )); then", "    _describe command commands", "    return",
      "  fi",
      "  case \"$words[2]\" in",
    ]
    for command in commands {
      lines.append("    \(command.name)) _arguments \\")
      for option in command.options {
        let help = Self.escaped(option.help, "'").replacingOccurrences(of: "[", with: "\\[")
          .replacingOccurrences(of: "]", with: "\\]").replacingOccurrences(of: ":", with: "\\:")
        let words = Self.words(of: option)
        let value = option.value.map { value in
          words.isEmpty
            ? ":\(value.replacingOccurrences(of: ":", with: " ")):_files"
            : ":value:(\(words.joined(separator: " ")))"
        }
        let again = option.isRepeatable ? "*" : ""
        let name = option.name + (option.value == nil ? "" : "=")
        lines.append("      '\(again)--\(name)[\(help)]\(value ?? "")' \\")
      }
      lines.append("      '--help[show help]' '*:file:_files' ;;")
    }
    lines += ["  esac", "}", "\(function) \"$@\"", ""]
    return lines.joined(separator: "\n")
  }

  private var fish: String {
    var lines = ["# Completions of \(name) for fish."]
    for command in commands {
      lines.append(
        "complete -c \(name) -n __fish_use_subcommand -f -a \(command.name) "
          + "-d '\(Self.escaped(command.summary, "\\'"))'")
    }
    for command in commands {
      for option in command.options {
        let words = Self.words(of: option)
        let value =
          option.value == nil
          ? "" : words.isEmpty ? " -r" : " -x -a '\(words.joined(separator: " "))'"
        lines.append(
          "complete -c \(name) -n '__fish_seen_subcommand_from \(command.name)' "
            + "-l \(option.name)\(value) -d '\(Self.escaped(option.help, "\\'"))'")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Text without the quote that would end it.
  private static func escaped(_ text: String, _ quote: String) -> String {
    let replacement = quote == "'" ? "’" : quote
    return text.replacingOccurrences(of: "'", with: replacement)
  }
}
