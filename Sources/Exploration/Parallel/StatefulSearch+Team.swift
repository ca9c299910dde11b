// A stateful search as a member of a team: giving away parts of its stack, and taking parts.

import GracewalkSupport

/// The state of a search as a member of a team.
final class TeamMembership {
  /// A task given away, with the index of its node.
  struct HandedOver {
    var node: Int
    var task: SharedTask
  }

  /// A step put off, since it leads to a state that another member is exploring.
  struct PutOff {
    var node: Int
    var cpu: Int
    var key: UInt64
  }

  let number: Int
  var handedOver: [HandedOver] = []
  var putOff: [PutOff] = []
  /// The current task; nil for the member that started from the initial state.
  var task: SharedTask?
  /// True if the current task has not been started.
  var isNew = false
  /// True if the member runs in this round.
  var isActive = false
  /// True if the member's task is done; for the first member, if the search is done.
  var isDone = false

  init(number: Int) { self.number = number }

  /// The node that the member must not leave.
  var base: Int { (task?.path.count ?? 1) - 1 }

  /// True if something at a node is up to other members.
  func isWaiting(at node: Int) -> Bool {
    handedOver.contains { $0.node == node } || putOff.contains { $0.node == node }
  }
}

extension StatefulSearch {
  /// Makes this search a member of a team.
  func join(_ team: SearchTeam, number: Int) {
    membership = TeamMembership(number: number)
    if let table = team.matches {
      matching?.teamTable = .passUnretained(table)
    } else {
      stopMatching()
    }
    if let store = team.exactStates { exact?.share(store) }
    summaries.share(through: team.summaries)
    teamStates = .passUnretained(team.states)
    if team.division.leavesClaimed { teamClaims = .passUnretained(team.claims) }
    // Members with the same order would be likely to reach the same states at the same time.
    firstInOrder = number % cpuCount
  }

  /// True if the member has a stack, or a task that it has not started.
  var isBusy: Bool { membership?.isNew == true || !nodes.isEmpty }

  /// True if the member has work that need not wait for other members.
  var canContinue: Bool {
    guard isBusy, let membership else { return false }
    return membership.isNew || !isWaiting
      || membership.handedOver.contains {
        $0.node == nodes.count - 1 && $0.task.isDone
      }
  }

  /// True if everything left to try at the top node was given away.
  private var isWaiting: Bool {
    guard let membership, !nodes.isEmpty else { return false }
    return isFinished(nodes.count - 1) && membership.isWaiting(at: nodes.count - 1)
  }

  /// True if nothing is left to try at a node by this member.
  private func isFinished(_ index: Int) -> Bool {
    let node = nodes[index]
    return node.choice >= Int(node.choiceCount) && node.left.isEmpty
  }

  // MARK: A round

  /// Takes `turns` transitions, or fewer if the member runs out of work or must wait.
  func playRound(_ turns: Int) {
    guard let membership else { return }
    membership.isDone = false
    if membership.isNew, let task = membership.task {
      membership.isNew = false
      begin(task)
    }
    pauseAt = statistics.transitions + turns
    ending = explore(from: membership.base)
    if ending == nil, nodes.isEmpty || statistics.transitions < pauseAt, !isWaiting {
      membership.isDone = true
      if let task = membership.task { complete(task) }
    }
    for index in 0..<log.count {
      let entry = log.pointer(to: index)
      entry.pointee.set = UInt32(summaries.publish(Int(entry.pointee.set)))
    }
    matching?.publishLog()
  }

  /// Joins a finished task that was given away at the top node; returns false if there is none.
  func joinTask() -> Bool {
    let top = nodes.count - 1
    guard let membership,
      let index = membership.handedOver.lastIndex(where: { $0.node == top && $0.task.isDone })
    else { return false }
    let task = membership.handedOver.remove(at: index).task
    if let sleeper = task.sleeper {
      note(sleeper, at: top)
      nodes.pointer(to: top).pointee.lent.remove(sleeper.cpu)
      nodes.pointer(to: top).pointee.done.insert(sleeper.cpu)
    }
    for index in task.additions.indices { add(task.additions[index], at: index) }
    let set = adopt(task.summary)
    if !omitted.contains(.taskReads) { matching?.merge(summaries.reads(set), 0, intoRow: top) }
    let row = summaries.row(set)
    let target = ranBelow.pointer(to: top * summaries.stride)
    for word in 0..<summaries.stride { target[word] |= row[word] }
    return true
  }

  /// True at a node that has nothing left to try, if the member cannot leave it in this round.
  func mustStay(at base: Int) -> Bool {
    let top = nodes.count - 1
    guard let membership else { return false }
    return membership.isWaiting(at: top) || (membership.task != nil && top == base)
  }

  // MARK: Taking a task

  /// Leads the system to the start of a task.
  ///
  /// Races with events of the path are returned in the task; the giver adds them to its own stack,
  /// whose nodes stay open until the task is done.
  private func begin(_ task: SharedTask) {
    // The first member found no violation in this trial, so none is found here.
    if knowledge.count == 0 { _ = lookAhead() }
    for node in task.path.dropLast() { enter(node) }
    open(task)
    // What is read on the way is no part of the task.
    matching?.discardReads()
  }

  /// Stores the results of a task in it, and takes the system back to its initial state.
  private func complete(_ task: SharedTask) {
    let last = task.path.count - 1
    task.summary = publish(rowOf: last)
    task.sleeper = sleeper(nodes.last.cpu, at: last)
    task.additions = task.path.indices.map { index in
      nodes[index].backtrack.subtracting(task.path[index].backtrack)
    }
    happensBefore.unwind(system)
    touched.stackChanged(to: 0)
    nodes.removeAll()
    ranBelow.removeAll()
    enablers.removeAll()
  }

  /// Takes the step of a node of the path.
  private func enter(_ node: SharedTask.Node) {
    append(node)
    footprint.removeAll()
    system.addFootprint(of: node.cpu, to: footprint)
    nodes.pointer(to: nodes.count - 1).pointee.step = numberOfStep(node.cpu)
    happensBefore.push(node.cpu, footprint)
    touched.stackChanged(to: happensBefore.count)
    _ = system.step(node.cpu, choice: node.choice)
  }

  private func append(_ node: SharedTask.Node) {
    clearRow(nodes.count)
    matching?.live.clear(row: nodes.count)
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

  /// A CPU asleep or done at a node, in shared numbers for other members.
  private func sleeper(_ cpu: Int, at index: Int) -> SharedTask.Sleeper {
    let place = index * cpuCount + cpu
    return SharedTask.Sleeper(
      cpu: cpu, step: Int(sleeperSteps[place]),
      set: UInt32(summaries.publish(Int(sleeperSets[place]))))
  }

  /// Takes over another member's entry for a CPU asleep or done at a node.
  private func note(_ sleeper: SharedTask.Sleeper, at index: Int) {
    let place = index * cpuCount + sleeper.cpu
    knowledge.enter(upTo: sleeper.step, of: summaries)
    sleeperSteps[place] = Int32(truncatingIfNeeded: sleeper.step)
    sleeperSets[place] = Int32(truncatingIfNeeded: adopt(sleeper.set))
  }

  /// The shared number of the set in a row.
  private func publish(rowOf index: Int) -> UInt32 {
    let set = intern(index, CPUSet())
    return UInt32(summaries.publish(set))
  }

  /// This member's number for a set that another member may have found.
  func adopt(_ shared: UInt32) -> Int {
    let set = summaries.adopt(Int(shared)) { lengthenRows() }
    if summaries.stepCount > 0 { knowledge.enter(upTo: summaries.stepCount - 1, of: summaries) }
    return set
  }

  // MARK: Giving tasks

  /// Gives away a step left to try at the node nearest to the start: likely the largest task.
  func give() -> SharedTask? {
    guard let membership, !membership.isNew else { return nil }
    for index in membership.base..<max(nodes.count, membership.base) {
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
        enablers: (0..<(index + 1) * cpuCount).map { enablers[$0] })
      membership.handedOver.append(TeamMembership.HandedOver(node: index, task: task))
      return task
    }
    return nil
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

  // MARK: Progress

  /// The explored share of the member's task; of the whole search for the first member.
  ///
  /// It is estimated from the stack. A task given away counts with its own explored share.
  var exploredInTeam: Double? {
    guard let membership, !nodes.isEmpty else { return nil }
    var part = ExploredPart(ratio: ExploredPart.reducedRatio)
    var sum = 0.0
    let base = membership.task.map(\.path.count) ?? 0
    for index in base..<max(nodes.count, base) where !part.isSettled {
      let tasks = membership.handedOver.filter { $0.node == index }.map(\.task)
      let shares = add(index, to: &part, lent: tasks.count)
      for (task, share) in zip(tasks.reversed(), shares) where !task.isDone {
        sum -= share * (1 - (task.taker?.exploredInTeam ?? 0))
      }
    }
    return min(max(part.explored + sum, 0), 1)
  }
}
