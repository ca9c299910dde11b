// C programs that are part of the catalogue: their texts are in the binary.

import Foundation
import GracewalkChecking
import GracewalkMachine

/// A C program with the verdict that its first line declares.
struct ProgramModel: Sendable {
  /// A verdict under another memory model than sequential consistency.
  struct Other: Sendable {
    var memoryModel: MemoryModel
    var violates: [String]
  }

  /// The name of its file, without the ending.
  var name: String
  var summary: String
  /// The kinds of finding of which one is found; empty if it holds.
  var violates: [String]
  /// What the lines after the first declare under other memory models.
  var others: [Other] = []

  var file: String { "\(name).c" }

  var verdict: String { Self.verdict(violates) }

  /// What is declared, as documents have it.
  static func expected(_ violates: [String]) -> [String] {
    violates.isEmpty ? ["holds"] : violates
  }

  static func verdict(_ violates: [String]) -> String {
    violates.isEmpty ? "holds" : "violates \(violates.joined(separator: " or "))"
  }

  /// The kinds of finding under a memory model; nil if nothing is declared under it.
  func violates(under model: MemoryModel) -> [String]? {
    model == .standard ? violates : others.first { $0.memoryModel == model }?.violates
  }
}

/// The C programs of a catalogue, and the files that they include.
package struct ProgramLibrary: Sendable {
  /// The files by name, in order.
  let files: [(name: String, text: String)]
  let models: [ProgramModel]
  /// Where they are in the repository.
  let folder: String
  /// Names of programs that models have, too: commands take the model, and `NAME.c` is the program.
  var shadowed: Set<String> = []

  /// - Parameters:
  ///   - files: their names and bytes. The first line of a program is `// holds: …`, or
  ///     `// violates KIND or KIND: …`. Lines after it may be `// under arm: violates KIND`.
  ///   - folder: where they are in the repository.
  package init(_ files: [(name: String, bytes: [UInt8])] = [], folder: String = "") {
    self.files = files.map { ($0.name, String(decoding: $0.bytes, as: UTF8.self)) }
    self.folder = folder
    models = self.files.filter { $0.name.hasSuffix(".c") }.map { name, text in
      let line = text.prefix { $0 != "\n" }.dropFirst(3)
      let declared = line.prefix { $0 != ":" }
      let summary = line.dropFirst(declared.count + 2)
      return ProgramModel(
        name: String(name.dropLast(2)), summary: String(summary),
        violates: Self.kinds(declared), others: Self.others(text))
    }
  }

  private static func kinds(_ declared: Substring) -> [String] {
    guard declared.hasPrefix("violates ") else { return [] }
    return String(declared.dropFirst(9)).components(separatedBy: " or ")
  }

  private static func others(_ text: String) -> [ProgramModel.Other] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    return lines.prefix { $0.hasPrefix("// under ") }.compactMap { line in
      let words = line.dropFirst("// under ".count)
      let name = words.prefix { $0 != ":" }
      return MemoryModel(rawValue: String(name)).map {
        ProgramModel.Other(memoryModel: $0, violates: kinds(words.dropFirst(name.count + 2)))
      }
    }
  }

  func model(named name: String) -> ProgramModel? { models.first { $0.name == name } }

  func model(ofFile file: String) -> ProgramModel? { models.first { $0.file == file } }

  /// The text of a file; nil if it is none of these.
  func text(of file: String) -> String? { files.first { $0.name == file }?.text }
}

/// A folder for the time of a check.
final class TemporaryFolder {
  let path: String

  init() throws(UsageError) {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("gracewalk-\(ProcessInfo.processInfo.globallyUniqueString)")
    path = url.path
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw UsageError("cannot make a folder for files to compile: \(error.localizedDescription)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws(UsageError) {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path).appendingPathComponent(name))
    } catch {
      throw UsageError("cannot write '\(path)/\(name)': \(error.localizedDescription)")
    }
  }
}
