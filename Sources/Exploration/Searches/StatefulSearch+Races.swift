// Races of a stateful search: the CPUs that must also be tried at the nodes of the stack.

import GracewalkSupport

extension StatefulSearch {
  // MARK: Steps that are taken, and steps that wait

  /// Rule 3: ensures that a step, whose footprint is current, is also tried before each event with
  /// which it is in an immediate race.
  ///
  /// All immediate races count, as in source-DPOR. Without sleep sets the latest would suffice,
  /// since the others are found further down; with sleep sets, the CPUs there may be asleep.
  func race(_ cpu: Int, _ step: Int) {
    racesInHand = 0
    if system.racesWithNothing(cpu) { return }
    guard system.isBlocking(cpu) else {
      happensBefore.eachRace(of: cpu, footprint, blocking: false, wasDisabled: { _ in false }) {
        addCauses(of: cpu, before: $0)
      }
      return
    }
    let dependents = knowledge.dependents(of: step)
    happensBefore.eachBlockingRace(
      of: cpu, footprint,
      isDependent: {
        let other = nodes[$0].step
        return dependents[other &>> 6] &>> UInt64(truncatingIfNeeded: other & 63) & 1 == 1
      },
      wasDisabled: { !nodes[$0].enabled.contains(cpu) }
    ) { addCauses(of: cpu, before: $0) }
  }

  /// Adds the CPU at the node of an event, or a CPU that it needs; if all of these are disabled,
  /// the CPUs that could enable it.
  private func addCauses(of cpu: Int, before event: Int) {
    racesInHand += 1
    if racesInHand > 1, omitted.contains(.earlierRaces) { return }
    // At a revisit, the CPUs for its races were added when the state was new.
    guard !nodes[event].isRevisit else { return }
    let needed = happensBefore.causes(of: cpu, after: event).intersection(nodes[event].enabled)
    if needed.isEmpty {
      add(CPUSet(bits: enablers[event * cpuCount + cpu]), at: event)
    } else if needed.isDisjoint(with: nodes[event].backtrack) {
      add(CPUSet(needed.contains(cpu) ? cpu : needed.lowest), at: event)
    }
  }

  /// Lets disabled CPUs race with their potential footprints, and adds their steps to the summary:
  /// in another order they might have come first.
  func raceDisabled(_ cpus: CPUSet, keepsInRow row: Int) {
    let depth = happensBefore.count
    forgetDisabledSteps(atRow: depth)
    let last = depth > 0 ? happensBefore.cpu(of: depth - 1) : -1
    var left = cpus
    while let cpu = left.popLowest() {
      footprint.removeAll()
      system.addPotentialFootprint(of: cpu, to: footprint)
      let step = numberOfStep(cpu)
      disabledSteps[depth * cpuCount + cpu] = Int32(truncatingIfNeeded: step)
      setBit(step, inRow: row)
      // If its step is unchanged, it has already raced with the earlier events.
      if cpu != last, depth > 0, Int(disabledSteps[(depth - 1) * cpuCount + cpu]) == step,
        !knowledge.areDependent(step, nodes[depth - 1].step)
      {
        continue
      }
      race(cpu, step)
    }
  }

  // MARK: States reached again

  /// Rule 5: lets all steps that ran below a state race with the present stack, and tries CPUs that
  /// were asleep there and are awake now.
  ///
  /// - `set`: the summary that the state, or one that counts as this, was finished with.
  /// - `permutation`: what leads from the state that was finished to this one.
  func revisit(_ set: Int, _ name: StateName, _ asleep: CPUSet, under permutation: Int) {
    let row = nodes.count
    fetchSummary(set, permutation, row: row)
    raceSummary(row)
    let stored = image(of: summaries.sleep(set), under: permutation)
    let missing = stored.subtracting(asleep)
    if !missing.isEmpty, !omitted.contains(.revisits) {
      revisit(name, missing, asleep: asleep, both: asleep.intersection(stored))
    }
    matching?.noteReads(inRow: row)
  }

  /// Fills the rows of the current state with what ran, and was read, below it.
  private func fetchSummary(_ set: Int, _ permutation: Int, row: Int) {
    matching?.merge(summaries.reads(set), permutation, intoRow: row)
    if permutation != 0 { return translate(summaries.row(set), permutation, toRow: row) }
    let bits = summaries.row(set)
    let target = ranBelow.pointer(to: row * summaries.stride)
    for word in 0..<summaries.stride { target[word] = bits[word] }
    setInHand = set
  }

  /// Pushes a node that tries only CPUs that were asleep before.
  ///
  /// They are enabled, as no step that they depend on was taken, unless the system's symmetry is
  /// wrong.
  private func revisit(_ name: StateName, _ missing: CPUSet, asleep: CPUSet, both: CPUSet) {
    let row = nodes.count
    let enabled = system.enabledCPUs()
    let disabled = system.disabledCPUs()
    notePending(enabled.union(disabled))
    noteEnablers(of: disabled, enabled)
    forgetDisabledSteps(atRow: row)
    setInHand = -1
    push(
      Node(
        enabled: enabled, backtrack: missing.intersection(enabled), done: CPUSet(), sleep: both,
        key: name.key, permutation: name.permutation, isRevisit: true,
        stateCount: Int32(truncatingIfNeeded: name.stateCount)),
      dropping: asleep.subtracting(both))
  }

  /// Records that no disabled CPU is known to have raced at a depth.
  func forgetDisabledSteps(atRow row: Int) {
    disabledSteps.setCount(to: (row + 1) * cpuCount)
    disabledSteps.pointer(to: row * cpuCount).update(repeating: -1, count: cpuCount)
  }

  /// Lets the steps of a row race as if they were about to run.
  ///
  /// A step may be a later one of its CPU, and the steps that it needs are not known. So every race
  /// counts, and only the CPU itself is added.
  private func raceSummary(_ row: Int) {
    let depth = happensBefore.count
    let bits = ranBelow.pointer(to: row * summaries.stride)
    let words = min(summaries.stride, knowledge.stride)
    let dependent = touched.row(depth, knowledge) { nodes[$0].step }
    var racing = CPUSet()
    for word in 0..<words {
      var left = CPUSet(bits: bits[word] & dependent[word])
      while let bit = left.popLowest() { racing.insert(summaries.cpu(of: word &* 64 &+ bit)) }
    }
    if racing.isEmpty { return }
    for event in 0..<depth {
      let node = nodes.pointer(to: event)
      if node.pointee.isRevisit { continue }
      // Most CPUs are there already, or cannot come earlier, whatever their steps are.
      var missing = racing.subtracting(node.pointee.backtrack)
      var unsure = missing
      while let cpu = unsure.popLowest() {
        if happensBefore.isBehind(cpu, event) { missing.remove(cpu) }
      }
      if !missing.isEmpty { raceSummary(bits, words, missing, at: event) }
    }
  }

  private func raceSummary(
    _ bits: UnsafePointer<UInt64>, _ words: Int, _ missing: CPUSet, at event: Int
  ) {
    let node = nodes.pointer(to: event)
    let rivals = knowledge.rivals(of: node.pointee.step)
    var missing = missing
    for word in 0..<words {
      var left = CPUSet(bits: bits[word] & rivals[word])
      while let bit = left.popLowest() {
        let cpu = summaries.cpu(of: word &* 64 &+ bit)
        guard missing.contains(cpu), !node.pointee.backtrack.contains(cpu) else { continue }
        // To add it once more would change nothing.
        missing.remove(cpu)
        addItself(cpu, at: event)
        if missing.isEmpty { return }
      }
    }
  }

  /// Adds a CPU, or the CPUs that can enable it.
  private func addItself(_ cpu: Int, at index: Int) {
    if nodes[index].enabled.contains(cpu) {
      add(CPUSet(cpu), at: index)
    } else {
      add(CPUSet(bits: enablers[index * cpuCount + cpu]), at: index)
    }
  }

  // MARK: Additions

  /// Adds CPUs to a node's backtrack set; for those asleep, the CPUs that race with their steps
  /// (rule 4).
  func add(_ cpus: CPUSet, at index: Int) {
    let node = nodes.pointer(to: index)
    let new = cpus.subtracting(node.pointee.backtrack)
    if new.isEmpty { return }
    node.pointee.backtrack = node.pointee.backtrack.union(new)
    if omitted.contains(.closure) { return }
    var asleep = new.intersection(node.pointee.sleep)
    while let cpu = asleep.popLowest() { close(over: cpu, at: index) }
  }

  /// Adds the CPUs of all steps recorded for a sleeping CPU that race with its own step.
  private func close(over sleeper: Int, at index: Int) {
    let step = Int(sleeperSteps[index * cpuCount + sleeper])
    let set = Int(sleeperSets[index * cpuCount + sleeper])
    let row = summaries.row(set)
    let rivals = knowledge.rivals(of: step)
    var racing = CPUSet()
    for word in 0..<min(summaries.stride, knowledge.stride) {
      var left = CPUSet(bits: row[word] & rivals[word])
      while let bit = left.popLowest() { racing.insert(summaries.cpu(of: word &* 64 &+ bit)) }
    }
    while let cpu = racing.popLowest() { addItself(cpu, at: index) }
  }

  /// Records, for each disabled CPU, the enabled CPUs one of which must step before it can.
  ///
  /// A CPU that has finished has none; the steps recorded for a sleeping CPU may still include its
  /// steps.
  func noteEnablers(of disabled: CPUSet, _ enabled: CPUSet) {
    let row = nodes.count * cpuCount
    enablers.setCount(to: row + cpuCount)
    enablers.pointer(to: row).update(repeating: 0, count: cpuCount)
    var left = disabled
    while let cpu = left.popLowest() {
      enablers[row + cpu] = system.enablers(of: cpu, among: enabled, disabled: disabled).bits
    }
  }
}
