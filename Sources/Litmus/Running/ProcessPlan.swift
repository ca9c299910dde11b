// What all runs of a process have in common: its instructions, and where its words lie.

import GracewalkMachine
import GracewalkSupport

/// Where the words of a test lie in a scenario.
struct TestPlaces: Sendable {
  var words: [Location] = []
  /// Which words are locks.
  var isLock: [Bool] = []
  /// Per section of sleepable read-copy-update, a count of how often it was entered and left.
  var sections: [Location] = []
  /// Never becomes 1.
  var never: Location

  /// The sections of an `srcu_struct`, by number.
  func sections(of domain: Int, in test: LitmusTest) -> [Int] {
    test.sections.indices.filter { test.sections[$0].domain == domain }
  }
}

/// A process that is ready to run.
struct ProcessPlan: Sendable {
  let test: LitmusTest
  let process: Process
  let places: TestPlaces
  /// Per instruction, and at the end, the registers that matter.
  let live: [[Int]]
  /// Per `srcu_struct`, its sections.
  let sections: [[Int]]

  init(_ test: LitmusTest, process index: Int, _ places: TestPlaces) {
    self.test = test
    process = test.processes[index]
    self.places = places
    var observed: Set<Int> = []
    for case .register(index, let register, _) in test.condition.observables {
      observed.insert(register)
    }
    live = process.liveRegisters(observed: observed)
    sections = test.domains.indices.map { places.sections(of: $0, in: test) }
  }

  /// The number of the word at an address; nil if there is none.
  func word(at address: UInt64) -> Int? { LitmusTest.word(at: address, of: places.words.count) }

  /// As messages name a place in the process.
  func place(of instruction: Int) -> String {
    "line \(process.lines[instruction]): \(process.name)"
  }
}

/// What is found out while a test is explored.
final class TestBoard: Sendable {
  private let flags = Locked(Set<String>())
  private let finals = Locked(Set<[UInt64]>())
  private let codes = Locked([Int: ProcessCode]())

  /// Notes that a test does what it must not.
  func flag(_ text: String) { flags.withLock { _ = $0.insert(text) } }

  var allFlags: [String] { flags.withLock { $0.sorted() } }

  func add(final values: [UInt64]) { finals.withLock { _ = $0.insert(values) } }

  /// All final states, in the order of their values as signed numbers.
  var allFinals: [[UInt64]] {
    finals.withLock { set in
      set.sorted { a, b in
        a.lexicographicallyPrecedes(b) { Int64(bitPattern: $0) < Int64(bitPattern: $1) }
      }
    }
  }

  func set(_ code: ProcessCode, of process: Int) { codes.withLock { $0[process] = code } }

  func code(of process: Int) -> ProcessCode? { codes.withLock { $0[process] } }
}
