// Work divided among shards: the merged report is that of one run, and nothing else is merged.

import Foundation
import TestExpectations
import Testing

@Suite(.tags(.process), .unlessQuick) struct ShardTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("shards-\(UUID().uuidString)")

  private var path: String { folder.path }

  private func remove() { try? FileManager.default.removeItem(at: folder) }

  /// The lines of a report without times, which differ.
  static func lines(_ text: String) -> [Substring] {
    text.split(separator: "\n").filter { !$0.hasSuffix(" s") }.map { line in
      guard let ms = line.range(of: #" +\d+ ms"#, options: .regularExpression) else { return line }
      return Substring(line.replacingCharacters(in: ms, with: ""))
    }
  }

  private func shards(_ count: Int, _ command: [String]) throws {
    for number in 1...count {
      let shard = try CommandTests.outcome(
        command + ["--folder", path, "--shard", "\(number)/\(count)"])
      #expect(shard.status == 0, "\(shard.error)")
      #expect(shard.output.hasPrefix("shard \(number) of \(count): "))
    }
  }

  private static let commands = [
    ["sweep", "collapse-unlocked-descendants", "--cpus", "2"],
    ["sweep", "collapse-unlocked-descendants", "--cpus", "2", "--all"],
    ["ablate", "unmap-and-free"],
    ["fuzz", "--programs", "40"],
    ["check", "unmap-and-free", "--matrix"],
    ["check", "collapse-locked-descendants", "--units", "3", "--unit-length", "2000"],
    ["check", "collapse-free-at-once"],
  ]

  @Test(arguments: commands) func mergedReportsAreThoseOfOneRun(command: [String]) throws {
    defer { remove() }
    let one = try CommandTests.outcome(command)
    try shards(3, command)
    let merged = try CommandTests.outcome("merge", path)
    #expect(merged.error == one.error)
    #expect(merged.status == one.status)
    #expect(Self.lines(merged.output) == Self.lines(one.output))
  }

  @Test func onlyWholeSetsAreMerged() throws {
    defer { remove() }
    let command = ["fuzz", "--programs", "20"]
    try shards(3, command)
    let second = folder.appendingPathComponent("shard-2-of-3.answers")
    let bytes = try Data(contentsOf: second)
    try FileManager.default.removeItem(at: second)
    var merged = try CommandTests.outcome("merge", path)
    #expect(merged.status == 2)
    #expect(merged.error.contains("shard 2/3 is missing"))
    // A file that was cut off is ignored, and so missing.
    try bytes.dropLast(20).write(to: second)
    merged = try CommandTests.outcome("merge", path)
    #expect(merged.status == 2)
    #expect(merged.error.contains("it is cut off"))
    // Shards of another command do not belong there.
    let other = try CommandTests.outcome(
      "fuzz", "--programs", "21", "--folder", path, "--shard", "2/3")
    #expect(other.status == 0)
    merged = try CommandTests.outcome("merge", path)
    #expect(merged.status == 2)
    #expect(merged.error.contains("is a shard of another command"))
    // Another build of the program gave other answers.
    var text = String(decoding: bytes, as: UTF8.self)
    text.replaceSubrange(
      text.range(of: #"^gracewalk answers 2 \w+"#, options: .regularExpression)!,
      with: "gracewalk answers 2 0123456789abcdef")
    try Data(text.utf8).write(to: second)
    merged = try CommandTests.outcome("merge", path)
    #expect(merged.status == 2)
    #expect(merged.error.contains("shard 2 of 3 was written by another version of the program"))
  }

  /// An answer that does not fit its checksum is not used: it is found anew.
  @Test func damagedAnswersAreFoundAnew() throws {
    defer { remove() }
    let command = ["sweep", "fault-in-parallel", "--cpus", "2", "--folder", path]
    let first = try CommandTests.outcome(command)
    #expect(first.status == 0)
    let answers = folder.appendingPathComponent("answers")
    let files = try FileManager.default.contentsOfDirectory(atPath: answers.path)
    let file = answers.appendingPathComponent(try #require(files.first))
    let text = try String(contentsOf: file, encoding: .utf8)
    // The verdict that a combination holds becomes another one, as long as the first.
    #expect(text.contains(#""states":"#))
    try text.replacingOccurrences(of: #""states":"#, with: #""sTates":"#)
      .write(to: file, atomically: true, encoding: .utf8)
    let second = try CommandTests.outcome(command)
    #expect(second.status == 0)
    #expect(second.error.contains("it does not fit its checksum"))
    #expect(Self.lines(second.output) == Self.lines(first.output))
    // Those are kept, too, beside the damaged ones.
    let third = try CommandTests.outcome(command)
    #expect(Self.lines(third.output) == Self.lines(first.output))
  }

  @Test func wrongCallsAreRefused() throws {
    defer { remove() }
    let calls: [(words: [String], message: String)] = [
      (["fuzz", "--shard", "1/2"], "--shard needs a folder for its answers: --folder FOLDER"),
      (["fuzz", "--folder", path, "--shard", "3/2"], "--shard needs the number of a part"),
      (["fuzz", "--folder", path, "--shard", "1"], "--shard needs the number of a part"),
      (["sweep", "x", "--partition", "p"], "--partition is about --cluster, which is not given"),
      (["fuzz", "--cluster", "slurm"], "--cluster needs a folder that all its machines share"),
      (["fuzz", "--cluster", "pbs", "--folder", path], "--cluster is slurm, not 'pbs'"),
      (["fuzz", "--cluster", "slurm", "--shard", "1/2", "--folder", path], "contradict"),
      (["merge"], "merge takes one folder"),
      (["merge", path], "there is no folder"),
      (["cluster", "status", path], "there is no folder"),
      (["cluster"], "cluster takes: status FOLDER"),
      (["check", "shared-memcache", "--units", "0"], "--units needs a whole number"),
      (["check", "shared-memcache", "--unit-length", "9"], "--unit-length is about --units"),
    ]
    for (words, message) in calls {
      remove()
      let outcome = try CommandTests.outcome(words)
      #expect(outcome.status == 2, "\(words)")
      #expect(outcome.error.contains(message), "\(words): \(outcome.error)")
      #expect(outcome.error.split(separator: "\n").count == 1)
    }
  }
}
