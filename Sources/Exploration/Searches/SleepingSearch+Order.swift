// Which CPU begins at a state: any choice is sound, and it decides how much there is to do.

import GracewalkSupport

extension SleepingSearch {
  /// Rule 8: the lowest CPU whose next step conflicts with nothing that others are known to have
  /// ahead; else one that drags the fewest others along.
  ///
  /// A CPU that conflicts with nothing ahead needs no alternative at this node: no race will ask
  /// for one. Taking a CPU that does conflict first, with ten independent ones still to come, puts
  /// the branches near the root, and each repeats all that is independent of them.
  func firstCPU(_ awake: CPUSet, unfinished: CPUSet) -> Int {
    if awake.count == 1 { return awake.lowest }
    let row = pending.pointer(to: past.count * cpuCount)
    var left = awake
    while let cpu = left.popLowest() {
      let found = conflicting(cpu, row, unfinished)
      if found.isEmpty { return cpu }
      conflicts[cpu] = found.bits
    }
    left = unfinished.subtracting(awake)
    while let cpu = left.popLowest() { conflicts[cpu] = conflicting(cpu, row, unfinished).bits }
    var best = awake.lowest
    var fewest = Int.max
    left = awake
    while let cpu = left.popLowest() {
      let count = closure(of: cpu).count
      if count < fewest {
        best = cpu
        fewest = count
      }
    }
    return best
  }

  /// The CPUs that have something ahead which a CPU's next step is dependent on.
  @inline(__always)
  private func conflicting(
    _ cpu: Int, _ row: UnsafeMutablePointer<Int32>, _ unfinished: CPUSet
  ) -> CPUSet {
    let step = Int(row[cpu])
    var others = unfinished
    others.remove(cpu)
    var found = CPUSet()
    while let other = others.popLowest() {
      if knowledge.meets(step, futureOf: Int(row[other])) { found.insert(other) }
    }
    return found
  }

  private func closure(of cpu: Int) -> CPUSet {
    var closure = CPUSet(cpu)
    var next = closure
    while let member = next.popLowest() {
      let new = CPUSet(bits: conflicts[member]).subtracting(closure)
      closure = closure.union(new)
      next = next.union(new)
    }
    return closure
  }

  // MARK: What CPUs are about to do

  /// The number of all that a CPU's next step could touch.
  private func potentialStep(of cpu: Int) -> Int {
    footprint.removeAll()
    system.addPotentialFootprint(of: cpu, to: footprint)
    return numberOfStep(cpu)
  }

  /// Notes the pending steps of the state in hand, and what follows what on the CPU that has come
  /// there.
  func notePending(_ unfinished: CPUSet) {
    let depth = past.count
    pending.setCount(to: (depth + 1) * cpuCount)
    guard depth > 0 else {
      for cpu in 0..<cpuCount {
        pending[cpu] = unfinished.contains(cpu) ? Int32(potentialStep(of: cpu)) : -1
      }
      return
    }
    let row = depth * cpuCount
    pending.pointer(to: row).update(from: pending.pointer(to: row - cpuCount), count: cpuCount)
    let cpu = past.cpu(of: depth - 1)
    guard unfinished.contains(cpu) else {
      pending[row + cpu] = -1
      return
    }
    let step = potentialStep(of: cpu)
    pending[row + cpu] = Int32(truncatingIfNeeded: step)
    learn(step, on: cpu)
  }

  /// What comes later is known to all steps before, back to one that knew.
  private func learn(_ step: Int, on cpu: Int) {
    var later = step
    for event in Swift.stride(from: past.count - 1, through: 0, by: -1)
    where past.cpu(of: event) == cpu {
      let earlier = Int(pending[event * cpuCount + cpu])
      if !knowledge.note(earlier, isFollowedBy: later) { return }
      later = earlier
    }
  }

  // MARK: The trial

  /// Takes one execution, lowest CPU first, to see what steps there are; returns how the search
  /// ends if that has found something already.
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
    if let ending { return (ending, steps) }
    for _ in steps { system.undo() }
    for trail in trails where trail.count > 1 {
      for index in Swift.stride(from: trail.count - 2, through: 0, by: -1) {
        _ = knowledge.note(trail[index], isFollowedBy: trail[index + 1])
      }
    }
    return nil
  }
}
