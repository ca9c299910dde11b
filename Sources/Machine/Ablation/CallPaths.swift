// The calls that lead to a step: one line of a helper function may be two steps of its callers.

import GracewalkSupport

/// The call paths by which code reached the steps that order CPUs.
///
/// A line of a helper that an operation calls twice is two steps, of which one may be needed and
/// the other not. They are told apart by the return addresses on the stack. Nothing else works: the
/// calls may follow one another directly, and a CPU's history would also tell the turns of a loop
/// apart. Addresses differ from build to build, so a path is named by a number: paths are counted
/// per operation, in the order in which a single-threaded search reaches them, which is the same
/// everywhere. The number is needed only if there are several paths. Paths of two operations that
/// share a name, such as `map 0x0` and `map 0x1`, may have the same number.
///
/// An optimiser may unroll a loop, which turns one call into several, or merge branches with equal
/// ends, which turns several calls into one. Then there are more or fewer paths than in the source.
package struct CallPaths: Sendable {
  struct Note: Hashable {
    /// Without the number of its path.
    var step: WeakenedStep
    var path: UInt64
    var cpu: Int
    var operation: Int
  }

  /// In the order in which they were reached.
  private var notes: [Note] = []
  private var known: Set<Note> = []
  /// Whether paths are addresses of this process, not numbers of another's.
  private var isOfThisProcess = true

  init() {}

  /// The paths that machines reached, one machine after the other.
  package init(of machines: [Machine]) {
    for note in machines.flatMap(\.callPaths.notes) { add(note) }
  }

  package var isEmpty: Bool { notes.isEmpty }

  mutating func add(_ note: Note) {
    if known.insert(note).inserted { notes.append(note) }
  }

  /// The steps by place, regardless of call path.
  package var steps: [WeakenedStep] { Set(notes.map(\.step)).sorted() }

  /// The calls that lead to a step, each as a step of its own; empty if there is only one.
  package func calls(of step: WeakenedStep) -> [WeakenedStep] {
    let count = step.path == nil ? count(of: step) : 0
    return count > 1 ? (1...count).map { step.through($0) } : []
  }

  /// The number of paths of a step; 0 if the step is unknown.
  package func count(of step: WeakenedStep) -> Int {
    let numbers = numbered.filter { $0.note.step == step.through(nil) }.map(\.number)
    let count = numbers.max() ?? 0
    return step.path.map { $0 <= count && count > 1 ? 1 : 0 } ?? count
  }

  /// True if some line has more than one path.
  package var tellsApart: Bool { numbered.contains { $0.number > 1 } }

  /// The paths with a step's number; nil if there are none.
  package func paths(of step: WeakenedStep) -> Set<UInt64>? {
    guard isOfThisProcess, let number = step.path, count(of: step) > 0 else { return nil }
    return Set(
      numbered.filter { $0.note.step == step.through(nil) && $0.number == number }.map(\.note.path))
  }

  /// Each note with its number: that of the same path elsewhere, or the next in its operation.
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

/// Encoded with numbers for the paths, in the order in which they were reached.
///
/// Addresses mean nothing to other processes, and would make the bytes differ from run to run.
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
  /// The steps that order CPUs and that code has reached, if the scenario asks for a census;
  /// otherwise the weakened one.
  public var synchronisingSteps: Set<WeakenedStep> { Set(callPaths.steps) }
}

extension WeakenedStep {
  /// The same step, by one of the calls that lead to it, or by any (nil).
  func through(_ path: Int?) -> WeakenedStep {
    WeakenedStep(weakening, in: operation, at: site, path: path)
  }
}
