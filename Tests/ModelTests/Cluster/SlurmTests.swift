// A real Slurm on this machine: reports are those of one machine, whatever happens to the jobs.

import Foundation
import GracewalkSupport
import TestExpectations
import Testing

/// Slurm with its folder, started once.
private struct TestCluster {
  let folder: URL

  /// The script beside this file.
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("slurm.sh").path

  static let missing: String? = {
    if getuid() != 0 { return "Slurm's daemons need root" }
    for command in ["slurmctld", "slurmd", "sbatch", "munged"] {
      let paths = ["/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"]
      if !paths.contains(where: { FileManager.default.isExecutableFile(atPath: $0 + command) }) {
        return "\(command) is not installed (Debian: slurm-wlm, munge)"
      }
    }
    return nil
  }()

  init() throws {
    folder = URL(fileURLWithPath: "/tmp/gracewalk-slurm-\(getpid())")
    try? FileManager.default.removeItem(at: folder)
    let started = try Self.shell(["bash", Self.script, "start", folder.path], ["CPUS": "4"])
    try #require(started.status == 0, "\(started.output)")
  }

  func stop() {
    _ = try? Self.shell(["bash", Self.script, "stop", folder.path], [:])
    try? FileManager.default.removeItem(at: folder)
  }

  var environment: [String: String] {
    ["SLURM_CONF": folder.appendingPathComponent("slurm.conf").path]
  }

  @discardableResult
  static func shell(
    _ words: [String], _ environment: [String: String]
  ) throws -> (status: Int32, output: String) {
    let process = try start(words, environment)
    let output = (process.standardOutput as? Pipe)?.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output ?? Data(), as: UTF8.self))
  }

  static func start(_ words: [String], _ environment: [String: String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    // Daemons keep what they inherit, so errors do not go into the pipe.
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  func run(_ words: [String]) throws -> (status: Int32, output: String) {
    try Self.shell([CommandTests.executable.path] + words, environment)
  }
}

@Suite(
  .serialized, .tags(.process), .unlessQuick,
  .enabled(if: TestCluster.missing == nil, "\(TestCluster.missing ?? "")"))
struct SlurmTests {
  private static let commands = [
    ["sweep", "collapse-unlocked-descendants", "--cpus", "2", "--all"],
    ["ablate", "unmap-and-free"],
    ["check", "collapse-locked-descendants", "--units", "4", "--unit-length", "5000"],
    ["check", "collapse-free-at-once"],
    ["check", programs, "--unroll", "10"],
  ]

  private static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("models/C").path

  /// All that can happen to a run, over one Slurm, as it takes a while to start.
  @Test func reportsAreThoseOfOneMachine() throws {
    let cluster = try TestCluster()
    defer { cluster.stop() }
    for (number, command) in Self.commands.enumerated() {
      let one = try TestCluster.shell([CommandTests.executable.path] + command, [:])
      let work = cluster.folder.appendingPathComponent("work-\(number)").path
      let options = ["--cluster", "slurm", "--folder", work, "--array-limit", "4"]
      let first = try cluster.run(command + options)
      #expect(first.status == one.status, "\(command)")
      #expect(ShardTests.lines(first.output) == ShardTests.lines(one.output), "\(command)")
      // A second run finds all answers.
      let answers = Self.answers(in: work)
      #expect(!answers.isEmpty)
      let second = try cluster.run(command + options)
      #expect(Self.answers(in: work) == answers)
      #expect(ShardTests.lines(second.output) == ShardTests.lines(one.output), "\(command)")
      let status = try cluster.run(["cluster", "status", work])
      #expect(status.status == 0)
    }
    try coordinatorIsKilled(cluster)
    try jobsAreKilled(cluster)
    try hopelessJobsAreReported(cluster)
    try anotherVersionIsRefused(cluster)
    try aFullDiskIsReported(cluster)
  }

  /// The files of answers in a folder, with the time at which each was written.
  private static func answers(in folder: String) -> [String: Date] {
    let files = FileManager.default.enumerator(atPath: folder)
    var answers: [String: Date] = [:]
    while let name = files?.nextObject() as? String {
      guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)"),
        bytes.starts(with: Array("gracewalk answers".utf8))
      else { continue }
      answers[name] = files?.fileAttributes?[.modificationDate] as? Date
    }
    return answers
  }

  /// Some runs with random faults; faults.sh alone does many more.
  @Test func nothingIsLostOrCountedTwice() throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("faults.sh").path
    let outcome = try TestCluster.shell(
      ["bash", script, CommandTests.executable.path, "4", "11"], [:])
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.contains("4 of 4 runs are equal"))
  }

  /// Work of some seconds, whatever the build.
  private static let long: [String] = {
    #if DEBUG
      let programs = 120
    #else
      let programs = 1_000
    #endif
    return ["fuzz", "--programs", "\(programs)", "--seed", "7"]
  }()

  private func coordinatorIsKilled(_ cluster: TestCluster) throws {
    let one = try TestCluster.shell([CommandTests.executable.path] + Self.long, [:])
    let work = cluster.folder.appendingPathComponent("killed").path
    let words = [CommandTests.executable.path] + Self.long + ["--cluster", "slurm"]
    let coordinator = try TestCluster.start(words + ["--folder", work], cluster.environment)
    Thread.sleep(forTimeInterval: 1.5)
    // Another one is refused while it is alive.
    let other = try cluster.run(Self.long + ["--cluster", "slurm", "--folder", work])
    #expect(other.status == 2)
    kill(coordinator.processIdentifier, SIGKILL)
    coordinator.waitUntilExit()
    let refused = try cluster.run(Self.long + ["--cluster", "slurm", "--folder", work])
    #expect(refused.status == 2)
    let resumed = try cluster.run(Self.long + ["--cluster", "slurm", "--resume", work])
    #expect(resumed.status == one.status)
    #expect(resumed.output == one.output)
  }

  private func jobsAreKilled(_ cluster: TestCluster) throws {
    let one = try TestCluster.shell([CommandTests.executable.path] + Self.long, [:])
    let work = cluster.folder.appendingPathComponent("jobs").path
    let words = [CommandTests.executable.path] + Self.long
    let options = ["--cluster", "slurm", "--folder", work, "--array-limit", "4"]
    let coordinator = try TestCluster.start(words + options, cluster.environment)
    for _ in 0..<3 {
      Thread.sleep(forTimeInterval: 1)
      let jobs = try TestCluster.shell(["pgrep", "-f", "cluster work \(work)"], [:])
      for job in jobs.output.split(separator: "\n").compactMap({ Int32($0) }).prefix(1) {
        kill(job, SIGKILL)
      }
    }
    let output = (coordinator.standardOutput as? Pipe)?.fileHandleForReading.readDataToEndOfFile()
    coordinator.waitUntilExit()
    #expect(coordinator.terminationStatus == one.status)
    #expect(String(decoding: output ?? Data(), as: UTF8.self) == one.output)
  }

  /// A job that cannot write fails, is run again, and is reported in the end.
  private func hopelessJobsAreReported(_ cluster: TestCluster) throws {
    let work = cluster.folder.appendingPathComponent("hopeless").path
    let words = [CommandTests.executable.path] + Self.long
    let options = [
      "--cluster", "slurm", "--folder", work, "--array-limit", "2", "--tries", "2",
      "--partition", "none",
    ]
    let outcome = try cluster.run(Array(words.dropFirst()) + options)
    #expect(outcome.status == 3)
  }

  /// The program is replaced while its jobs wait.
  private func anotherVersionIsRefused(_ cluster: TestCluster) throws {
    let program = cluster.folder.appendingPathComponent("program")
    try FileManager.default.copyItem(at: CommandTests.executable, to: program)
    let work = cluster.folder.appendingPathComponent("version").path
    let options = ["--cluster", "slurm", "--folder", work, "--array-limit", "2"]
    let words = ["sh", "-c", "exec \"$@\" 2>&1", "sh", program.path] + Self.long
    let coordinator = try TestCluster.start(
      words + options + ["--unit-seconds", "0.5"], cluster.environment)
    Thread.sleep(forTimeInterval: 1)
    let other = cluster.folder.appendingPathComponent("other")
    try (Data(contentsOf: program) + Data([0])).write(to: other)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: other.path)
    rename(other.path, program.path)
    let output = (coordinator.standardOutput as? Pipe)?.fileHandleForReading.readDataToEndOfFile()
    coordinator.waitUntilExit()
    #expect(coordinator.terminationStatus == 3)
    #expect(String(decoding: output ?? Data(), as: UTF8.self).contains("is not the coordinator's"))
  }

  /// Where there is no room, the run ends with a line, and goes on once there is.
  private func aFullDiskIsReported(_ cluster: TestCluster) throws {
    let disk = cluster.folder.appendingPathComponent("disk").path
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let mounted = try TestCluster.shell(
      ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], [:])
    // A container may not be allowed to.
    guard mounted.status == 0 else { return }
    defer { _ = try? TestCluster.shell(["umount", disk], [:]) }
    let filler = "\(disk)/filler"
    _ = try TestCluster.shell(["sh", "-c", "head -c 5900000 /dev/zero > \(filler)"], [:])
    let one = try TestCluster.shell([CommandTests.executable.path] + Self.long, [:])
    let command = Self.long + ["--cluster", "slurm"]
    let full = try cluster.run(command + ["--folder", "\(disk)/work"])
    #expect(full.status == 3)
    try FileManager.default.removeItem(atPath: filler)
    let resumed = try cluster.run(command + ["--resume", "\(disk)/work"])
    #expect(resumed.status == one.status)
    #expect(resumed.output == one.output)
  }
}
