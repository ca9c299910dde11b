// Which CPU is tried first at a state: any choice is sound, but it affects the cost.

import GracewalkSupport

extension StatefulSearch {
  /// Rule 8: the lowest CPU whose next step conflicts with no step known to be ahead of others;
  /// otherwise one with the smallest closure.
  ///
  /// It is one of those that the system prefers.
  ///
  /// A CPU without conflicts ahead needs no alternative at this node: no race will add one. Taking
  /// a conflicting CPU first, with ten independent ones still to come, puts the branches near the
  /// root, and each branch repeats all the independent steps.
  func firstCPU(_ allAwake: CPUSet, unfinished: CPUSet) -> Int {
    if allAwake.count == 1 { return allAwake.lowest }
    let awake = system.preferred(among: allAwake)
    if awake.count == 1 { return awake.lowest }
    let row = pending.pointer(to: happensBefore.count * cpuCount)
    let ahead = knowledge.ahead(ofAll: unfinished, row)
    var calm = CPUSet()
    var left = awake
    while let cpu = left.popLowest() {
      let step = Int(row[cpu])
      if ahead[step &>> 6] &>> UInt64(truncatingIfNeeded: step & 63) & 1 == 1 { continue }
      if firstInOrder == 0 { return cpu }
      calm.insert(cpu)
    }
    return calm.isEmpty ? leastEntangled(awake, row, unfinished) : first(of: calm)
  }

  /// The first of some CPUs: the lowest, unless this is a member of a team with another order.
  @inline(__always)
  func first(of cpus: CPUSet) -> Int {
    let rest = CPUSet(bits: cpus.bits & (UInt64.max &<< UInt64(firstInOrder)))
    return rest.isEmpty ? cpus.lowest : rest.lowest
  }

  /// The CPU with the smallest closure under conflicts with steps ahead; the first of several.
  ///
  /// A closure that reaches an already examined CPU contains that CPU's closure, so it is no
  /// smaller.
  private func leastEntangled(
    _ awake: CPUSet, _ row: UnsafeMutablePointer<Int32>, _ unfinished: CPUSet
  ) -> Int {
    var best = first(of: awake)
    var fewest = Int.max
    var known = CPUSet()
    var left = awake
    while !left.isEmpty {
      let cpu = first(of: left)
      left.remove(cpu)
      if let count = sizeOfClosure(of: cpu, row, unfinished, avoiding: known), count < fewest {
        best = cpu
        fewest = count
      }
      known.insert(cpu)
    }
    return best
  }

  /// The size of a CPU's closure, including itself; nil if it reaches one of `known`.
  private func sizeOfClosure(
    of cpu: Int, _ row: UnsafeMutablePointer<Int32>, _ unfinished: CPUSet, avoiding known: CPUSet
  ) -> Int? {
    var closure = CPUSet(cpu)
    var next = closure
    while let member = next.popLowest() {
      let step = Int(row[member])
      if conflicts(step, with: known, row) { return nil }
      var others = unfinished.subtracting(closure).subtracting(known)
      while let other = others.popLowest() {
        guard knowledge.meets(step, futureOf: Int(row[other])) else { continue }
        closure.insert(other)
        next.insert(other)
      }
    }
    return closure.count
  }

  /// True if a step is dependent on a step ahead of one of these CPUs.
  @inline(__always)
  private func conflicts(
    _ step: Int, with cpus: CPUSet, _ row: UnsafeMutablePointer<Int32>
  ) -> Bool {
    var left = cpus
    while let cpu = left.popLowest() {
      if knowledge.meets(step, futureOf: Int(row[cpu])) { return true }
    }
    return false
  }

  // MARK: What CPUs are about to do

  /// The number of a CPU's next step with its potential footprint.
  private func potentialStep(of cpu: Int) -> Int {
    footprint.removeAll()
    system.addPotentialFootprint(of: cpu, to: footprint)
    return numberOfStep(cpu)
  }

  /// Records the pending steps of the current state, and which step follows which on the CPU that
  /// just stepped.
  func notePending(_ unfinished: CPUSet) {
    let depth = happensBefore.count
    pending.setCount(to: (depth + 1) * cpuCount)
    guard depth > 0 else {
      for cpu in 0..<cpuCount {
        pending[cpu] = unfinished.contains(cpu) ? Int32(potentialStep(of: cpu)) : -1
      }
      return
    }
    let row = depth * cpuCount
    pending.pointer(to: row).update(from: pending.pointer(to: row - cpuCount), count: cpuCount)
    let cpu = happensBefore.cpu(of: depth - 1)
    pending[row + cpu] = -1
    // Besides the CPU that has stepped, those that had no next step before.
    var left = unfinished
    while let other = left.popLowest() {
      if pending[row + other] >= 0 { continue }
      let step = potentialStep(of: other)
      pending[row + other] = Int32(truncatingIfNeeded: step)
      if other == cpu { learn(step, on: cpu) }
    }
  }

  /// Records the step as a successor of all earlier steps of the CPU, back to one that already has
  /// it.
  private func learn(_ step: Int, on cpu: Int) {
    var later = step
    for event in Swift.stride(from: happensBefore.count - 1, through: 0, by: -1)
    where happensBefore.cpu(of: event) == cpu {
      let earlier = Int(pending[event * cpuCount + cpu])
      if !knowledge.note(earlier, isFollowedBy: later) { return }
      later = earlier
    }
  }

  // MARK: The trial

  /// Takes one execution, lowest CPU first, to learn its steps; returns the end of the search if it
  /// finds a violation.
  func lookAhead() -> (Ending, [Schedule.Step])? {
    var trails = Array(repeating: [Int](), count: cpuCount)
    var steps: [Schedule.Step] = []
    var ending: Ending?
    while ending == nil, steps.count < budget.limits.depth {
      let enabled = system.enabledCPUs()
      var left = enabled.union(system.disabledCPUs())
      while let cpu = left.popLowest() {
        let step = potentialStep(of: cpu)
        if trails[cpu].last != step { trails[cpu].append(step) }
      }
      if enabled.isEmpty { break }
      steps.append(Schedule.Step(cpu: enabled.lowest, choice: 0))
      ending = system.step(enabled.lowest, choice: 0).ending
    }
    if let ending {
      statistics.transitions = steps.count
      statistics.states = steps.count
      statistics.depthMax = steps.count
      if ending == .violation { statistics.executions = 1 }
      return (ending, steps)
    }
    for _ in steps { system.undo() }
    for trail in trails where trail.count > 1 {
      for index in Swift.stride(from: trail.count - 2, through: 0, by: -1) {
        _ = knowledge.note(trail[index], isFollowedBy: trail[index + 1])
      }
    }
    return nil
  }
}
