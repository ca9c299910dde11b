// Which calls lead to a step: the same line of a helper function may be two steps of its callers.

import GracewalkSupport

/// The call paths by which code came to the steps that order CPUs.
///
/// A line of a helper that an operation calls twice is two steps, of which one may be needed and
/// the other not. What tells them apart is the return addresses on the stack: nothing else does
/// where the calls follow one another, and what a CPU did before would also tell the turns of a
/// loop apart. Addresses differ from build to build, so what names a path is a number: paths are
/// counted for each operation, in the order in which a search on one thread, the same wherever it
/// runs, meets them. It is needed only where there is more than one, and paths of two operations
/// that share a name, such as `map 0x0` and `map 0x1`, may have the same.
///
/// An optimiser that unrolls a loop makes several calls of one, and may make one of several
/// branches that end alike; then there are more paths, or fewer, than in the source.
package struct CallPaths: Sendable {
  struct Note: Hashable {
    /// Without the number of its path.
    var step: WeakenedStep
    var path: UInt64
    var cpu: Int
    var operation: Int
  }

  /// In the order in which they were met.
  private var notes: [Note] = []
  private var known: Set<Note> = []
  /// Whether paths are those of this process, and not numbers that stand for another's.
  private var isOfThisProcess = true

  init() {}

  /// What machines met, one after the other.
  package init(of machines: [Machine]) {
    for note in machines.flatMap(\.callPaths.notes) { add(note) }
  }

  package var isEmpty: Bool { notes.isEmpty }

  mutating func add(_ note: Note) {
    if known.insert(note).inserted { notes.append(note) }
  }

  /// The steps by place, each by whichever calls it is.
  package var steps: [WeakenedStep] { Set(notes.map(\.step)).sorted() }

  /// The calls that lead to a step, each a step of its own; none where there is only one.
  package func calls(of step: WeakenedStep) -> [WeakenedStep] {
    let count = step.path == nil ? count(of: step) : 0
    return count > 1 ? (1...count).map { step.through($0) } : []
  }

  /// How many paths a step stands for: none if it is not there.
  package func count(of step: WeakenedStep) -> Int {
    let numbers = numbered.filter { $0.note.step == step.through(nil) }.map(\.number)
    let count = numbers.max() ?? 0
    return step.path.map { $0 <= count && count > 1 ? 1 : 0 } ?? count
  }

  /// True if a line is more than one step.
  package var tellsApart: Bool { numbered.contains { $0.number > 1 } }

  /// The paths that a step's number stands for; nil if there are none.
  package func paths(of step: WeakenedStep) -> Set<UInt64>? {
    guard isOfThisProcess, let number = step.path, count(of: step) > 0 else { return nil }
    return Set(
      numbered.filter { $0.note.step == step.through(nil) && $0.number == number }.map(\.note.path))
  }

  /// Each note with its number: that of the same path elsewhere, or else the next in its operation.
  private var numbered: [(note: Note, number: Int)] {
    struct Place: Hashable {
      var step: WeakenedStep
      var cpu: Int
      var operation: Int
    }
    var numbers: [WeakenedStep: [UInt64: Int]] = [:]
    var taken: [Place: Int] = [:]
    return notes.map { note in
      let place = Place(step: note.step, cpu: note.cpu, operation: note.operation)
      let number = numbers[note.step]?[note.path] ?? (taken[place] ?? 0) + 1
      numbers[note.step, default: [:]][note.path] = number
      taken[place] = max(taken[place] ?? 0, number)
      return (note, number)
    }
  }
}

/// Written down with numbers for the paths, in the order in which they were met: addresses are
/// another process's, and would make the bytes differ from run to run.
extension CallPaths: Codable {
  private struct Entry: Codable {
    var step: WeakenedStep
    var path: Int
    var cpu: Int
    var operation: Int
  }

  package init(from decoder: any Decoder) throws {
    self.init()
    isOfThisProcess = false
    for entry in try [Entry](from: decoder) {
      add(
        Note(
          step: entry.step, path: UInt64(clamping: entry.path), cpu: entry.cpu,
          operation: entry.operation))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var numbers: [UInt64: Int] = [:]
    try notes.map { note in
      let number = numbers[note.path] ?? numbers.count
      numbers[note.path] = number
      return Entry(step: note.step, path: number, cpu: note.cpu, operation: note.operation)
    }.encode(to: encoder)
  }
}

extension Machine {
  /// The steps that order CPUs, as far as code has come to them, where the scenario asks for a
  /// census; or the one that was weakened.
  public var synchronisingSteps: Set<WeakenedStep> { Set(callPaths.steps) }
}

extension WeakenedStep {
  /// The same, through one of the calls that lead to it, or through any.
  func through(_ path: Int?) -> WeakenedStep {
    WeakenedStep(weakening, in: operation, at: site, path: path)
  }
}
