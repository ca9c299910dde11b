// One of several runs that divide the units among themselves, each with a file of answers.

import Foundation
import GracewalkChecking
import GracewalkSupport

/// Which part of the work a run does.
package struct Shard: Equatable, Sendable {
  /// From 1.
  package let number: Int
  package let count: Int

  package static let countMax = 10_000

  /// - Parameter text: such as `3/8`; nil is returned if it is something else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]),
      (1...Self.countMax).contains(count), (1...count).contains(number)
    else { return nil }
    self.number = number
    self.count = count
  }
}

/// Runs every so many units, and writes their answers to one file.
///
/// Nothing is delivered to the caller, since that needs all answers: `merge` has them.
package final class ShardExecutor: Executor, @unchecked Sendable {
  private let folder: WorkFolder
  private let threads: ThreadExecutor
  package let shard: Shard
  private let command: [String]
  private let done = Locked<Done?>(nil)

  /// What a shard has done.
  package struct Done: Sendable {
    package var units: Int
    package var of: Int
    package var isWhole: Bool
    package var file: String
    package var failure: FolderError?
  }

  package var width: Int { .max }

  package init(
    _ folder: WorkFolder, _ threads: ThreadExecutor, _ shard: Shard, command: [String]
  ) {
    self.folder = folder
    self.threads = threads
    self.shard = shard
    self.command = command
  }

  /// What was done; nil if there was nothing to divide.
  package var result: Done? { done.withLock { $0 } }

  package func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    // What depends on the answers of all shards is left to `merge`.
    guard result == nil, !units.isEmpty else { return false }
    let own = units.indices.filter { $0 % shard.count == shard.number - 1 }
    var answers: [StoredAnswer] = []
    var inner = watch
    inner.begin = { watch.begin(own[$0]) }
    var isOver = false
    let isWhole = threads.run(own.map { units[$0] }, inner) { unit in
      if unit.isCut { return false }
      let end = Clock.now
      answers.append(
        StoredAnswer(
          name: NamedUnit(units[own[unit.number]]).name, start: end - unit.seconds, end: end,
          json: AnswerFile.json(Outcome(unit.result)),
          isFinal: unit.isFinal(for: units[own[unit.number]])))
      if case .success(let answer) = unit.result, watch.isLast(answer) { isOver = true }
      return !isOver
    }
    write(answers, of: units.count, isWhole: isWhole || isOver)
    return false
  }

  /// Writes a file without answers, where there was nothing to divide: `merge` does it all.
  package func writeNothing() { write([], of: 0, isWhole: true) }

  private func write(_ answers: [StoredAnswer], of count: Int, isWhole: Bool) {
    let name = "shard-\(shard.number)-of-\(shard.count)"
    var new = Done(
      units: answers.count, of: count, isWhole: isWhole,
      file: "\(folder.path)/\(name).answers")
    if isWhole {
      do throws(FolderError) {
        try folder.keep(
          answers, AnswerAbout(command: command, shard: shard.number, shards: shard.count),
          as: name)
      } catch {
        new.failure = error
      }
    }
    done.withLock { $0 = new }
  }

  package func runFirst<Unit: WorkUnit>(
    _ unit: Unit, _ watch: WorkWatch<Unit>
  ) -> Result<Unit.Answer, Unit.Failure>? {
    threads.runFirst(unit, watch)
  }
}

/// The shards in a folder, ready to be merged.
package struct ShardSet {
  /// The command line that all of them worked on.
  package let command: [String]
  package let count: Int

  /// - Throws: what is missing, or does not fit.
  package init(_ folder: WorkFolder) throws(FolderError) {
    let files = folder.abouts.filter { $0.about.shard != nil }
    guard let first = files.first, let command = first.about.command,
      let count = first.about.shards
    else { throw FolderError("there are no shards in '\(folder.path)'") }
    for (file, about) in files where about.command != command || about.shards != count {
      throw FolderError(
        "'\(file)' is a shard of another command or of another number of shards than "
          + "'\(first.file)'; keep those of one run in a folder")
    }
    for (file, about) in files where !folder.isOurs(file) {
      throw FolderError(
        "shard \(about.shard ?? 0) of \(count) was written by another version of the program "
          + "('\(file)'); merge with the one that wrote it")
    }
    let missing = (1...max(count, 1)).filter { number in
      !files.contains { $0.about.shard == number }
    }
    guard missing.isEmpty else {
      let names = missing.prefix(8).map { "\($0)/\(count)" }.joined(separator: ", ")
      throw FolderError(
        "\(missing.count == 1 ? "shard" : "shards") \(names)\(missing.count > 8 ? ", …" : "") "
          + "\(missing.count == 1 ? "is" : "are") missing in '\(folder.path)'")
    }
    self.command = command
    self.count = count
  }
}

extension WorkFolder {
  /// Whether this version of the program wrote a file of answers.
  fileprivate func isOurs(_ file: String) -> Bool {
    guard let bytes = FolderFiles.bytes(of: file) else { return false }
    return (try? AnswerFile(bytes))?.program == ProgramVersion.current
  }
}
