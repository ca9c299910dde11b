// The steps that code reached: their places in the source, and which calls lead to them.

import GracewalkSupport

/// The steps that order CPUs, their places in the source, and the call paths by which code reached
/// them.
///
/// Steps of one name, such as the two barriers of one function, are told apart by their order in
/// the source, and only there are lines looked at: so a line that is added changes no name.
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
    /// Without numbers.
    var step: WeakenedStep
    var site: SourceSite
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

  // MARK: Places in the source

  /// The steps in the order in which they stand in the source, each by whichever calls it is.
  package var steps: [WeakenedStep] {
    let sites = sites
    return sites.flatMap { step, list in
      list.indices.map { (list[$0], list.count > 1 ? step.numbered($0 + 1) : step) }
    }.sorted { $0 < $1 }.map(\.1)
  }

  /// The places of each step, in the order of the source.
  private var sites: [WeakenedStep: [SourceSite]] {
    Dictionary(grouping: notes, by: \.step).mapValues { Set($0.map(\.site)).sorted() }
  }

  /// Where a step stands in the source: in several places if it has no number where there are some.
  package func sites(of step: WeakenedStep) -> [SourceSite] {
    let all = sites[step.unnumbered] ?? []
    guard let ordinal = step.ordinal else { return all }
    return all.count > 1 && 1...all.count ~= ordinal ? [all[ordinal - 1]] : []
  }

  // MARK: Calls

  /// The calls that lead to a step, each as a step of its own; empty if there is only one.
  package func calls(of step: WeakenedStep) -> [WeakenedStep] {
    let count = step.path == nil ? calls(to: sites(of: step), step).count : 0
    return count > 1 ? (1...count).map { step.numbered(step.ordinal, path: $0) } : []
  }

  /// True if some code comes to the step.
  package func contains(_ step: WeakenedStep) -> Bool {
    let sites = sites(of: step)
    guard let path = step.path else { return !sites.isEmpty }
    let count = calls(to: sites, step).count
    return count > 1 && path <= count
  }

  /// True if a name needs a number for a step to be meant.
  package var tellsApart: Bool {
    numbered.contains { $0.number > 1 } || sites.contains { $0.value.count > 1 }
  }

  /// What the numbers of a step stand for; nil if there is no such step, or if nobody knows.
  package func places(of step: WeakenedStep) -> WeakenedPlaces? {
    guard contains(step) else { return nil }
    var places = WeakenedPlaces()
    let sites = sites(of: step)
    if step.ordinal != nil { places.sites = Set(sites) }
    guard let number = step.path else { return places }
    guard isOfThisProcess else { return nil }
    places.paths = calls(to: sites, step)[number - 1]
    return places
  }

  /// The paths to a place, by their numbers; none if it is not one place alone.
  private func calls(to sites: [SourceSite], _ step: WeakenedStep) -> [Set<UInt64>] {
    guard sites.count == 1 else { return [] }
    let found = numbered.filter { $0.note.step == step.unnumbered && $0.note.site == sites[0] }
    let count = found.map(\.number).max() ?? 0
    return (0..<count).map { index in
      Set(found.filter { $0.number == index + 1 }.map(\.note.path))
    }
  }

  /// Each note with its number: that of the same path elsewhere, or the next in its operation.
  private var numbered: [(note: Note, number: Int)] {
    struct Place: Hashable {
      var step: WeakenedStep
      var site: SourceSite
      var cpu: Int?
      var operation: Int?
    }
    var numbers: [Place: [UInt64: Int]] = [:]
    var taken: [Place: Int] = [:]
    return notes.map { note in
      let anywhere = Place(step: note.step, site: note.site)
      var place = anywhere
      place.cpu = note.cpu
      place.operation = note.operation
      let number = numbers[anywhere]?[note.path] ?? (taken[place] ?? 0) + 1
      numbers[anywhere, default: [:]][note.path] = number
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
    var site: SourceSite
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
          step: entry.step, site: entry.site, path: UInt64(clamping: entry.path), cpu: entry.cpu,
          operation: entry.operation))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var numbers: [UInt64: Int] = [:]
    try notes.map { note in
      let number = numbers[note.path] ?? numbers.count
      numbers[note.path] = number
      return Entry(
        step: note.step, site: note.site, path: number, cpu: note.cpu, operation: note.operation)
    }.encode(to: encoder)
  }
}

/// What the numbers in the name of a step stand for, in this build and this process.
package struct WeakenedPlaces: Sendable {
  /// Nil for all places of the name.
  var sites: Set<SourceSite>?
  /// Nil for all calls that lead there.
  var paths: Set<UInt64>?

  package init() {}

  func contain(_ site: SourceSite, _ path: UInt64) -> Bool {
    sites?.contains(site) ?? true && paths?.contains(path) ?? true
  }
}

extension Machine {
  /// The steps that order CPUs and that code has reached, if the scenario asks for a census;
  /// otherwise the weakened one.
  public var synchronisingSteps: Set<WeakenedStep> { Set(callPaths.steps) }
}
