// Memory models by their axioms: every candidate execution of a program, and whether it is allowed.
//
// Written from the architectures' definitions, and shares nothing with the machine that it judges.

import GracewalkMachine

/// A candidate execution: events, and relations between them as sets of bits.
struct Candidate {
  struct Event {
    /// -1 for the initial value of a word.
    var process: Int
    var step: Int
    var access: RandomProgram.Access
    var isWrite: Bool
  }

  var events: [Event]
  /// Per write, its place in its word's order; per read, the write it reads.
  var coherence: [Int]
  var source: [Int]
  /// Per event, the other half of its read-modify-write, or -1.
  var partner: [Int]
  var program: RandomProgram

  /// A relation: per event, those that it comes before.
  typealias Relation = [UInt32]

  private func relation(_ holds: (Int, Int) -> Bool) -> Relation {
    events.indices.map { a in
      events.indices.reduce(0) { row, b in a != b && holds(a, b) ? row | 1 << UInt32(b) : row }
    }
  }

  static func union(_ relations: Relation...) -> Relation {
    relations[0].indices.map { row in relations.reduce(0) { $0 | $1[row] } }
  }

  /// True if no event comes before itself.
  static func isAcyclic(_ relation: Relation) -> Bool {
    var left: UInt32 = (1 << UInt32(relation.count)) - 1
    while left != 0 {
      var removed = false
      for event in relation.indices
      where left >> UInt32(event) & 1 == 1 && relation[event] & left == 0 {
        left &= ~(1 << UInt32(event))
        removed = true
      }
      if !removed { return false }
    }
    return true
  }

  // MARK: Relations

  private func isSameWord(_ a: Int, _ b: Int) -> Bool {
    events[a].access.word == events[b].access.word
  }

  private func isExternal(_ a: Int, _ b: Int) -> Bool { events[a].process != events[b].process }

  func isBefore(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (events[a], events[b])
    guard first.process == second.process, first.process >= 0 else { return false }
    return first.step < second.step
      || first.step == second.step && !first.isWrite && second.isWrite
  }

  private func readsFrom(_ a: Int, _ b: Int) -> Bool { !events[b].isWrite && source[b] == a }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    events[a].isWrite && events[b].isWrite && isSameWord(a, b) && coherence[a] < coherence[b]
  }

  private func isOverwritten(_ a: Int, _ b: Int) -> Bool {
    !events[a].isWrite && events[b].isWrite && isSameWord(a, b)
      && coherence[source[a]] < coherence[b] && partner[a] != b
  }

  private func communicates(_ a: Int, _ b: Int) -> Bool {
    readsFrom(a, b) || precedes(a, b) || isOverwritten(a, b)
  }

  // MARK: Models

  func isAllowed(by model: MemoryModel) -> Bool {
    let internalOrder = relation { communicates($0, $1) || isBefore($0, $1) && isSameWord($0, $1) }
    guard Self.isAcyclic(internalOrder), isAtomic else { return false }
    switch model {
    case .sequentialConsistency:
      return Self.isAcyclic(relation { communicates($0, $1) || isBefore($0, $1) })
    case .totalStoreOrder:
      return Self.isAcyclic(
        relation { a, b in
          isBefore(a, b) && isKeptByTSO(a, b)
            || communicates(a, b)
              && (isExternal(a, b) || !readsFrom(a, b))
        })
    case .armv8:
      return Self.isAcyclic(
        relation { a, b in
          communicates(a, b) && isExternal(a, b) || isBefore(a, b) && isKeptByArm(a, b)
        })
    }
  }

  /// Nobody stores between the halves of a read-modify-write.
  private var isAtomic: Bool {
    for read in events.indices where !events[read].isWrite && partner[read] >= 0 {
      if coherence[partner[read]] != coherence[source[read]] + 1 { return false }
    }
    return true
  }

  private func hasFence(between a: Int, and b: Int, _ isMeant: (RandomProgram.Fence) -> Bool)
    -> Bool
  {
    program.processes[events[a].process][events[a].step...events[b].step].contains { step in
      if case .fence(let fence) = step { isMeant(fence) } else { false }
    }
  }

  /// All but a store before a load, without a fence or locked operation between.
  private func isKeptByTSO(_ a: Int, _ b: Int) -> Bool {
    if !events[a].isWrite || events[b].isWrite { return true }
    if partner[a] >= 0 || partner[b] >= 0 { return true }
    if hasFence(between: a, and: b, { $0 == .full }) { return true }
    return events.indices.contains { c in
      partner[c] >= 0 && isBefore(a, c) && isBefore(c, b)
    }
  }

  private func isKeptByArm(_ a: Int, _ b: Int) -> Bool {
    dependencyOrders(a, b) || atomicOrders(a, b) || barrierOrders(a, b)
      // Stores of one process to a word become visible in their order.
      || events[a].isWrite && events[b].isWrite && isSameWord(a, b)
      // No load buffering.
      || !events[a].isWrite && events[b].isWrite
  }

  // MARK: Armv8

  /// True if the result of a step depends on a load: its own, or one whose value it got through a
  /// store of the same process.
  private func result(of step: Int?, by process: Int, dependsOn read: Int) -> Bool {
    guard let step,
      let load = events.indices.first(where: {
        events[$0].process == process && events[$0].step == step && !events[$0].isWrite
      })
    else { return false }
    return load == read || isWritten(source[load], before: load, from: read)
  }

  private func isWritten(_ write: Int, before load: Int, from read: Int) -> Bool {
    guard isBefore(write, load) else { return false }
    if address(of: write, is: read) || data(of: write, is: read) { return true }
    let access = events[write].access
    return access.adds && result(of: events[write].step, by: events[write].process, dependsOn: read)
  }

  private func address(of event: Int, is read: Int) -> Bool {
    !events[read].isWrite && events[read].process == events[event].process
      && result(of: events[event].access.address, by: events[event].process, dependsOn: read)
  }

  private func data(of event: Int, is read: Int) -> Bool {
    events[event].isWrite && !events[read].isWrite
      && events[read].process == events[event].process
      && result(of: events[event].access.data, by: events[event].process, dependsOn: read)
  }

  private func dependencyOrders(_ a: Int, _ b: Int) -> Bool {
    if address(of: b, is: a) || data(of: b, is: a) { return true }
    // To read what one's own store will have written is to depend on what it depends on.
    if !events[b].isWrite, events[source[b]].process == events[b].process {
      if address(of: source[b], is: a) || data(of: source[b], is: a) { return true }
    }
    return !events[a].isWrite && !events[b].isWrite && isBehindISB(b, a)
  }

  /// True if the read `a` decides a branch, or an address, before an `ISB` before `b`.
  private func isBehindISB(_ b: Int, _ a: Int) -> Bool {
    let steps = program.processes[events[a].process]
    for index in events[a].step + 1..<max(events[b].step, events[a].step + 1) {
      guard case .fence(.instructions) = steps[index] else { continue }
      for earlier in events[a].step + 1..<index {
        switch steps[earlier] {
        case .branch(let source):
          if result(of: source, by: events[a].process, dependsOn: a) { return true }
        case .access(let access):
          if result(of: access.address, by: events[a].process, dependsOn: a) { return true }
        case .fence: break
        }
      }
    }
    return false
  }

  private func acquires(_ event: Int) -> Bool {
    !events[event].isWrite
      && (events[event].access.acquires || events[event].access.acquiresLocally)
  }

  private func releases(_ event: Int) -> Bool {
    events[event].isWrite && events[event].access.releases
  }

  private func atomicOrders(_ a: Int, _ b: Int) -> Bool {
    if partner[a] == b { return true }
    // An acquire of what a read-modify-write of one's own stores comes after its load.
    return acquires(b) && source[b] == partner[a]
  }

  private func barrierOrders(_ a: Int, _ b: Int) -> Bool {
    if acquires(a) || releases(b) { return true }
    if releases(a), !events[b].isWrite, events[b].access.acquires { return true }
    let isCounted = !events[a].isWrite && !events[a].access.isUnused
    let bothWrite = events[a].isWrite && events[b].isWrite
    if hasFence(
      between: a, and: b,
      { $0 == .full || $0 == .loads && isCounted || $0 == .stores && bothWrite })
    {
      return true
    }
    // One instruction with both orders comes before all behind it.
    return events[a].isWrite && partner[a] >= 0 && events[a].access.acquires
      && events[a].access.releases && !events[a].access.isExclusive
  }
}
