// A trace moment by moment, with the changes at each and whether they matter.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// One step of a trace, and the machine after it; the first is the machine before all steps.
public struct Moment: Equatable, Sendable {
  /// The number that traces show; the first moment is `0`.
  ///
  /// A local step has a second number after that of the previous numbered step: 3.1 follows 3.
  public var label: String
  public var step: RecordedStep?
  public var picture: MachinePicture
  public var changes: [PictureChange]
  /// A preempted CPU, and the one that runs instead.
  public var preemption: (left: Int, goesOn: Int)?
  /// The operation that begins with this step.
  public var begins: String?
  /// Operations that end with this step or right after it, and their results.
  public var ends: [(cpu: Int, result: String)] = []
  /// True if the steps from here to the end repeat forever.
  public var beginsLoop = false
  /// True if the story of the trace must include it.
  public var isKey = false

  public static func == (a: Moment, b: Moment) -> Bool {
    a.label == b.label && a.step == b.step && a.picture == b.picture
  }
}

/// A trace that was recorded with pictures, for views that show one moment at a time.
public struct TraceMoments: Sendable {
  public let trace: Trace
  public private(set) var moments: [Moment] = []
  /// CPUs that take a step or are waited for, in order: each has a lane.
  public let lanes: [Int]
  /// Ids of the pages that the violation names.
  public let suspects: [Int]
  /// The moment of each recorded step that has one of its own.
  private var momentOfStep: [Int: Int] = [:]

  var recording: Recording { trace.recording }

  /// - Precondition: the recording has pictures.
  public init(_ trace: Trace) {
    demand(
      trace.recording.pictures.count == trace.recording.steps.count + 1,
      "a trace for moments is recorded with pictures")
    self.trace = trace
    let recording = trace.recording
    let last = recording.pictures[recording.pictures.count - 1]
    lanes = recording.cpus.indices.filter { cpu in
      recording.steps.contains { $0.cpu == cpu }
        || last.cpus[cpu].blockedAt != nil
        || recording.pictures.contains { picture in
          picture.cpus[cpu].role == .callbacks
            && picture.cpus[cpu].owner.map { !picture.cpus[$0].callbacks.isEmpty } ?? false
        }
    }
    suspects = Self.pages(in: last, namedBy: recording.end)
    makeMoments()
    markKeys()
  }

  /// The violated invariant and its report.
  public var violation: (id: String, report: Violation)? {
    trace.violation.map { (id: $0.invariant, report: $0.report) }
  }

  /// The moment with a label, as a number in `moments`.
  public func position(ofLabel label: String) -> Int? { moments.firstIndex { $0.label == label } }

  private static func pages(in picture: MachinePicture, namedBy end: Recording.End) -> [Int] {
    guard case .violated(_, let report) = end else { return [] }
    return picture.pages.filter { names($0, in: report.message) }.map(\.id)
  }

  /// True if a sentence names a page or one of its words, and not just a page whose name starts
  /// with the same text.
  private static func names(_ page: MachinePicture.Page, in text: String) -> Bool {
    text.ranges(of: page.name).contains { range in
      let before = text[..<range.lowerBound].last
      let after = text[range.upperBound...]
      if before.map({ $0.isLetter || $0.isNumber || "._-".contains($0) }) == true { return false }
      if after.hasPrefix("[") || after.hasPrefix(".references") || after.hasPrefix(".private") {
        return true
      }
      // The name of a root is also an ordinary word in sentences about roots.
      guard !page.isRoot, let next = after.first else { return !page.isRoot }
      let isEnd = next == "." && after.dropFirst().first.map(\.isWhitespace) != false
      return isEnd || next.isWhitespace || ",:;'".contains(next)
    }
  }

  private mutating func makeMoments() {
    moments = [
      Moment(label: "0", step: nil, picture: recording.pictures[0], changes: [], preemption: nil)
    ]
    var number = 0
    var local = 0
    var preemption: (left: Int, goesOn: Int)?
    var beginsLoop = false
    var operations: [Int: Int] = [:]
    for (position, step) in recording.steps.enumerated() {
      if recording.preemptions.contains(position) {
        preemption = (recording.steps[position - 1].cpu, step.cpu)
      }
      if position == recording.loop { beginsLoop = true }
      let picture = recording.pictures[position + 1]
      if step.isBoundary {
        // Not an action of the code: its visible effect belongs to the previous step.
        moments[moments.count - 1].picture = picture
      } else {
        (number, local) = step.isLocal ? (number, local + 1) : (number + 1, 0)
        var moment = Moment(
          label: local == 0 ? "\(number)" : "\(number).\(local)", step: step, picture: picture,
          changes: [], preemption: preemption)
        moment.beginsLoop = beginsLoop
        if operations[step.cpu] != step.operation {
          operations[step.cpu] = step.operation
          moment.begins = recording.operations[step.cpu][step.operation]
        }
        (preemption, beginsLoop) = (nil, false)
        momentOfStep[position] = moments.count
        moments.append(moment)
      }
      if step.endsOperation {
        moments[moments.count - 1].ends.append((step.cpu, step.operationResult ?? "done"))
      }
    }
    compareMoments()
  }

  private mutating func compareMoments() {
    var history = PictureHistory()
    for index in moments.indices.dropFirst() {
      let (old, moment) = (moments[index - 1].picture, moments[index])
      moments[index].changes = PictureComparison.changes(
        from: old, to: moment.picture, cpus: recording.cpus, history)
      let cpu = moment.step.map { recording.cpus[$0.cpu] } ?? ""
      history.note(old, moment.picture, "unlinked by \(cpu) in step \(moment.label)")
    }
  }

  /// If a CPU is inside a section at the end, the moment at which it entered matters.
  private mutating func markOpenSections() {
    let end = moments[moments.count - 1].picture.cpus
    for cpu in end.indices {
      markEntering(cpu, isOpen: end[cpu].isInSection) { $0.isInSection }
      markEntering(cpu, isOpen: end[cpu].hasInterruptsMasked) { $0.hasInterruptsMasked }
    }
  }

  private mutating func markEntering(
    _ cpu: Int, isOpen: Bool, _ isInside: (MachinePicture.CPU) -> Bool
  ) {
    guard isOpen, let outside = moments.lastIndex(where: { !isInside($0.picture.cpus[cpu]) }),
      outside + 1 < moments.count
    else { return }
    let texts = PictureComparison.entering(recording.cpus[cpu])
    for index in moments[outside + 1].changes.indices
    where texts.contains(moments[outside + 1].changes[index].text) {
      moments[outside + 1].changes[index].isNotable = true
    }
  }

  /// Marks the last writes of the words that the failed invariant had read.
  ///
  /// For an invariant that reads everything, the pages named in its message count instead.
  ///
  /// - Returns: the moments of those writes.
  private mutating func markInspected() -> [Int] {
    let isAbout = !recording.inspected.isEmpty || !suspects.isEmpty
    let words = isAbout ? recording.inspected : recording.inspectedAlong
    return words.compactMap { word in
      guard let moment = momentOfStep[word.step] else { return nil }
      let name = word.name.hasSuffix(".references") ? String(word.name.dropLast(11)) : word.name
      for change in moments[moment].changes.indices
      where moments[moment].changes[change].text.hasPrefix("\(name): ") {
        moments[moment].changes[change].isNotable = true
      }
      return moment
    }
  }

  /// Marks the key moments: notable changes, changes of the pages that the violation names, writes
  /// that the invariant read, preemptions, and the end.
  private mutating func markKeys() {
    if violation != nil, recording.loop == nil { markOpenSections() }
    let decisive = markInspected()
    let last = moments.count - 1
    let stale = moments[last].picture.units.flatMap { unit in
      unit.leaves.filter { !$0.isCurrent }.map {
        "\(recording.cpus[unit.cpu]) caches \($0.addresses) "
      }
    }
    for index in moments.indices.dropFirst() {
      for change in moments[index].changes.indices {
        let it = moments[index].changes[change]
        let concernsSuspect =
          it.pages.contains { suspects.contains($0) } && !it.text.contains(": references ")
        let isStale = stale.contains { it.text.contains($0) }
        if concernsSuspect || isStale { moments[index].changes[change].isNotable = true }
      }
      let moment = moments[index]
      moments[index].isKey =
        index == last || decisive.contains(index) || moment.preemption != nil || moment.beginsLoop
        || moment.changes.contains(where: \.isNotable)
    }
    if trace.program != nil { markLatest() }
  }

  /// The steps of a program that its story has at least.
  private static let latest = 10

  /// A program has no pictures to compare: its story is its last steps, but for threads that begin.
  private mutating func markLatest() {
    let telling = moments.indices.filter { index in
      guard let action = moments[index].step?.action else { return false }
      return action != "begin" && !action.hasPrefix("create a thread")
    }
    for index in telling.suffix(Self.latest) { moments[index].isKey = true }
  }
}

extension Moment {
  /// The step in words, with its result.
  var actionText: String {
    guard let step else { return "Before the first step" }
    return step.action + (step.outcome.isEmpty ? "" : ": \(step.outcome)")
  }
}
