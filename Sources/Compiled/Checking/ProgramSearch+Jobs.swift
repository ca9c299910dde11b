// A search that may have several machines, and may be saved: all number everything alike.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension Program {
  /// Machines of one attempt, and what those that are not needed any more have seen.
  private struct Team {
    var copies: [(program: Program, machine: ProgramMachine)]
    var seen: SeenEnds
    /// What a machine has learned that makes this attempt worthless.
    var grown: Layout?
    var hasGivenFirst = false

    /// Lets go of machines that nobody uses any more.
    mutating func trim() {
      for index in copies.indices.dropFirst().reversed()
      where isKnownUniquelyReferenced(&copies[index].machine) {
        seen.add(copies[index].machine)
        note(copies[index])
        copies.remove(at: index)
      }
    }

    mutating func note(_ copy: (program: Program, machine: ProgramMachine)) {
      guard grown == nil, copy.program.layout.hasGrown || copy.machine.isBroken else { return }
      grown = copy.program.layout
    }

    var allSeen: SeenEnds {
      var all = seen
      for copy in copies { all.add(copy.machine) }
      return all
    }
  }

  /// Runs a search that makes its systems itself, several of them if it likes, and that may be
  /// saved and resumed.
  ///
  /// Each system has the program linked anew, and a copy of what is known of its memory. If one of
  /// them learns something new, the search starts again with that. A checkpoint has what is known
  /// before what the search writes.
  ///
  /// - Parameter search: calls its last argument for each system.
  package func search(
    _ given: SearchOptions,
    by search: (SearchOptions, @escaping () -> TransitionSystem) -> SearchResult
  ) throws(Finding) -> ProgramResult {
    var resume = given.resume
    var earlier = SeenEnds()
    if let reader = resume {
      do throws(CheckpointError) {
        layout = try Layout(from: reader)
        earlier = try SeenEnds(from: reader)
      } catch { return ProgramResult(result: .refused(error)) }
    }
    layout.isStrict = true
    if resume == nil { try probe() }
    for attempt in 1...Self.attemptsMax {
      let first = try machine()
      if first.judgeStart() == .violation {
        let result = SearchResult(
          ending: .violation, statistics: Statistics(), schedule: Schedule(), finalStates: [])
        return ProgramResult(
          result: result, finding: first.finding, schedule: Schedule(), attempts: attempt,
          threads: first.threadCount)
      }
      let team = Locked(Team(copies: [(self, first)], seen: earlier))
      var options = given
      options.resume = resume
      options.checkpoints = given.checkpoints.map { saving($0, team) }
      let result = search(options) { self.system(for: team) }
      var all = team.withLock { $0 }
      if let excess = all.copies.lazy.compactMap(\.program.layout.excess).first {
        throw Finding(.unsupported, excess)
      }
      for copy in all.copies { all.note(copy) }
      if let grown = all.grown {
        grown.generalise()
        layout = Layout(copying: grown)
        (resume, earlier) = (nil, SeenEnds())
        try probe(from: Self.probes * attempt, count: Self.probesAgain)
        continue
      }
      // The program is the same, so what was saved rests on less than is known of its memory now.
      if case .refused(.systemChanged) = result.ending, resume != nil {
        (resume, earlier) = (nil, SeenEnds())
        continue
      }
      // Each machine knows the accesses that it has seen itself.
      first.note(all.allSeen.accesses)
      if layout.hasGrown {
        layout.generalise()
        (resume, earlier) = (nil, SeenEnds())
        continue
      }
      return try self.result(result, all, attempt)
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }

  private func system(for team: Locked<Team>) -> TransitionSystem {
    if let first = team.withLock({ team in
      defer { team.hasGivenFirst = true }
      return team.hasGivenFirst ? nil : team.copies.first?.machine
    }) {
      return first
    }
    let copy = self.copy()
    team.withLock {
      $0.trim()
      $0.copies.append(copy)
    }
    return copy.machine
  }

  private func saving(_ outer: Checkpoints, _ team: Locked<Team>) -> Checkpoints {
    Checkpoints(interval: outer.interval) { [layout] body in
      outer.save { writer in
        layout.save(to: writer)
        team.withLock { $0.allSeen }.save(to: writer)
        body(writer)
      }
    }
  }

  private func result(
    _ result: SearchResult, _ team: Team, _ attempt: Int
  ) throws(Finding) -> ProgramResult {
    let seen = team.allSeen
    var whole = ProgramResult(result: result, schedule: result.schedule, attempts: attempt)
    whole.endings = seen.endings
    whole.reached = seen.places
    whole.threads = team.copies[0].machine.threadCount
    whole.mayRace = team.copies.contains { $0.program.layout.mayRace }
    whole.missing = image.statements.missing(whole.reached)
    if result.ending == .violation, let schedule = result.schedule {
      whole.finding = try trace(schedule).finding
    }
    return whole
  }

  private func copy() -> (program: Program, machine: ProgramMachine) {
    do {
      let program = try Program(modules, options, link)
      program.layout = Layout(copying: layout)
      return (program, try program.machine())
    } catch { fatalError("[internal] a program that was linked cannot be linked again: \(error)") }
  }
}

/// How executions ended, which places were reached, and who accessed what is not shared.
private struct SeenEnds {
  var endings = Endings()
  var places: Set<Int32> = []
  var accesses: Set<SeenAccess> = []

  init() {}

  mutating func add(_ machine: ProgramMachine) {
    endings.complete += machine.endings.complete
    endings.assumed += machine.endings.assumed
    endings.spinning += machine.endings.spinning
    endings.deadlocked += machine.endings.deadlocked
    places.formUnion(machine.graph.places)
    accesses.formUnion(machine.seenAccesses)
  }

  func save(to writer: CheckpointWriter) {
    for count in [endings.complete, endings.assumed, endings.spinning, endings.deadlocked] {
      writer.write(count)
    }
    writer.write(places.count)
    for place in places.sorted() { writer.write(UInt32(bitPattern: place)) }
    writer.write(accesses.count)
    for access in accesses.sorted() {
      writer.write(access.cell)
      writer.write(access.cpu)
      writer.write(access.writes)
      writer.write(access.clock.count)
      for known in access.clock { writer.write(known) }
    }
  }

  init(from reader: CheckpointReader) throws(CheckpointError) {
    endings.complete = try reader.number(in: 0..<Int.max)
    endings.assumed = try reader.number(in: 0..<Int.max)
    endings.spinning = try reader.number(in: 0..<Int.max)
    endings.deadlocked = try reader.number(in: 0..<Int.max)
    for _ in 0..<(try reader.count(ofBytes: 4)) {
      places.insert(Int32(bitPattern: try reader.half()))
    }
    for _ in 0..<(try reader.count(ofBytes: 24)) {
      let cell = try reader.number(in: 0..<1 << 40)
      let cpu = try reader.number(in: 0..<Layout.threadsMax)
      let writes = try reader.flag()
      var clock: [UInt64] = []
      for _ in 0..<(try reader.count(ofBytes: 8)) { clock.append(try reader.word()) }
      accesses.insert(SeenAccess(cell: cell, cpu: cpu, writes: writes, clock: clock))
    }
  }
}

extension SearchResult {
  fileprivate static func refused(_ error: CheckpointError) -> SearchResult {
    SearchResult(
      ending: .refused(error), statistics: Statistics(), schedule: nil, finalStates: [])
  }
}
