// Writing a trace as a file: whether it can be written is known before the search, not after.

import Foundation
import GracewalkChecking
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

/// A file that a trace will be written to, in one of its forms.
struct TraceOutput {
  /// What is written: the file to replay, or the page to read.
  enum Form: String, CaseIterable {
    case trace
    case html
  }

  let path: String
  let form: Form

  static let html = Option(
    name: "html", value: "FILE", help: "write the execution as one page, to open in a browser")

  /// The files that are asked for: each can be written, none is lost, and they are not the same.
  static func all(
    _ arguments: Arguments, of forms: [Form] = Form.allCases
  ) throws(UsageError) -> [TraceOutput] {
    var outputs: [TraceOutput] = []
    for form in forms {
      guard let path = arguments.value(form.rawValue) else { continue }
      guard !outputs.contains(where: { $0.isSameFile(as: path) }) else {
        throw UsageError("--trace and --html are given the same file '\(path)'; name two")
      }
      try checkWritable(path, replaces: arguments.has("force"))
      outputs.append(TraceOutput(path: path, form: form))
    }
    return outputs
  }

  private func isSameFile(as other: String) -> Bool {
    URL(fileURLWithPath: path).standardizedFileURL
      == URL(fileURLWithPath: other).standardizedFileURL
  }

  /// What a check says of the file.
  var line: String {
    switch form {
    case .trace: "trace: \(path) (\(RunningProgram.invocation) replay \(path.quotedForShell))"
    case .html: "page: \(path)"
    }
  }

  /// Whether somebody wants to see the machine at each step.
  static func needsPictures(_ outputs: [TraceOutput]) -> Bool {
    outputs.contains { $0.form == .html }
  }

  /// Makes sure that a file can be written, and that none is lost by it.
  ///
  /// - Parameter instead: what else to do if there is a file.
  static func checkWritable(
    _ path: String, replaces: Bool, instead: String = "name another file"
  ) throws(UsageError) {
    let manager = FileManager.default
    var isDirectory: ObjCBool = false
    if manager.fileExists(atPath: path, isDirectory: &isDirectory) {
      guard !isDirectory.boolValue else {
        throw UsageError("cannot write '\(path)': it is a folder")
      }
      guard replaces else {
        throw UsageError("'\(path)' exists; \(instead), or add --force to replace it")
      }
      guard manager.isWritableFile(atPath: path) else {
        throw UsageError("cannot write '\(path)': no permission")
      }
      return
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard manager.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue
    else { throw UsageError("cannot write '\(path)': there is no folder '\(folder)'") }
    guard manager.isWritableFile(atPath: folder) else {
      throw UsageError("cannot write '\(path)': no permission for its folder")
    }
  }

  /// Writes the file in one go: it is either whole or not there.
  func write(_ trace: Trace, of model: Model) throws(UsageError) {
    let text =
      switch form {
      case .trace: TraceFile(trace).text
      case .html: HTMLPage(trace, of: model).text
      }
    try Output.replace(path, with: text)
  }
}
