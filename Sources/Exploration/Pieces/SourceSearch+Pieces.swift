// Pieces of a search with source sets and sleep sets.

import GracewalkSupport

extension SourceSearch {
  var depth: Int { nodes.count }

  /// Undoes all steps.
  func unwind() { happensBefore.unwind(system) }

  /// Keeps a finding until the end of the round, once.
  func note(_ finding: Piece.Finding) {
    for index in 0..<findings.count
    where findings[index].node == finding.node && findings[index].initials == finding.initials {
      return
    }
    findings.append(finding)
  }

  // MARK: In a round

  /// True if it is in no round, or has played its part of it.
  var hasReachedGoal: Bool {
    guard let goal = piece.goal else { return true }
    return piece.isDone || piece.ending != nil || statistics.transitions >= goal
  }

  /// Goes on until its part of the round is played, or so many executions have begun.
  func playPart(executions: Int) {
    guard let goal = piece.goal else { return }
    if let branch = piece.branch {
      piece.branch = nil
      start(branch)
    }
    refresh()
    let most = statistics.executionsBegun.addingReportingOverflow(executions)
    piece.ending = explore(until: goal, executions: most.overflow ? .max : most.partialValue)
  }

  /// Goes to the last shared state of a new piece, and prepares to take its branch.
  func start(_ branch: Piece.Branch) {
    let last = piece.trail.count - 1
    for index in goBack()..<last {
      guard let step = piece.trail[index + 1].step else { break }
      var node = piece.trail[index].node
      (node.cpu, node.choice, node.choiceCount) = (step.cpu, step.choice, step.choice + 1)
      nodes.append(node)
      happensBefore.retrace(step.cpu, of: system)
      let outcome = system.step(step.cpu, choice: step.choice)
      demand(outcome == .clean, "[internal] a path could not be gone along again")
    }
    var node = piece.trail[last].node
    (node.cpu, node.choice, node.sleep) = (branch.cpu, branch.choice, branch.sleep)
    node.choiceCount = system.choiceCount(of: branch.cpu)
    nodes.append(node)
    sharedCount = piece.trail.count
  }

  /// Undoes the steps that do not lead to the piece, and returns the number of those that do.
  private func goBack() -> Int {
    var kept = 0
    while kept < happensBefore.count, kept + 1 < piece.trail.count,
      let step = piece.trail[kept + 1].step, nodes[kept].cpu == step.cpu,
      nodes[kept].choice == step.choice
    {
      kept += 1
    }
    while happensBefore.count > kept {
      system.undo()
      happensBefore.pop()
    }
    nodes.truncate(to: kept)
    return kept
  }

  /// Takes over what others have found about the shared states in earlier rounds.
  func refresh() {
    for index in 0..<sharedCount {
      nodes.pointer(to: index).pointee.backtrack = piece.trail[index].node.backtrack
    }
  }

  // MARK: Between two rounds

  /// Shares the states up to the first one at which something is left to explore, below those that
  /// are shared already; false if there is none.
  func share() -> Bool {
    // The step of the top node has not been taken.
    let first = (max(sharedCount - 1, 0)..<max(nodes.count - 1, 0)).first { isAnythingLeft(at: $0) }
    guard let first else { return false }
    if sharedCount > 0 { giveChoices(at: sharedCount - 1) }
    while sharedCount <= first {
      let parent = piece.trail.last
      let step = parent.map { _ in
        let before = nodes[sharedCount - 1]
        return Schedule.Step(cpu: before.cpu, choice: before.choice)
      }
      piece.trail.append(Junction(nodes[sharedCount], below: parent, by: step))
      sharedCount += 1
      giveChoices(at: sharedCount - 1)
      piece.trail[sharedCount - 1].node.sleep.insert(nodes[sharedCount - 1].cpu)
    }
    return true
  }

  private func isAnythingLeft(at index: Int) -> Bool {
    let node = nodes[index]
    if node.choice + 1 < node.choiceCount { return true }
    if index < sharedCount { return false }
    return !node.backtrack.subtracting(node.sleep).subtracting(CPUSet(node.cpu)).isEmpty
  }

  /// Leaves the choices after the present one at a shared node to others.
  private func giveChoices(at index: Int) {
    let node = nodes.pointer(to: index)
    let next = node.pointee.choice + 1
    guard next < node.pointee.choiceCount else { return }
    piece.trail[index].add(
      Piece.Branch(cpu: node.pointee.cpu, choice: next, sleep: node.pointee.sleep),
      of: node.pointee.choiceCount)
    node.pointee.choiceCount = next
  }

  /// Adds what was found in the round about shared states to them.
  func addFindings() {
    for index in 0..<findings.count {
      let finding = findings[index]
      piece.trail[finding.node].node.add(oneOf: finding.initials)
    }
    findings.removeAll()
  }

  /// The share of the whole search that is left in the piece.
  var shareLeft: Double {
    if piece.isDone { return 0 }
    guard let last = piece.trail.last else { return 1 - (explored ?? 1) }
    if let branch = piece.branch {
      let count = max(last.choiceCount(of: branch.cpu), branch.choice + 1)
      return last.share * last.share(of: branch.cpu) * Double(count - branch.choice) / Double(count)
    }
    let node = nodes[sharedCount - 1]
    let count = max(last.choiceCount(of: node.cpu), node.choiceCount)
    let left = Double(node.choiceCount - node.choice) - explored(from: sharedCount)
    return last.share * last.share(of: node.cpu) * max(left, 0) / Double(count)
  }
}
