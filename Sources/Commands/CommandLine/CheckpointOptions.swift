// Saving a check from time to time, and resuming a saved one.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkSupport

enum CheckpointOptions {
  static let checkpoint = Option(
    name: "checkpoint", value: "FILE", help: "save the check to a file from time to time")
  static let interval = Option(
    name: "checkpoint-every", value: "S", help: "at most every S seconds (30), and at the end")
  static let resume = Option(
    name: "resume", value: "FILE",
    help: "resume a saved check; add --checkpoint FILE to keep saving it")

  static func read(
    _ arguments: Arguments, into options: inout CheckOptions
  ) throws(UsageError) {
    let source = arguments.value("resume")
    if let source {
      do throws(CheckError) {
        options.resume = try Checkpoint(path: source)
      } catch {
        throw SharedOptions.usageError(error, model: "")
      }
    }
    guard let path = arguments.value("checkpoint") else {
      guard !arguments.has("checkpoint-every") else {
        throw UsageError("--checkpoint-every is about --checkpoint, which is not given")
      }
      return
    }
    options.checkpoints = try file(path, source, arguments)
    if let seconds = try arguments.seconds("checkpoint-every") {
      guard seconds <= 1_000_000_000 else {
        throw UsageError("--checkpoint-every needs a number of seconds up to 1000000000")
      }
      options.checkpointInterval = seconds
    }
  }

  /// The file to save to; it may already exist only if the check is resumed from it.
  private static func file(
    _ path: String, _ source: String?, _ arguments: Arguments
  ) throws(UsageError) -> CheckpointFile {
    let isSource = source.map { resolved($0) == resolved(path) } ?? false
    try TraceOutput.checkWritable(
      path, replaces: isSource || arguments.has("force"),
      instead: "resume it with --resume \(path)")
    let type = try? FileManager.default.attributesOfItem(atPath: resolved(path))[.type]
    if let type = type as? FileAttributeType, type != .typeRegular {
      throw UsageError("cannot write '\(path)': it is not a regular file")
    }
    let folder = URL(fileURLWithPath: resolved(path)).deletingLastPathComponent().path
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw UsageError("cannot write '\(path)': no permission for its folder")
    }
    return CheckpointFile(path: resolved(path)) { warn($0) }
  }

  /// Replacing the file would replace a link, so links are resolved first.
  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  fileprivate static func warn(_ text: String) {
    Terminal.clearProgress()
    Terminal.writeError("\(RunningProgram.name): \(text)\n")
  }

  /// Says how to resume a check that was saved before it finished.
  static func tell(_ report: CheckReport, _ file: CheckpointFile?, _ arguments: Arguments) {
    guard let file, file.saves > 0, let path = arguments.value("checkpoint"),
      case .incomplete(.bound(let bound)) = report.verdict, bound != .depth, bound != .preemptions
    else { return }
    print("  saved in \(path): resume with --resume \(path)")
  }
}

/// Says that a resumed check is not saved any more: once, and not if the file is refused.
package final class UnsavedNotice: Sendable {
  private let path: String?
  private let isTold = Locked(false)

  package init(_ options: CheckOptions) {
    path = options.checkpoints == nil ? options.resume?.path : nil
  }

  /// To be called when the check has been resumed.
  package func tell() {
    guard let path else { return }
    let isFirst = isTold.withLock { isTold in
      defer { isTold = true }
      return !isTold
    }
    if isFirst {
      CheckpointOptions.warn(
        "no more checkpoints are written; add --checkpoint \(path) to keep saving")
    }
  }

  /// Searches report progress only after they have been resumed.
  package func watch(
    _ body: @escaping (SearchProgress) -> Bool
  ) -> (SearchProgress) -> Bool {
    { progress in
      self.tell()
      return body(progress)
    }
  }
}
