// Races of a stateful search: what must also be tried at the nodes of the stack, and why.

import GracewalkSupport

extension StatefulSearch {
  // MARK: Steps that are taken, and steps that wait

  /// Rule 3: makes sure that a step, whose footprint is in hand, is also tried before each event it
  /// is in an immediate race with.
  ///
  /// All immediate races count, as in source-DPOR: the latest alone would do without sleep sets,
  /// where the others are met further down. With them, what lies there may be asleep.
  func race(_ cpu: Int, _ step: Int) {
    racesInHand = 0
    guard system.isBlocking(cpu) else {
      past.eachRace(of: cpu, footprint, blocking: false, wasDisabled: { _ in false }) {
        addCauses(of: cpu, before: $0)
      }
      return
    }
    let dependents = knowledge.dependents(of: step)
    past.eachBlockingRace(
      of: cpu, footprint,
      isDependent: {
        let other = nodes[$0].step
        return dependents[other &>> 6] &>> UInt64(truncatingIfNeeded: other & 63) & 1 == 1
      },
      wasDisabled: { !nodes[$0].enabled.contains(cpu) }
    ) { addCauses(of: cpu, before: $0) }
  }

  /// Adds the CPU where an event was taken, or one that it needs to come there; where all of those
  /// are disabled, whatever could enable it.
  private func addCauses(of cpu: Int, before event: Int) {
    racesInHand += 1
    if racesInHand > 1, omitted.contains(.earlierRaces) { return }
    // At a revisit, all that its races ask for was added when the state was new.
    guard !nodes[event].isRevisit else { return }
    let needed = past.causes(of: cpu, after: event).intersection(nodes[event].enabled)
    if needed.isEmpty {
      add(CPUSet(bits: enablers[event * cpuCount + cpu]), at: event)
    } else if needed.isDisjoint(with: nodes[event].backtrack) {
      add(CPUSet(needed.contains(cpu) ? cpu : needed.lowest), at: event)
    }
  }

  /// Lets disabled CPUs race with all they could touch, and keeps their steps in the summary: in
  /// another order they might have come first.
  func raceDisabled(_ cpus: CPUSet, keepsInRow row: Int) {
    let depth = past.count
    forgetDisabledSteps(atRow: depth)
    let last = depth > 0 ? past.cpu(of: depth - 1) : -1
    var left = cpus
    while let cpu = left.popLowest() {
      footprint.removeAll()
      system.addPotentialFootprint(of: cpu, to: footprint)
      let step = numberOfStep(cpu)
      disabledSteps[depth * cpuCount + cpu] = Int32(truncatingIfNeeded: step)
      setBit(step, inRow: row)
      // Where nothing is new about it, it has raced with all there is.
      if cpu != last, depth > 0, Int(disabledSteps[(depth - 1) * cpuCount + cpu]) == step,
        !knowledge.areDependent(step, nodes[depth - 1].step)
      {
        continue
      }
      race(cpu, step)
    }
  }

  // MARK: States met again

  /// Rule 5: lets all that ran below a state race with the present stack, and tries what was asleep
  /// there and is awake now.
  ///
  /// - Parameter number: of the summary that the state was finished with; in a team, shared.
  func meetAgain(_ number: Int, _ name: StateName, _ asleep: CPUSet) {
    let set = isInTeam ? adopt(UInt32(number)) : number
    fetchSummary(set, name, row: nodes.count)
    raceSummary(nodes.count)
    var stored = summaries.sleep(set)
    if let names, name.permutation != 0 {
      stored = image(of: stored, under: names.inverse(of: Int(name.permutation)))
    }
    let missing = stored.subtracting(asleep)
    if missing.isEmpty || omitted.contains(.revisits) { return }
    revisit(name, missing, asleep: asleep, both: asleep.intersection(stored))
  }

  /// Fills the row of the state in hand with what ran below it.
  private func fetchSummary(_ set: Int, _ name: StateName, row: Int) {
    if let names, name.permutation != 0 {
      return translate(summaries.row(set), names.inverse(of: Int(name.permutation)), toRow: row)
    }
    let bits = summaries.row(set)
    let target = below.pointer(to: row * summaries.stride)
    for word in 0..<summaries.stride { target[word] = bits[word] }
    setInHand = set
  }

  /// Puts a node on the stack at which only those are tried that were asleep before.
  ///
  /// They are enabled, as nothing they depend on was taken, unless the system does not keep what it
  /// says of exchanged CPUs.
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
        key: name.key, permutation: name.permutation, isRevisit: true),
      dropping: asleep.subtracting(both))
  }

  /// Says that no disabled CPU is known to have raced at a depth.
  func forgetDisabledSteps(atRow row: Int) {
    disabledSteps.setCount(to: (row + 1) * cpuCount)
    disabledSteps.pointer(to: row * cpuCount).update(repeating: -1, count: cpuCount)
  }

  /// The steps of a row, as if they were about to run.
  ///
  /// A step may be a later one of its CPU: what it needs to come is not known, so it is looked for
  /// in every race, and only the CPU itself is added.
  private func raceSummary(_ row: Int) {
    let depth = past.count
    let bits = below.pointer(to: row * summaries.stride)
    let words = min(summaries.stride, knowledge.stride)
    let dependent = touched.row(depth, knowledge) { nodes[$0].step }
    var isIndependent = true
    for word in 0..<words where bits[word] & dependent[word] != 0 { isIndependent = false }
    if isIndependent { return }
    for event in 0..<depth {
      let node = nodes.pointer(to: event)
      if node.pointee.isRevisit { continue }
      let rivals = knowledge.rivals(of: node.pointee.step)
      for word in 0..<words {
        var left = CPUSet(bits: bits[word] & rivals[word])
        while let bit = left.popLowest() {
          let cpu = summaries.cpu(of: word &* 64 &+ bit)
          if node.pointee.backtrack.contains(cpu) || past.isBehind(cpu, event) { continue }
          addItself(cpu, at: event)
        }
      }
    }
  }

  /// Adds a CPU, or what can enable it.
  private func addItself(_ cpu: Int, at index: Int) {
    if nodes[index].enabled.contains(cpu) {
      add(CPUSet(cpu), at: index)
    } else {
      add(CPUSet(bits: enablers[index * cpuCount + cpu]), at: index)
    }
  }

  // MARK: Additions

  /// Adds CPUs to what is tried at a node; for those asleep, what races with their steps (rule 4).
  func add(_ cpus: CPUSet, at index: Int) {
    let node = nodes.pointer(to: index)
    let new = cpus.subtracting(node.pointee.backtrack)
    if new.isEmpty { return }
    node.pointee.backtrack = node.pointee.backtrack.union(new)
    if omitted.contains(.closure) { return }
    var asleep = new.intersection(node.pointee.sleep)
    while let cpu = asleep.popLowest() { close(over: cpu, at: index) }
  }

  /// Adds the CPUs of all steps noted for a sleeper that race with its own.
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

  /// Keeps, for each disabled CPU, the enabled CPUs one of which must step before it can.
  ///
  /// A CPU that has finished has none: what ran below a sleeper may speak of it.
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
