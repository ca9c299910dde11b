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

  private var job: JobElement { JobElement(list: list, bundle: number) }

  /// Does the units, as far as the job's time allows; and those on offer, if the job is to wait.
  package func run() throws(FolderError) -> Done {
    let bundle = try bundle(job)
    guard bundle.waits else { return try run(bundle, job) }
    var done = Done(units: 0, left: 0)
    func add(_ bundle: WorkBundle, _ element: JobElement) throws(FolderError) {
      let part = try run(bundle, element)
      done.units += part.units
      done.left += part.left
      done.reason = done.reason ?? part.reason
    }
    // A job that waited may have been faster.
    if RoundOffer.take(job, for: job, in: folder) { try add(bundle, job) }
    while let element = nextOnOffer() { try add(self.bundle(element), element) }
    return done
  }

  /// Waits for a bundle, and takes it; nil if it is time to end.
  private func nextOnOffer() -> JobElement? {
    let end = ContinuousClock.now + .seconds(RoundOffer.patience)
    var pause = 0.002
    var known: RoundOffer?
    while place.goesOn(), .now < end, let offer = RoundOffer(of: folder) {
      if offer != known {
        // Each job begins elsewhere, so that they seldom want the same.
        for step in 0..<offer.count {
          let element = JobElement(list: offer.list, bundle: (number + step) % offer.count)
          if RoundOffer.take(element, for: job, in: folder) { return element }
        }
        known = offer
      }
      Thread.sleep(forTimeInterval: pause)
      pause = min(pause * 1.2, 0.1)
    }
    return nil
  }

  /// Reads a bundle; throws if it is not for this program.
  private func bundle(_ element: JobElement) throws(FolderError) -> WorkBundle {
    let path = "\(folder.list(element.list))/\(element.bundle)"
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
    return bundle
  }

  private func run(_ bundle: WorkBundle, _ element: JobElement) throws(FolderError) -> Done {
    let clock = ContinuousClock()
    let budget = Budget(end: clock.now + .seconds(bundle.seconds))
    var place = place
    let goesOn = place.goesOn
    place.isInTime = { goesOn() && budget.goesOn }
    var answers: [StoredAnswer] = []
    var due = clock.now + .seconds(10)
    var files = 0
    var left: [String] = []
    var isLost = true
    for unit in bundle.units {
      guard left.isEmpty, goesOn(), answers.isEmpty && files == 0 || budget.goesOn else {
        left.append(unit.name)
        continue
      }
      guard let kind = kinds.first(where: { $0.name == unit.kind }) else {
        throw FolderError("\(Self.refusal)this program has no units of kind \(unit.kind)")
      }
      let start = Clock.now
      guard let (json, isFinal) = try kind.run(unit, place, folder) else {
        if let failure = folder.failure { throw failure }
        if kind.isResumable(unit) { isLost = false }
        left.append(unit.name)
        continue
      }
      isLost = false
      answers.append(
        StoredAnswer(
          name: unit.name, start: start, end: Clock.now, json: json, isFinal: isFinal))
      guard due <= clock.now else { continue }
      files += 1
      try folder.keep(answers, AnswerAbout(), as: name(element, files))
      answers = []
      due = clock.now + .seconds(10)
    }
    let reason = left.isEmpty ? nil : goesOn() ? "its time is up" : "it was told to end"
    try folder.keep(
      answers,
      AnswerAbout(
        list: element.list, bundle: element.bundle, left: left, reason: reason,
        isLost: isLost ? true : nil),
      as: name(element, files + 1))
    return Done(units: bundle.units.count, left: left.count, reason: reason)
  }

  private func name(_ element: JobElement, _ file: Int) -> String {
    let job = "\(Host.name)-\(getpid())-\(UInt64(Clock.now * 1_000))"
    return "\(element.list)-\(element.bundle)-\(job)-\(file)"
  }
}

/// The time of a job.
private struct Budget: Sendable {
  let end: ContinuousClock.Instant

  var goesOn: Bool { ContinuousClock.now < end }
}
