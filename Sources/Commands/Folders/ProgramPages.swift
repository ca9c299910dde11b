// gracewalk check FOLDER --html PAGES: a page for each program with a finding, and a list of all.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

/// A folder of pages.
struct ProgramPages {
  private static let index = "index.html"

  private let folder: String

  /// - Parameter replaces: whether the folder may exist.
  init(_ folder: String, replaces: Bool) throws(UsageError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw UsageError("cannot make the folder '\(folder)' of pages: it is a file")
      }
      guard replaces else {
        throw UsageError("'\(folder)' exists; name another folder, or add --force to replace pages")
      }
    }
    self.folder = folder
  }

  /// A program and what was found.
  struct Row {
    var name: String
    var source: ProgramSource
    var result: Result<ProgramRequest.Answer, ProgramRequest.Failure>
  }

  /// Returns the number of pages.
  func write(_ rows: [Row]) throws -> Int {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw UsageError("cannot make the folder '\(folder)': \(error.localizedDescription)")
    }
    var lines: [String] = []
    var names: Set<String> = []
    for row in rows {
      var link: String?
      if let text = (try? row.result.get())?.document.schedule {
        var name = row.name.split(separator: "/").last.map(String.init) ?? row.name
        while !names.insert(name).inserted { name += "-" }
        link = "\(name).html"
        try Output.replace("\(folder)/\(name).html", with: try page(of: row.source, text))
      }
      lines.append(line(row, link))
    }
    try Output.replace("\(folder)/\(Self.index)", with: page(lines))
    return names.count + 1
  }

  private func page(of source: ProgramSource, _ schedule: String) throws -> String {
    guard let schedule = Schedule(text: schedule) else {
      throw UsageError("[internal] \(source.name): its schedule is none")
    }
    let trace = try source.compile().link().replay(schedule)
    let execution = ProgramExecution.trace(trace, of: source, foundBy: "check", isMinimal: true)
    return HTMLPage(execution, of: nil).text
  }

  private func line(_ row: Row, _ link: String?) -> String {
    let name = Self.escaped(row.name)
    let cell = link.map { "<a href=\"\(Self.escaped($0))\">\(name)</a>" } ?? name
    switch row.result {
    case .failure(let error):
      return "<tr><td>\(cell)<td class=\"other\">not checked<td>\(Self.escaped(error.message))"
    case .success(let answer):
      let verdict = answer.document.verdict
      return "<tr><td>\(cell)<td class=\"\(verdict)\">\(verdict)<td>\(Self.escaped(answer.remark))"
    }
  }

  private func page(_ lines: [String]) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>C programs</title>
    <style>
    body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em }
    table { border-collapse: collapse } td, th { padding: .25em 1em .25em 0; text-align: left;
    vertical-align: top } .holds { color: #17733a } .violated { color: #b3261e }
    .incomplete, .other { color: #8a5a00 } tr:nth-child(even) { background: #8881 }
    @media (prefers-color-scheme: dark) {
      body { background: #181818; color: #ddd } a { color: #8ab4f8 } .holds { color: #6fcf97 }
      .violated { color: #ff8a80 } .incomplete, .other { color: #e0b060 }
    }
    </style></head><body>
    <h1>C programs</h1>
    <p>\(counted(lines.count, "program")), each by every interleaving that matters. A name leads to
    the simplest execution that shows what is wrong.</p>
    <table><thead><tr><th>program<th>verdict<th>what was found</thead><tbody>
    \(lines.joined(separator: "\n"))
    </tbody></table>
    </body></html>

    """
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
