// A job: does the units of a bundle, and writes down the answers.

import Foundation
import GracewalkChecking

/// Does the units of a bundle.
package struct Worker {
  private let folder: WorkFolder
  private let kinds: [WorkKind]
  private let place: WorkPlace
  private let list: String
  private let number: Int

  package init(
    _ folder: WorkFolder, _ kinds: [WorkKind], _ place: WorkPlace, list: String, bundle: Int
  ) {
    self.folder = folder
    self.kinds = kinds
    self.place = place
    self.list = list
    number = bundle
  }

  /// How a job ended.
  package struct Done {
    package var units: Int
    package var left: Int
    package var reason: String?
  }

  /// Begins a line in a job's log that the coordinator takes as final.
  static let refusal = "gracewalk: refused: "

  /// Does the units, as far as the job's time allows.
  package func run() throws(FolderError) -> Done {
    let path = "\(folder.list(list))/\(number)"
    guard let bytes = FolderFiles.bytes(of: path) else {
      throw FolderError("there is no bundle '\(path)'")
    }
    let bundle: WorkBundle
    do throws(FolderError) {
      bundle = try WorkBundle(bytes)
    } catch {
      throw FolderError("'\(path)' \(error)")
    }
    guard bundle.program == ProgramVersion.current else {
      throw FolderError(
        "\(Self.refusal)the program on \(Host.name) ('\(ProgramVersion.path)') is not the "
          + "coordinator's: it is version \(ProgramVersion.current), not \(bundle.program)")
    }
    return try run(bundle)
  }

  private func run(_ bundle: WorkBundle) throws(FolderError) -> Done {
    let clock = ContinuousClock()
    let budget = Budget(end: clock.now + .seconds(bundle.seconds))
    var place = place
    let goesOn = place.goesOn
    place.isInTime = { goesOn() && budget.goesOn }
    var answers: [StoredAnswer] = []
    var due = clock.now + .seconds(10)
    var files = 0
    var left: [String] = []
    for unit in bundle.units {
      guard left.isEmpty, goesOn(), answers.isEmpty && files == 0 || budget.goesOn else {
        left.append(unit.name)
        continue
      }
      guard let kind = kinds.first(where: { $0.name == unit.kind }) else {
        throw FolderError("\(Self.refusal)this program has no units of kind \(unit.kind)")
      }
      let start = Clock.now
      guard let json = try kind.run(unit, place, folder) else {
        if let failure = folder.failure { throw failure }
        left.append(unit.name)
        continue
      }
      answers.append(StoredAnswer(name: unit.name, start: start, end: Clock.now, json: json))
      guard due <= clock.now else { continue }
      files += 1
      try folder.keep(answers, AnswerAbout(), as: name(files))
      answers = []
      due = clock.now + .seconds(10)
    }
    let reason = left.isEmpty ? nil : goesOn() ? "its time is up" : "it was told to end"
    try folder.keep(
      answers, AnswerAbout(list: list, bundle: number, left: left, reason: reason),
      as: name(files + 1))
    return Done(units: bundle.units.count, left: left.count, reason: reason)
  }

  private func name(_ file: Int) -> String {
    "\(list)-\(number)-\(Host.name)-\(getpid())-\(UInt64(Clock.now * 1_000))-\(file)"
  }
}

/// The time of a job.
private struct Budget: Sendable {
  let end: ContinuousClock.Instant

  var goesOn: Bool { ContinuousClock.now < end }
}
