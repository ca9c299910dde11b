// Writing a trace to a file, with checks before the search that it can be written.

import Foundation
import GracewalkChecking
import GracewalkReporting
import GracewalkSupport
import GracewalkTraces

/// A file to which a trace will be written, in one of its formats.
struct TraceOutput {
  /// The kind of file: one to replay, or a page to read.
  enum Form: String, CaseIterable {
    case trace
    case html
  }

  let path: String
  let form: Form

  static let html = Option(
    name: "html", value: "FILE", help: "write the execution as one page, to open in a browser")

  /// The files that the arguments name: all can be written, none overwrites data, and no two are
  /// the same.
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

  /// The line of the report that names the file.
  var line: String {
    switch form {
    case .trace: "trace: \(path) (\(RunningProgram.invocation) replay \(path.quotedForShell))"
    case .html: "page: \(path)"
    }
  }

  /// Whether an output needs a picture of the machine at each step.
  static func needsPictures(_ outputs: [TraceOutput]) -> Bool {
    outputs.contains { $0.form == .html }
  }

  /// Checks that a file can be written without overwriting data.
  ///
  /// - Parameter instead: the advice to print if the file exists.
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

  /// Writes the file atomically: it is either complete or absent.
  func write(_ trace: Trace, of model: Model) throws(UsageError) {
    let text =
      switch form {
      case .trace: TraceFile(trace).text
      case .html: HTMLPage(trace, of: model).text
      }
    try Output.replace(path, with: text)
  }
}
