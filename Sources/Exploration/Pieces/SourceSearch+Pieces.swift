// Pieces of a search with source sets and sleep sets.

import GracewalkSupport

extension SourceSearch: PieceSearch {
  struct Place {
    /// The sets of the state; a CPU is asleep as soon as a piece begins with its step.
    var node: Node
    /// Choices left of a step whose first ones are explored by another piece.
    var choicesLeft: [Branch] = []
  }

  /// A step with one choice and those after it.
  struct Branch {
    var cpu: Int
    var choice: Int
    var sleep: CPUSet
  }

  /// CPUs one of which must be tried at a shared node, because of a race.
  struct Finding: BitwiseCopyable {
    var node: Int
    var initials: CPUSet
  }

  var depth: Int { nodes.count }

  func unwind() { happensBefore.unwind(system) }

  /// Keeps a finding until the end of the round, once.
  func note(_ finding: Finding) {
    for index in 0..<findings.count
    where findings[index].node == finding.node && findings[index].initials == finding.initials {
      return
    }
    findings.append(finding)
  }

  // MARK: In a round

  func start(_ branch: Branch) {
    let last = piece.trail.count - 1
    for index in goBack()..<last {
      guard let step = piece.trail[index + 1].step else { break }
      var node = piece.trail[index].place.node
      (node.cpu, node.choice) = (step.cpu, step.choice)
      nodes.append(node)
      willRetrace(step)
      let outcome = system.step(step.cpu, choice: step.choice)
      demand(outcome == .clean, "[internal] a path could not be gone along again")
    }
    var node = piece.trail[last].place.node
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

  func refresh() {
    for index in 0..<sharedCount {
      nodes.pointer(to: index).pointee.backtrack = piece.trail[index].place.node.backtrack
    }
  }

  // MARK: Between two rounds

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
      piece.trail.append(Junction(Place(node: nodes[sharedCount]), below: parent, by: step))
      sharedCount += 1
      giveChoices(at: sharedCount - 1)
      piece.trail[sharedCount - 1].place.node.sleep.insert(nodes[sharedCount - 1].cpu)
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
    piece.trail[index].place.choicesLeft.append(
      Branch(cpu: node.pointee.cpu, choice: next, sleep: node.pointee.sleep))
    node.pointee.choiceCount = next
  }

  func addFindings() {
    for index in 0..<findings.count {
      let finding = findings[index]
      piece.trail[finding.node].place.node.add(oneOf: finding.initials)
    }
    findings.removeAll()
  }

  static func hasBranches(_ place: Place) -> Bool {
    !place.choicesLeft.isEmpty || !place.node.backtrack.subtracting(place.node.sleep).isEmpty
  }

  static func takeBranch(of place: inout Place) -> Branch {
    if !place.choicesLeft.isEmpty { return place.choicesLeft.removeFirst() }
    let cpu = place.node.backtrack.subtracting(place.node.sleep).lowest
    defer { place.node.sleep.insert(cpu) }
    return Branch(cpu: cpu, choice: 0, sleep: place.node.sleep)
  }
}
