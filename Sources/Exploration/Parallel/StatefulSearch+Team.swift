// A stateful search as a member of a team: giving away parts of its stack, and taking parts.

import GracewalkSupport
import Synchronization

/// The state of a search as a member of a team.
final class TeamMembership {
  /// A task given away: its node, its CPU, and the backtrack sets of the nodes above.
  struct Given {
    var node: Int
    var task: SharedTask
  }

  let team: SearchTeam
  let number: Int
  var given: [Given] = []
  /// The current task; nil for the member that started from the initial state.
  var task: SharedTask?

  init(_ team: SearchTeam, number: Int) {
    self.team = team
    self.number = number
  }
}

extension StatefulSearch {
  /// Explores from the initial state, giving parts away, until everything is explored.
  func runAsFirst() -> Ending {
    if let ending = startEnding {
      stopTeam(ending, path)
      return ending
    }
    if let (ending, steps) = lookAhead() {
      stopTeam(ending, steps)
      return ending
    }
    guard let ending = arriveAtStart() ?? explore() else { return .complete }
    stopTeam(ending, path)
    return ending
  }

  private func stopTeam(_ ending: Ending, _ steps: [Schedule.Step]) {
    let isFound = ending == .violation || ending == .halted
    membership?.team.stop(ending, isFound ? Schedule(steps) : nil)
  }

  // MARK: Taking a task

  /// Explores a task and returns the system to its initial state.
  ///
  /// Races with events of the path are returned in the task; the giver adds them to its own stack,
  /// whose nodes stay open until the task is done.
  func carryOut(_ task: SharedTask) {
    membership?.task = task
    // The first member found no violation in this trial, so none is found here.
    if knowledge.count == 0 { _ = lookAhead() }
    for node in task.path.dropLast() { enter(node) }
    open(task)
    if let ending = explore(from: task.path.count - 1) {
      stopTeam(ending, path)
    } else {
      task.summary = publish(rowOf: task.path.count - 1)
      task.sleeper = sleeper(nodes.last.cpu, at: task.path.count - 1)
      task.additions = task.path.indices.map { index in
        nodes[index].backtrack.subtracting(task.path[index].backtrack)
      }
    }
    past.unwind(system)
    touched.stackChanged(to: 0)
    nodes.removeAll()
    below.removeAll()
    enablers.removeAll()
    membership?.task = nil
    membership?.given.removeAll()
  }

  /// Takes the step of a node of the path.
  private func enter(_ node: SharedTask.Node) {
    append(node)
    footprint.removeAll()
    system.addFootprint(of: node.cpu, to: footprint)
    nodes.pointer(to: nodes.count - 1).pointee.step = numberOfStep(node.cpu)
    past.push(node.cpu, footprint)
    touched.stackChanged(to: past.count)
    _ = system.step(node.cpu, choice: node.choice)
  }

  private func append(_ node: SharedTask.Node) {
    clearRow(nodes.count)
    notePending(system.enabledCPUs().union(system.disabledCPUs()))
    forgetDisabledSteps(atRow: nodes.count)
    var copy = Node(
      enabled: node.enabled, backtrack: node.backtrack, done: node.done, sleep: node.sleep,
      key: node.key, permutation: node.permutation, isRevisit: node.isRevisit)
    copy.cpu = node.cpu
    copy.choice = node.choice
    push(copy)
    for sleeper in node.sleepers { note(sleeper, at: nodes.count - 1) }
  }

  /// Makes the last node of the path the top one, with only the task's step to try.
  private func open(_ task: SharedTask) {
    guard let last = task.path.last else { return }
    append(last)
    let top = nodes.pointer(to: nodes.count - 1)
    top.pointee.lent = top.pointee.enabled
    top.pointee.lent.remove(last.cpu)
    for bits in task.enablers { enablers.append(bits) }
  }

  /// A CPU asleep or done at a node, described for other threads.
  private func sleeper(_ cpu: Int, at index: Int) -> SharedTask.Sleeper {
    let place = index * cpuCount + cpu
    return SharedTask.Sleeper(
      cpu: cpu, step: Int(sleeperSteps[place]),
      set: UInt32(summaries.publish(Int(sleeperSets[place]))))
  }

  /// Takes over another thread's description of a CPU that is asleep or done at a node.
  private func note(_ sleeper: SharedTask.Sleeper, at index: Int) {
    let place = index * cpuCount + sleeper.cpu
    knowledge.enter(upTo: sleeper.step, of: summaries)
    sleeperSteps[place] = Int32(truncatingIfNeeded: sleeper.step)
    sleeperSets[place] = Int32(truncatingIfNeeded: adopt(sleeper.set))
  }

  /// The shared number of the set in a row.
  private func publish(rowOf index: Int) -> UInt32 {
    let set = summaries.intern(below.pointer(to: index * summaries.stride))
    return UInt32(summaries.publish(set))
  }

  // MARK: Giving tasks

  /// Checks from time to time the clock, and whether a thread is hungry; returns a bound if the
  /// search must stop.
  func exceededBoundOfTeam() -> Bound? {
    guard let signals = teamSignals else { return nil }
    if signals.pointee.isStopped { return .interrupted }
    if statistics.transitions >= nextReport { report() }
    if signals.pointee.wantsTask { give() }
    return nil
  }

  private func report() {
    nextReport = statistics.transitions + Budget.period
    guard let membership else { return }
    notePart()
    membership.team.report(statistics, of: membership.number, depth: nodes.count)
  }

  /// Reports the explored part of the current task, or of the whole search.
  private func notePart() {
    guard let membership, let part = exploredPart else { return }
    if let task = membership.task {
      task.part.withLock { $0 = part }
    } else {
      membership.team.note(part)
    }
  }

  /// The explored part, estimated from the stack above the start of the task, without lent parts;
  /// nil without a stack.
  var exploredPart: LentPart? {
    guard let membership, !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    var lent: [(task: SharedTask, share: Double)] = []
    let base = membership.task.map(\.path.count) ?? 0
    for index in base..<max(nodes.count, base) where !part.isSettled {
      let tasks = membership.given.filter { $0.node == index }.map(\.task)
      let shares = add(index, to: &part, lent: tasks.count)
      for (task, share) in zip(tasks.reversed(), shares) { lent.append((task, share)) }
    }
    let given = lent.reduce(0) { $0 + $1.share }
    return LentPart(own: max(part.explored - given, 0), lent: lent)
  }

  /// Gives away the CPUs left to try at the node nearest to the start, which is likely to be the
  /// most work.
  private func give() {
    guard let team = membership?.team else { return }
    let base = (membership?.task?.path.count ?? 1) - 1
    for index in base..<max(nodes.count, base) {
      let node = nodes.pointer(to: index)
      var left = node.pointee.left
      let isBusy = index < nodes.count - 1 || node.pointee.choice < node.pointee.choiceCount
      if isBusy { left.remove(node.pointee.cpu) }
      // Keeps one if nothing is under way, so that the giver does not run out of work at once.
      if !isBusy, !left.isEmpty { left.remove(left.lowest) }
      if left.isEmpty { continue }
      let cpu = left.lowest
      node.pointee.lent.insert(cpu)
      let task = SharedTask(
        path: path(to: index, cpu: cpu),
        enablers: (0..<(index + 1) * system.cpuCount).map { enablers[$0] })
      membership?.given.append(TeamMembership.Given(node: index, task: task))
      team.give(task)
      return
    }
  }

  private func path(to last: Int, cpu: Int) -> [SharedTask.Node] {
    (0...last).map { index in
      let node = nodes[index]
      // Below the last node, only races need the CPUs asleep, and done CPUs are not needed.
      var known = index == last ? node.sleep.union(node.done) : node.sleep
      var sleepers: [SharedTask.Sleeper] = []
      while let other = known.popLowest() { sleepers.append(sleeper(other, at: index)) }
      return SharedTask.Node(
        cpu: index == last ? cpu : node.cpu, choice: index == last ? 0 : node.choice,
        enabled: node.enabled, backtrack: node.backtrack, done: node.done, sleep: node.sleep,
        key: node.key, permutation: node.permutation, isRevisit: node.isRevisit,
        sleepers: sleepers)
    }
  }

  /// Waits for a task given away at the top node and takes over its results; false if there is
  /// none.
  func joinTask() -> Bool {
    let top = nodes.count - 1
    guard let team = membership?.team,
      let index = membership?.given.lastIndex(where: { $0.node == top }),
      let task = membership?.given[index].task
    else { return false }
    notePart()
    membership?.given.remove(at: index)
    team.work { task.isDone.load(ordering: .acquiring) }
    if team.isStopped { return true }
    if let sleeper = task.sleeper {
      note(sleeper, at: top)
      nodes.pointer(to: top).pointee.lent.remove(sleeper.cpu)
      nodes.pointer(to: top).pointee.done.insert(sleeper.cpu)
    }
    for index in task.additions.indices { add(task.additions[index], at: index) }
    let row = summaries.row(adopt(task.summary))
    let target = below.pointer(to: top * summaries.stride)
    for word in 0..<summaries.stride { target[word] |= row[word] }
    return true
  }

  // MARK: States

  func finishInTeam(_ key: UInt64, _ set: Int) {
    teamStates?.finish(key, UInt32(summaries.publish(set)))
  }

  /// This member's number for a set that another member may have found.
  func adopt(_ shared: UInt32) -> Int {
    let set = summaries.adopt(Int(shared)) { lengthenRows() }
    if summaries.stepCount > 0 { knowledge.enter(upTo: summaries.stepCount - 1, of: summaries) }
    return set
  }
}
