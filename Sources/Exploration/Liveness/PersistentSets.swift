// Which CPUs a search of a graph with cycles follows in each state: sets that are repaired.

import GracewalkSupport

/// Persistent sets in a graph of states that may have cycles.
///
/// A search begins each state with a set that is closed as far as it knows the later steps of CPUs,
/// and follows their steps. When nothing is left to follow, `repair` adds the CPUs that are
/// missing, and the search goes on until none is. Each state's set is then *persistent* (Godefroid,
/// "Partial-order methods for the verification of concurrent systems", LNCS 1032, 1996), and no
/// step is postponed forever. Docs/Search.md has the proof, which also covers livelocks.
package final class PersistentSets {
  /// Parts to leave out, so that tests show that each is needed.
  package struct Omission: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Adding CPUs whose later steps race with a step that is followed.
    package static let races = Omission(rawValue: 1)
    /// Counting steps that are disabled wherever the search has been.
    package static let disabledSteps = Omission(rawValue: 2)
    /// Adding CPUs that are passed over all the way round a cycle.
    package static let cycles = Omission(rawValue: 4)
  }

  /// A step that was followed by another of its CPU.
  struct Fact: BitwiseCopyable {
    var step: Int32
    var next: Int32
  }

  let omitted: Omission
  let cpuCount: Int
  let summaries = SummaryTable()
  let knowledge = StepKnowledge()
  private let footprint = Footprint()
  /// Per state and CPU the number of its next step, -1 if it has none.
  let steps = GrowableBuffer<Int32>(capacity: 1_024)
  /// Per state the enabled CPUs.
  let steppable = GrowableBuffer<CPUSet>(capacity: 1_024)
  /// Per state the first of its rows in `enablers`, one for each disabled CPU.
  let firstEnablers = GrowableBuffer<Int>(capacity: 1_024)
  /// The enabled CPUs one of which must step before a disabled one can.
  let enablers = GrowableBuffer<UInt64>()
  /// Set in a member of a team: the sets of the states with numbers below `base`.
  var team: Unmanaged<PersistentSets>?
  /// The number of the first state here.
  var base = 0
  /// The number of the first step that this member, and not the team, has entered.
  var firstOwnStep = 0
  /// What a member has learned in a round, or a team in all rounds.
  let facts = GrowableBuffer<Fact>()
  /// How many facts of its team a member knows; -1 before its first round.
  var knownFacts = -1

  init(cpuCount: Int, without omitted: Omission) {
    self.cpuCount = cpuCount
    self.omitted = omitted
  }

  deinit {
    steps.deallocate()
    steppable.deallocate()
    firstEnablers.deallocate()
    enablers.deallocate()
    facts.deallocate()
  }

  /// Bytes used.
  var bytes: Int {
    steps.count * 4 + (2 * firstEnablers.count + enablers.count) * 8 + summaries.bytes
      + knowledge.bytes
  }

  @inline(__always)
  private func step(of cpu: Int, in state: Int) -> Int {
    if state < base, let team {
      return team._withUnsafeGuaranteedRef { Int($0.steps[state &* cpuCount &+ cpu]) }
    }
    return Int(steps[(state &- base) &* cpuCount &+ cpu])
  }

  // MARK: States

  /// Adds a system's current state, and returns the CPUs to begin with there.
  func add(_ enabled: CPUSet, _ system: TransitionSystem) -> CPUSet {
    let row = steps.extend(by: cpuCount, with: -1)
    let disabled = system.disabledCPUs()
    firstEnablers.append(enablers.count)
    steppable.append(enabled)
    var left = enabled.union(disabled)
    while let cpu = left.popLowest() {
      footprint.removeAll()
      if enabled.contains(cpu) {
        system.addFootprint(of: cpu, to: footprint)
      } else {
        system.addPotentialFootprint(of: cpu, to: footprint)
        let able = system.enablers(of: cpu, among: enabled, disabled: disabled)
        enablers.append((able.isEmpty ? enabled : able).bits)
      }
      let step = summaries.step(cpu, footprint)
      knowledge.enter(upTo: step, of: summaries)
      steps[row + cpu] = Int32(truncatingIfNeeded: step)
    }
    return first(of: enabled, base + steppable.count - 1)
  }

  /// The smallest set that is closed as far as the later steps of CPUs are known; the first of
  /// those.
  private func first(of enabled: CPUSet, _ state: Int) -> CPUSet {
    var best = enabled
    var left = enabled
    while let cpu = left.popLowest() {
      let set = closure(of: cpu, in: state, enabled)
      if set.count < best.count { best = set }
    }
    return best
  }

  /// A CPU, and all that are known to take a step later that depends on the next step of one in the
  /// set.
  private func closure(of cpu: Int, in state: Int, _ enabled: CPUSet) -> CPUSet {
    var set = CPUSet(cpu)
    var open = set
    while let cpu = open.popLowest() {
      let step = step(of: cpu, in: state)
      for other in 0..<cpuCount where !set.contains(other) {
        let next = self.step(of: other, in: state)
        guard next >= 0, knowledge.meets(step, futureOf: next) else { continue }
        let new = add(other, in: state, enabled).subtracting(set)
        set = set.union(new)
        open = open.union(new)
      }
    }
    return set
  }

  /// A CPU if it is enabled, or those that can enable it.
  private func add(_ cpu: Int, in state: Int, _ enabled: CPUSet) -> CPUSet {
    if enabled.contains(cpu) { return CPUSet(cpu) }
    var index = firstEnablers[state - base]
    for other in 0..<cpu where step(of: other, in: state) >= 0 && !enabled.contains(other) {
      index += 1
    }
    return CPUSet(bits: enablers[index])
  }

  /// Learns which step followed another of the same CPU; a member of a team will learn it when the
  /// round has ended.
  func note(_ cpu: Int, from state: Int, to target: Int) {
    let next = step(of: cpu, in: target)
    guard next >= 0 else { return }
    let step = step(of: cpu, in: state)
    if team == nil {
      _ = knowledge.note(step, isFollowedBy: next)
    } else if !knowledge.knows(step, isFollowedBy: next) {
      facts.append(
        Fact(step: Int32(truncatingIfNeeded: step), next: Int32(truncatingIfNeeded: next)))
    }
  }

  // MARK: Repair

  /// CPUs to add in a state.
  private struct Missing: Sendable {
    var state: Int
    var cpus: CPUSet
  }

  /// Adds CPUs where they are missing, and returns the states concerned in ascending order; none if
  /// all sets are persistent and no cycle passes a CPU over.
  ///
  /// - Parameter threads: the number of threads that look for what is missing.
  func repair(
    _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>, threads: Int = 1
  ) -> [Int] {
    while summaries.needsLongerRows(for: summaries.stepCount - 1) { summaries.lengthenRows() }
    let components = StrongComponents(graph)
    let changed = addRivals(graph, chosen, components, threads)
    return changed.isEmpty ? addPassedOver(graph, chosen, components, threads) : changed
  }

  /// For each component the set of steps that are taken, or disabled, in it or later.
  private func stepsBelow(
    _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>, _ components: StrongComponents
  ) -> [Int] {
    var sets: [Int] = []
    let row = GrowableBuffer<UInt64>(repeating: 0, count: summaries.stride)
    defer { row.deallocate() }
    let (members, starts) = components.members
    for component in 0..<components.count {
      row.pointer(to: 0).update(repeating: 0, count: summaries.stride)
      var last = -1
      for state in members[starts[component]..<starts[component + 1]] {
        for cpu in 0..<cpuCount where counts(cpu, in: state, graph, chosen) {
          let step = step(of: cpu, in: state)
          row[step / 64] |= 1 << UInt64(step % 64)
        }
        for edge in graph.edges(of: state) where graph[edge].target != StateGraph.unknown {
          let target = Int(components[Int(graph[edge].target)])
          if target == component || sets[target] == last { continue }
          last = sets[target]
          let bits = summaries.row(last)
          for word in 0..<summaries.stride { row[word] |= bits[word] }
        }
      }
      sets.append(summaries.intern(row.pointer(to: 0)))
    }
    return sets
  }

  /// Whether a CPU's next step in a state is among the steps below: it is followed, or disabled.
  private func counts(
    _ cpu: Int, in state: Int, _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>
  ) -> Bool {
    guard step(of: cpu, in: state) >= 0 else { return false }
    return chosen[state].contains(cpu)
      || !omitted.contains(.disabledSteps) && !graph.enabled(in: state).contains(cpu)
  }

  /// States that a thread looks at together.
  private static let statesTogether = 1 << 14

  /// Where a CPU is followed, adds the other CPUs that take a step below which races with its step,
  /// or if they are disabled, those that can enable them.
  private func addRivals(
    _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>, _ components: StrongComponents,
    _ threads: Int
  ) -> [Int] {
    if omitted.contains(.races) { return [] }
    let below = stepsBelow(graph, chosen, components)
    let length = PersistentSets.statesTogether
    let parts = (graph.count + length - 1) / length
    let found = Locked([[Missing]](repeating: [], count: parts))
    // All of this is only read until the threads are done.
    nonisolated(unsafe) let (sets, graph, chosen) = (self, graph, chosen)
    concurrently(parts, threads: min(threads, parts)) { part in
      let states = part * length..<min((part + 1) * length, graph.count)
      let missing = states.compactMap {
        sets.rivals(in: $0, graph, followed: chosen[$0], components, below)
      }
      found.withLock { $0[part] = missing }
    }
    let missing = found.withLock { $0 }.joined()
    for each in missing { chosen[each.state] = chosen[each.state].union(each.cpus) }
    return missing.map(\.state)
  }

  /// The CPUs to add in a state because they race with one that is followed there; nil if none are
  /// missing.
  private func rivals(
    in state: Int, _ graph: StateGraph, followed: CPUSet, _ components: StrongComponents,
    _ below: [Int]
  ) -> Missing? {
    let enabled = steppable[state]
    if followed.isEmpty || followed == enabled { return nil }
    var rivals = CPUSet()
    for edge in graph.edges(of: state) where graph[edge].target != StateGraph.unknown {
      let cpu = Int(graph[edge].cpu)
      let target = Int(components[Int(graph[edge].target)])
      addCPUs(racing: step(of: cpu, in: state), in: summaries.row(below[target]), to: &rivals)
    }
    var needed = CPUSet()
    while let cpu = rivals.popLowest() {
      if step(of: cpu, in: state) < 0 { continue }
      needed = needed.union(add(cpu, in: state, enabled))
    }
    return needed.subtracting(followed).isEmpty ? nil : Missing(state: state, cpus: needed)
  }

  private func addCPUs(
    racing step: Int, in row: UnsafeMutablePointer<UInt64>, to cpus: inout CPUSet
  ) {
    let rivals = knowledge.rivals(of: step)
    for word in 0..<min(summaries.stride, knowledge.stride) {
      var left = CPUSet(bits: row[word] & rivals[word])
      while let bit = left.popLowest() { cpus.insert(summaries.cpu(of: word &* 64 &+ bit)) }
    }
  }

  // MARK: Cycles

  private enum Colour: UInt8, BitwiseCopyable { case unseen, open, added, done }

  private struct Visit: BitwiseCopyable {
    var state: Int
    var next: Int
  }

  /// Adds CPUs to states so that on each cycle, every CPU that is enabled all the way is followed
  /// somewhere.
  private func addPassedOver(
    _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>, _ components: StrongComponents,
    _ threads: Int
  ) -> [Int] {
    if omitted.contains(.cycles) { return [] }
    let found = Locked([[Int]](repeating: [], count: cpuCount))
    // All of this is only read until the threads are done.
    nonisolated(unsafe) let (sets, graph, chosen) = (self, graph, chosen)
    let isLarge = graph.count > PersistentSets.statesTogether
    concurrently(cpuCount, threads: isLarge ? threads : 1) { cpu in
      let states = sets.statesToAdd(cpu, graph, chosen, components)
      found.withLock { $0[cpu] = states }
    }
    var changed: Set<Int> = []
    for (cpu, states) in found.withLock({ $0 }).enumerated() {
      for state in states { chosen[state] = chosen[state].union(CPUSet(cpu)) }
      changed.formUnion(states)
    }
    return changed.sorted()
  }

  /// The states in which to add a CPU so that no cycle passes it over.
  ///
  /// It depends on no other CPU: those that are added elsewhere do not matter.
  private func statesToAdd(
    _ cpu: Int, _ graph: StateGraph, _ chosen: GrowableBuffer<CPUSet>,
    _ components: StrongComponents
  ) -> [Int] {
    var added: [Int] = []
    let colours = GrowableBuffer<Colour>(repeating: .unseen, count: graph.count)
    let visits = GrowableBuffer<Visit>()
    defer {
      colours.deallocate()
      visits.deallocate()
    }
    func isPassed(_ state: Int) -> Bool {
      !chosen[state].contains(cpu) && !chosen[state].isEmpty && steppable[state].contains(cpu)
        && colours[state] != .added
    }
    func enter(_ state: Int) {
      colours[state] = .open
      visits.append(Visit(state: state, next: graph.edges(of: state).lowerBound))
    }
    for root in 0..<graph.count where colours[root] == .unseen && isPassed(root) {
      enter(root)
      while !visits.isEmpty {
        let visit = visits.last
        guard isPassed(visit.state), visit.next < graph.edges(of: visit.state).upperBound else {
          colours[visit.state] = .done
          visits.truncate(to: visits.count - 1)
          continue
        }
        visits.pointer(to: visits.count - 1).pointee.next += 1
        let component = Int(components[visit.state])
        guard components.stays(visit.next, in: component, of: graph) else { continue }
        let target = Int(graph[visit.next].target)
        if colours[target] == .open {
          colours[target] = .added
          added.append(target)
        } else if colours[target] == .unseen, isPassed(target) {
          enter(target)
        }
      }
    }
    return added
  }

  // MARK: Checkpoints

  func save(to writer: CheckpointWriter) {
    summaries.save(to: writer)
    knowledge.save(to: writer)
    writer.write(steps.count)
    for index in 0..<steps.count { writer.write(UInt32(bitPattern: steps[index])) }
    for state in 0..<firstEnablers.count {
      writer.write(steppable[state])
      writer.write(firstEnablers[state])
    }
    writer.write(enablers.all)
  }

  /// Reads what `save` wrote.
  func restore(
    from reader: CheckpointReader, states: Int, objectCount: Int
  ) throws(CheckpointError) {
    try summaries.restore(from: reader, cpuCount: cpuCount, objectCount: objectCount)
    try knowledge.restore(from: reader, of: summaries)
    guard try reader.count(ofBytes: 4) == states * cpuCount else { throw .malformed }
    for _ in 0..<states * cpuCount {
      let step = Int32(bitPattern: try reader.half())
      guard step >= -1, Int(step) < summaries.stepCount else { throw .malformed }
      steps.append(step)
    }
    for _ in 0..<states {
      steppable.append(try reader.cpus())
      firstEnablers.append(try reader.number(in: 0..<Int.max))
    }
    for bits in try reader.words() { enablers.append(bits) }
    guard firstEnablers.all.allSatisfy({ $0 <= enablers.count }) else { throw .malformed }
  }
}
