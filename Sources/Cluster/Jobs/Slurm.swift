// Slurm's commands: sbatch, squeue and scancel. All scheduling is Slurm's.

import Foundation
import GracewalkSupport

/// What a user may ask of the batch system.
package struct JobOptions: Sendable {
  package var partition: String?
  /// As `sbatch --time` takes it.
  package var time: String?
  /// As `sbatch --mem` takes it.
  package var memory: String?
  /// Jobs of an array that run at once.
  package var arrayLimit: Int?
  /// Seconds after which a job ends, and leaves the rest to others.
  package var seconds = 60.0
  /// How often a job that failed is run again.
  package var tries = 5

  package init() {}
}

/// An array of jobs: one for each bundle of a list.
struct JobElement: Hashable, Codable {
  var list: String
  var bundle: Int
}

/// The commands of Slurm.
package struct Slurm: Sendable {
  /// Names jobs, so that a coordinator finds those of an earlier one.
  let prefix: String
  let options: JobOptions

  /// Seconds before the time limit at which a job is told to save its work and end.
  static let warning = 60

  private static let tries = 8

  /// The least time limit of a job: Slurm may warn a job half a minute early.
  package static let minutesMin = 3.0

  /// The minutes of a time limit as `sbatch --time` takes it; nil if it makes no sense, or there is
  /// no limit.
  package static func minutes(_ text: String) -> Double? {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    let parts = (halves.last ?? "").split(separator: ":", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }
    guard halves.count <= 2, numbers.count == parts.count, (1...3).contains(numbers.count),
      numbers.allSatisfy({ $0 >= 0 })
    else { return nil }
    func part(_ index: Int) -> Double { index < numbers.count ? numbers[index] : 0 }
    guard halves.count == 2 else {
      return numbers.count == 3
        ? numbers[0] * 60 + numbers[1] + numbers[2] / 60 : numbers[0] + part(1) / 60
    }
    guard let days = Double(halves[0]), days >= 0 else { return nil }
    return days * 1_440 + part(0) * 60 + part(1) + part(2) / 60
  }

  /// Nil if Slurm is installed; what is missing otherwise.
  static var missing: String? {
    for command in ["sbatch", "squeue", "scancel"] {
      guard let found = Subprocess.run(command: ["which", command]), found.status == 0 else {
        return "Slurm's command \(command) is not installed here"
      }
    }
    return nil
  }

  /// Submits an array of jobs that run a script, one for each bundle.
  func submit(
    _ list: String, bundles: [Int], script: String, log: String
  ) throws(FolderError) {
    let isRange = bundles == Array(0..<bundles.count)
    let array = isRange ? "0-\(bundles.count - 1)" : bundles.map(String.init).joined(separator: ",")
    var words = [
      "sbatch", "--parsable", "--job-name=\(prefix)\(list)", "--output=\(log)",
      "--open-mode=append",
      "--array=\(array)\(options.arrayLimit.map { "%\($0)" } ?? "")", "--ntasks=1",
    ]
    if let partition = options.partition { words.append("--partition=\(partition)") }
    if let memory = options.memory { words.append("--mem=\(memory)") }
    if let time = options.time {
      words += ["--time=\(time)", "--signal=B:TERM@\(Self.warning)"]
    }
    words.append(script)
    for attempt in 1...Self.tries {
      guard let result = Subprocess.run(command: words) else {
        throw FolderError("Slurm's command sbatch is not installed here")
      }
      if result.status == 0 { return }
      let isTransient = ["Unable to contact", "timed out", "temporarily", "Resource temp"]
        .contains { result.errors.contains($0) }
      guard isTransient, attempt < Self.tries else {
        let reason = result.errors.split(separator: "\n").last.map(String.init) ?? "no reason given"
        throw FolderError("sbatch refuses the jobs: \(reason)")
      }
      Thread.sleep(forTimeInterval: Double(attempt))
    }
  }

  /// The jobs that wait or run; nil if Slurm does not answer.
  func alive() -> (waiting: Set<JobElement>, running: Set<JobElement>)? {
    guard
      let result = Subprocess.run(
        command: ["squeue", "--noheader", "--array", "--user=\(getuid())", "--format=%j|%K|%T"]),
      result.status == 0
    else { return nil }
    var (waiting, running) = (Set<JobElement>(), Set<JobElement>())
    for line in result.output.split(separator: "\n") {
      let parts = line.split(separator: "|").map(String.init)
      guard parts.count == 3, parts[0].hasPrefix(prefix), let bundle = Int(parts[1]) else {
        continue
      }
      let element = JobElement(list: String(parts[0].dropFirst(prefix.count)), bundle: bundle)
      if parts[2] == "PENDING" { waiting.insert(element) } else { running.insert(element) }
    }
    return (waiting, running)
  }

  /// Cancels all jobs of some lists; those that run are told to save their work.
  func cancel(_ lists: [String]) {
    for list in lists {
      _ = Subprocess.run(command: ["scancel", "--quiet", "--name=\(prefix)\(list)"])
    }
  }
}
