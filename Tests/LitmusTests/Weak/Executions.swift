// All final states of a program that the axioms allow, by brute force.

import GracewalkMachine

/// Enumerates the candidate executions of a program: what may happen to each word, combined.
struct Executions {
  let program: RandomProgram
  let model: MemoryModel
  private(set) var finals: Set<[UInt64]> = []

  init(_ program: RandomProgram, _ model: MemoryModel) {
    self.program = program
    self.model = model
    addExclusives([], from: exclusives[...])
  }

  /// The exclusive stores of the program.
  private var exclusives: [[Int]] {
    program.processes.enumerated().flatMap { process, steps in
      steps.indices.compactMap { step in
        if case .access(let access) = steps[step], access.isExclusive {
          [process, step]
        } else {
          nil
        }
      }
    }
  }

  /// Lets each exclusive store fail or succeed.
  private mutating func addExclusives(_ failing: Set<[Int]>, from left: ArraySlice<[Int]>) {
    guard let first = left.first else { return addCandidates(failing) }
    addExclusives(failing, from: left.dropFirst())
    addExclusives(failing.union([first]), from: left.dropFirst())
  }

  private mutating func addCandidates(_ failing: Set<[Int]>) {
    let events = Events(program, failing: failing)
    // What a final state shows: the value at a place, or whether an exclusive store has failed.
    var columns: [(place: Int, failed: UInt64)] = []
    var places = events.all.map { _ in -1 }
    var count = 0
    for (process, steps) in program.processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step else { continue }
        if access.reads, !access.isUnused {
          let load = events.all.firstIndex {
            $0.process == process && $0.step == number && !$0.isWrite
          }
          places[load ?? 0] = count
          columns.append((count, 0))
          count += 1
        }
        if access.isExclusive { columns.append((-1, failing.contains([process, number]) ? 1 : 0)) }
      }
    }
    for _ in 0..<program.wordCount {
      places.append(count)
      columns.append((count, 0))
      count += 1
    }
    var combination = Combination(events, model, places: places)
    combination.addWord(0)
    for final in combination.finals {
      finals.insert(columns.map { $0.place < 0 ? $0.failed : Self.value(final, at: $0.place) })
    }
  }

  // MARK: Packed values

  private static let bits = 8

  static func packed(_ value: UInt64, at place: Int) -> UInt128 {
    precondition(value < 1 << bits && place < 128 / bits)
    return UInt128(value) << (bits * place)
  }

  private static func value(_ packed: UInt128, at place: Int) -> UInt64 {
    UInt64(packed >> (bits * place) & ((1 << bits) - 1))
  }
}

/// Combines what may happen to each word in every way, and keeps what the model allows.
///
/// What comes before what only grows from word to word, so a cycle among the first words is one in
/// the whole execution.
private struct Combination {
  private(set) var finals: Set<UInt128> = []

  private let words: [WordCandidates]
  private let model: MemoryModel
  private let count: Int
  private let all: Events.Row
  private var dependencies: Dependencies
  /// The order among events after each number of words, and with dependencies.
  private var rows: [Events.Row]
  private var sources: [Int]
  private var values: [UInt128]

  init(_ events: Events, _ model: MemoryModel, places: [Int]) {
    self.model = model
    words = (0..<events.program.wordCount).map { word in
      WordCandidates(events, word: word, model, places: places)
    }
    count = events.all.count
    all = (1 << Events.Row(count)) - 1
    dependencies = Dependencies(events)
    rows = events.kept(by: model)
    rows += Array(repeating: 0, count: count * words.count)
    sources = Array(repeating: -1, count: count)
    values = Array(repeating: 0, count: words.count + 1)
  }

  mutating func addWord(_ word: Int) {
    guard word < words.count else { return judge() }
    let (old, new) = (word * count, (word + 1) * count)
    let loads = words[word].loads
    for candidate in 0..<words[word].count {
      for event in 0..<count {
        rows[new + event] = rows[old + event] | words[word].rows[candidate * count + event]
      }
      guard Events.isAcyclic(rows, from: new, among: all) else { continue }
      for (number, load) in loads.enumerated() {
        sources[load] = words[word].sources[candidate * loads.count + number]
      }
      values[word + 1] = values[word] | words[word].values[candidate]
      addWord(word + 1)
    }
  }

  private mutating func judge() {
    let last = words.count * count
    if model == .armv8, dependencies.add(to: &rows, from: last, sources: sources),
      !Events.isAcyclic(rows, from: last, among: all)
    {
      return
    }
    finals.insert(values[words.count])
  }
}
