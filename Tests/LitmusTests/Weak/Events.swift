// The events of a program for the axioms.

/// The loads and stores of a program, in which each exclusive store has failed or succeeded.
///
/// A relation among them has a row of bits for each event: the events that come before it.
struct Events {
  typealias Row = UInt32

  struct Event {
    /// -1 for the initial value of a word.
    var process: Int
    var step: Int
    var access: RandomProgram.Access
    var isWrite: Bool
    /// The other half of its read-modify-write, or -1.
    var partner = -1
    /// The loads whose results its address and its value depend on, or -1.
    var address = -1
    var data = -1
  }

  let program: RandomProgram
  private(set) var all: [Event] = []

  /// - Parameter failing: exclusive stores that fail, each by its process and step.
  init(_ program: RandomProgram, failing: Set<[Int]>) {
    self.program = program
    for word in 0..<program.wordCount {
      let access = RandomProgram.Access(word: word, writes: true)
      all.append(Event(process: -1, step: word, access: access, isWrite: true))
    }
    for (process, steps) in program.processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step else { continue }
        let writes = access.writes && !failing.contains([process, number])
        let event = Event(
          process: process, step: number, access: access, isWrite: false,
          address: load(process, access.address), data: load(process, access.data))
        if access.reads { all.append(event) }
        if writes {
          all.append(event)
          all[all.count - 1].isWrite = true
        }
        if access.reads, writes {
          all[all.count - 1].partner = all.count - 2
          all[all.count - 2].partner = all.count - 1
        }
      }
    }
    precondition(all.count <= Row.bitWidth)
  }

  /// The load of a step, or -1.
  private func load(_ process: Int, _ step: Int?) -> Int {
    all.firstIndex { $0.process == process && $0.step == step && !$0.isWrite } ?? -1
  }

  /// The loads or the stores of a word, its initial value included.
  func indices(ofWord word: Int, writing isWrite: Bool) -> [Int] {
    all.indices.filter { all[$0].access.word == word && all[$0].isWrite == isWrite }
  }

  // MARK: Relations

  func isExternal(_ a: Int, _ b: Int) -> Bool { all[a].process != all[b].process }

  /// Program order; a read-modify-write loads first.
  func isBefore(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (all[a], all[b])
    guard first.process == second.process, first.process >= 0 else { return false }
    return first.step < second.step
      || first.step == second.step && !first.isWrite && second.isWrite
  }

  /// True if a fence that is meant lies between two events in program order.
  func hasFence(between a: Int, and b: Int, _ isMeant: (RandomProgram.Fence) -> Bool) -> Bool {
    program.processes[all[a].process][all[a].step...all[b].step].contains { step in
      if case .fence(let fence) = step { isMeant(fence) } else { false }
    }
  }

  func relation(_ holds: (Int, Int) -> Bool) -> [Row] {
    all.indices.map { b in
      all.indices.reduce(0) { row, a in a != b && holds(a, b) ? row | 1 << Row(a) : row }
    }
  }

  /// True if no event comes before itself, in a relation among `events` that begins at `first`.
  static func isAcyclic(_ rows: [Row], from first: Int, among events: Row) -> Bool {
    var left = events
    while left != 0 {
      var unseen = left
      let before = left
      while unseen != 0 {
        let event = unseen.trailingZeroBitCount
        unseen &= unseen - 1
        if rows[first + event] & left == 0 { left &= ~(1 << Row(event)) }
      }
      if left == before { return false }
    }
    return true
  }
}
