// Where a command's work is done: here, as a shard, or by the jobs of a cluster.

import Foundation
import GracewalkChecking
import GracewalkCluster
import GracewalkExploration
import GracewalkReporting
import GracewalkSupport

package enum WorkOptions {
  static let folder = Option(
    name: "folder", value: "FOLDER",
    help: "keep answers in a folder, and use those that are there already")
  static let shard = Option(
    name: "shard", value: "K/N",
    help: "do part K of N, and write it to the folder; gracewalk merge makes the report")
  static let cluster = Option(
    name: "cluster", value: "slurm",
    help: "do the work in jobs of a cluster, over a folder that all its machines share")
  static let resume = Option(
    name: "resume", value: "FOLDER",
    help: "with --cluster: as --folder, and go on where a coordinator was stopped")
  private static let jobOptions = [
    Option(name: "partition", value: "P", help: "with --cluster: the partition of the jobs"),
    Option(
      name: "time", value: "T", help: "with --cluster: the time limit of a job, as sbatch has it"),
    Option(
      name: "job-memory", value: "M", help: "with --cluster: the memory of a job, as for sbatch"),
    Option(name: "array-limit", value: "N", help: "with --cluster: at most N jobs at a time (64)"),
    Option(
      name: "unit-seconds", value: "S",
      help: "with --cluster: a job leaves to others what it has not done in S seconds (60)"),
    Option(
      name: "tries", value: "N", help: "with --cluster: run a job that fails up to N times (5)"),
  ]

  /// The options of a command that has units of work.
  package static let all = [folder, shard, cluster, resume] + jobOptions

  /// The same for a command that has `--resume FILE` already.
  static let withoutResume = [folder, shard, cluster] + jobOptions

  static func jobs(_ arguments: Arguments) throws(UsageError) -> JobOptions {
    var options = JobOptions()
    options.partition = arguments.value("partition")
    options.time = arguments.value("time")
    if let time = options.time, let minutes = Slurm.minutes(time), minutes < Slurm.minutesMin {
      throw UsageError(
        "--time \(time) is too short for a job to save its work before: give it "
          + "\(Int(Slurm.minutesMin)) minutes or more")
    }
    options.memory = arguments.value("job-memory")
    options.arrayLimit = try arguments.count("array-limit", upTo: 1_000)
    options.seconds = try arguments.seconds("unit-seconds") ?? options.seconds
    options.tries = try arguments.count("tries", upTo: 1_000) ?? options.tries
    return options
  }

  /// Refuses options that do nothing without others.
  static func check(_ arguments: Arguments) throws(UsageError) {
    let isCluster = arguments.has("cluster")
    for option in jobOptions where arguments.has(option.name) && !isCluster {
      throw UsageError("--\(option.name) is about --cluster, which is not given")
    }
    if isCluster, arguments.has("shard") {
      throw UsageError("--cluster and --shard contradict each other: leave one of them out")
    }
    if arguments.has("shard"), !arguments.has("folder") {
      throw UsageError("--shard needs a folder for its answers: --folder FOLDER")
    }
    if isCluster, !arguments.has("folder"), !arguments.has("resume") {
      throw UsageError("--cluster needs a folder that all its machines share: --folder FOLDER")
    }
    if isCluster, arguments.has("folder"), arguments.has("resume") {
      throw UsageError("--folder and --resume name the same folder: leave one of them out")
    }
  }
}

/// Where the work of one run of a command is done.
package final class WorkSession: @unchecked Sendable {
  package enum Place: Equatable {
    /// Threads of this process, with the answers in a folder.
    case folder
    case shard(Shard)
    /// The answers of all shards, of which there are so many.
    case merge(Int)
    case cluster
  }

  package let place: Place
  package let folder: WorkFolder
  private let source: ModelSource
  private let command: [String]
  private let jobOptions: JobOptions
  private let lock: CoordinatorLock?
  private var shardExecutor: ShardExecutor?
  private var jobExecutor: JobExecutor?

  /// Nil if nothing but this process is asked for.
  init?(_ arguments: Arguments, mergesShards: Int? = nil) throws(UsageError) {
    try WorkOptions.check(arguments)
    let isCluster = arguments.has("cluster")
    let path = arguments.value("folder") ?? (isCluster ? arguments.value("resume") : nil)
    guard let path else { return nil }
    source = arguments.source
    command = Self.withoutShard(arguments.words)
    jobOptions = try WorkOptions.jobs(arguments)
    do throws(FolderError) {
      folder = try WorkFolder(path, mergesShards: mergesShards != nil) { Self.warn($0) }
      if let mergesShards {
        place = .merge(mergesShards)
      } else if let text = arguments.value("shard") {
        guard let shard = Shard(text) else {
          throw FolderError(
            "--shard needs the number of a part and how many there are, such as 3/8, not '\(text)'")
        }
        place = .shard(shard)
      } else {
        place = isCluster ? .cluster : .folder
      }
      if isCluster, arguments.value("cluster") != "slurm" {
        throw FolderError("--cluster is slurm, not '\(arguments.value("cluster") ?? "")'")
      }
      lock =
        isCluster ? try CoordinatorLock(folder, takesOver: arguments.has("resume")) : nil
    } catch {
      throw UsageError("\(error)")
    }
  }

  private static func warn(_ text: String) {
    Terminal.clearProgress()
    Terminal.writeError("\(RunningProgram.name): \(text)\n")
  }

  /// The executor of the command's units.
  func executor(jobs: Int) throws(UsageError) -> any Executor {
    let source = source
    let threads = ThreadExecutor(jobs: jobs, files: folder) { source.model(named: $0) }
    switch place {
    case .folder: return FolderExecutor(folder, threads, keeps: true)
    case .merge: return FolderExecutor(folder, threads, keeps: false)
    case .shard(let shard):
      if let shardExecutor { return shardExecutor }
      let executor = ShardExecutor(folder, threads, shard, command: command)
      shardExecutor = executor
      Output.isMuted = true
      return executor
    case .cluster:
      if let jobExecutor { return jobExecutor }
      guard let lock else { throw UsageError("[internal] a coordinator without a lock") }
      do throws(FolderError) {
        let executor = try JobExecutor(
          folder, jobOptions, lock, isInterrupted: { Terminal.isInterrupted },
          complain: { Self.warn($0) },
          tell: { status in _ = Terminal.shouldContinue("cluster: \(status.line)") })
        jobExecutor = executor
        return executor
      } catch {
        throw UsageError("\(error)")
      }
    }
  }

  /// Whether an answer to the whole question is kept.
  var keepsWhole: Bool {
    switch place {
    case .folder, .cluster: true
    case .shard, .merge: false
    }
  }

  /// Whether long searches are divided into units, and into how many unless the user says.
  var units: Int? {
    switch place {
    case .shard(let shard): shard.count
    case .merge(let count): count
    case .cluster: 16
    case .folder: nil
    }
  }

  /// Transitions of a unit, unless the user says; nil for ever longer ones.
  var unitLength: Int? {
    switch place {
    case .shard, .merge: SearchChoice.unitLengthMax
    case .cluster, .folder: nil
    }
  }

  /// Transitions from which on a unit is worth a message.
  static let unitLengthMin = 250_000

  /// A command line without what made it a shard.
  private static func withoutShard(_ words: [String]) -> [String] {
    var kept: [String] = []
    var skips = false
    for word in words {
      if skips {
        skips = false
      } else if word == "--shard" || word == "--folder" {
        skips = true
      } else if !word.hasPrefix("--shard="), !word.hasPrefix("--folder=") {
        kept.append(word)
      }
    }
    return kept
  }

  // MARK: The end

  /// Says how the work ended, after the command's own report; returns the exit status.
  func finish(_ result: Result<Int32, any Error>) throws -> Int32 {
    Terminal.clearProgress()
    Output.isMuted = false
    if let executor = shardExecutor {
      if executor.result == nil {
        _ = try result.get()
        executor.writeNothing()
      }
      guard let done = executor.result else { return ExitStatus.incomplete }
      return try finish(done, executor.shard)
    }
    guard let executor = jobExecutor else {
      lock?.release()
      if place == .folder, let failure = folder.failure { Self.warn("\(failure)") }
      return try result.get()
    }
    executor.finish()
    if let problem = executor.problem {
      Self.warn("\(problem)")
      Self.warn("to go on: the same command with --resume \(folder.path.quotedForShell)")
      _ = try result.get()
      return ExitStatus.incomplete
    }
    let status = try result.get()
    if Terminal.isInterrupted {
      Self.warn("to go on: the same command with --resume \(folder.path.quotedForShell)")
    }
    return status
  }

  private func finish(_ done: ShardExecutor.Done, _ shard: Shard) throws(UsageError) -> Int32 {
    if let failure = done.failure { throw UsageError("\(failure)") }
    let units = "\(done.units) of \(counted(done.of, "unit"))"
    guard done.isWhole else {
      print("shard \(shard.number) of \(shard.count): interrupted after \(units)")
      return ExitStatus.incomplete
    }
    print("shard \(shard.number) of \(shard.count): \(units), in \(done.file)")
    return ExitStatus.holds
  }
}
