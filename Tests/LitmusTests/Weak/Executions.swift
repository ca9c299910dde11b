// All final states of a program that the axioms allow, by brute force.

import GracewalkMachine

/// Enumerates the candidate executions of a program.
struct Executions {
  let program: RandomProgram
  let model: MemoryModel
  private(set) var finals: Set<[UInt64]> = []
  /// Candidates that were looked at.
  private(set) var count = 0

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
    var candidate = Candidate(
      events: [], coherence: [], source: [], partner: [], program: program)
    func add(_ process: Int, _ step: Int, _ access: RandomProgram.Access, isWrite: Bool) {
      candidate.events.append(
        .init(process: process, step: step, access: access, isWrite: isWrite))
      candidate.coherence.append(0)
      candidate.source.append(-1)
      candidate.partner.append(-1)
    }
    for word in 0..<program.wordCount {
      add(-1, word, RandomProgram.Access(word: word, writes: true), isWrite: true)
    }
    for (process, steps) in program.processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step else { continue }
        let writes = access.writes && !failing.contains([process, number])
        if access.reads { add(process, number, access, isWrite: false) }
        if writes { add(process, number, access, isWrite: true) }
        if access.reads, writes {
          let last = candidate.events.count - 1
          candidate.partner[last] = last - 1
          candidate.partner[last - 1] = last
        }
      }
    }
    order(0, &candidate, failing)
  }

  /// Puts the stores to each word in every order.
  private mutating func order(_ word: Int, _ candidate: inout Candidate, _ failing: Set<[Int]>) {
    guard word < program.wordCount else { return chooseSource(0, &candidate, failing) }
    let writes = candidate.events.indices.filter {
      candidate.events[$0].isWrite && candidate.events[$0].access.word == word
        && candidate.events[$0].process >= 0
    }
    permute(writes[...], 1, word, &candidate, failing)
  }

  private mutating func permute(
    _ left: ArraySlice<Int>, _ place: Int, _ word: Int, _ candidate: inout Candidate,
    _ failing: Set<[Int]>
  ) {
    if left.isEmpty { return order(word + 1, &candidate, failing) }
    for write in left {
      // Stores of one process to a word are in program order.
      if left.contains(where: { candidate.isBefore($0, write) }) { continue }
      candidate.coherence[write] = place
      permute(left.filter { $0 != write }[...], place + 1, word, &candidate, failing)
    }
  }

  /// Lets each load read every store to its word.
  private mutating func chooseSource(
    _ event: Int, _ candidate: inout Candidate, _ failing: Set<[Int]>
  ) {
    guard event < candidate.events.count else { return judge(candidate, failing) }
    guard !candidate.events[event].isWrite else {
      return chooseSource(event + 1, &candidate, failing)
    }
    for write in candidate.events.indices
    where candidate.events[write].isWrite
      && candidate.events[write].access.word == candidate.events[event].access.word
    {
      if candidate.isBefore(event, write) { continue }
      let partner = candidate.partner[event]
      if partner >= 0, candidate.coherence[partner] != candidate.coherence[write] + 1 { continue }
      candidate.source[event] = write
      chooseSource(event + 1, &candidate, failing)
    }
  }

  private mutating func judge(_ candidate: Candidate, _ failing: Set<[Int]>) {
    count += 1
    guard candidate.isAllowed(by: model), let values = values(candidate) else { return }
    var final: [UInt64] = []
    for (process, steps) in program.processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step else { continue }
        if access.reads, !access.isUnused {
          let read = candidate.events.firstIndex {
            $0.process == process && $0.step == number && !$0.isWrite
          }
          final.append(values[read ?? 0])
        }
        if access.isExclusive { final.append(failing.contains([process, number]) ? 1 : 0) }
      }
    }
    for word in 0..<program.wordCount {
      let writes = candidate.events.indices.filter {
        candidate.events[$0].isWrite && candidate.events[$0].access.word == word
      }
      let last = writes.max { candidate.coherence[$0] < candidate.coherence[$1] }
      final.append(values[last ?? word])
    }
    finals.insert(final)
  }

  /// The value of each event; nil if values depend on themselves.
  private func values(_ candidate: Candidate) -> [UInt64]? {
    var values: [UInt64?] = candidate.events.map { $0.process < 0 ? 0 : nil }
    for _ in candidate.events {
      for event in candidate.events.indices where values[event] == nil {
        let access = candidate.events[event].access
        if !candidate.events[event].isWrite {
          values[event] = values[candidate.source[event]]
        } else if access.adds {
          values[event] = values[candidate.partner[event]].map { $0 &+ UInt64(access.value) }
        } else {
          values[event] = UInt64(access.value)
        }
      }
    }
    let known = values.compactMap { $0 }
    return known.count == values.count ? known : nil
  }
}
