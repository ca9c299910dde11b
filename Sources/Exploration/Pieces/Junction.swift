// A state that several pieces of a search share.

import GracewalkSupport

/// A state whose branches are divided among pieces.
final class Junction {
  /// A step that a piece has begun with.
  struct Begun {
    var cpu: Int
    /// As far as is known: a choice that is left to others tells.
    var choiceCount: Int
  }

  let parent: Junction?
  /// The step that leads here from the parent; nil for the initial state.
  let step: Schedule.Step?
  let depth: Int
  /// The sets of the state; a CPU is asleep as soon as a piece begins with its step.
  var node: SourceSearch.Node
  /// In order.
  private(set) var begun: [Begun]
  /// Choices left of a step whose first ones are explored by another piece.
  private(set) var choicesLeft: [Piece.Branch] = []
  /// True while it is in the team's list of those with branches.
  var isOpen = false
  /// Its place in a saved search, while that is written.
  var number: Int?

  /// - Parameter node: where the first step that pieces begin with has been chosen.
  init(_ node: SourceSearch.Node, below parent: Junction?, by step: Schedule.Step?) {
    self.node = node
    self.parent = parent
    self.step = step
    depth = (parent?.depth ?? -1) + 1
    begun = [Begun(cpu: node.cpu, choiceCount: max(node.choiceCount, 1))]
  }

  init(
    _ node: SourceSearch.Node, below parent: Junction?, by step: Schedule.Step?, begun: [Begun],
    choicesLeft: [Piece.Branch]
  ) {
    self.node = node
    self.parent = parent
    self.step = step
    depth = (parent?.depth ?? -1) + 1
    self.begun = begun
    self.choicesLeft = choicesLeft
  }

  var hasBranches: Bool { !choicesLeft.isEmpty || !left.isEmpty }

  /// CPUs with which no piece has begun yet.
  private var left: CPUSet { node.backtrack.subtracting(node.sleep) }

  /// The states from the initial one to this.
  var trail: [Junction] {
    var trail = [self]
    while let parent = trail[trail.count - 1].parent { trail.append(parent) }
    return trail.reversed()
  }

  /// Adds choices of a step that another piece has begun.
  func add(_ branch: Piece.Branch, of choiceCount: Int) {
    choicesLeft.append(branch)
    for index in begun.indices where begun[index].cpu == branch.cpu {
      begun[index].choiceCount = choiceCount
    }
  }

  /// Removes the next branch, of which there is one.
  ///
  /// Its step is asleep in the branches that are taken later.
  func takeBranch() -> Piece.Branch {
    if !choicesLeft.isEmpty { return choicesLeft.removeFirst() }
    let cpu = left.lowest
    begun.append(Begun(cpu: cpu, choiceCount: 1))
    defer { node.sleep.insert(cpu) }
    return Piece.Branch(cpu: cpu, choice: 0, sleep: node.sleep)
  }

  // MARK: Progress

  /// The share of the whole search below this state, as `ExploredPart` divides it.
  var share: Double {
    guard let parent, let step else { return 1 }
    return parent.share * parent.share(of: step.cpu) / Double(parent.choiceCount(of: step.cpu))
  }

  /// Of this state's share, that of a step that pieces have begun with.
  func share(of cpu: Int) -> Double {
    guard let index = begun.firstIndex(where: { $0.cpu == cpu }) else { return 0 }
    return weight(node.exploredCount + index) / total
  }

  /// The choices of a step that pieces have begun with, as far as is known.
  func choiceCount(of cpu: Int) -> Int { begun.first { $0.cpu == cpu }?.choiceCount ?? 1 }

  /// Of this state's share, that which no piece has begun.
  var shareLeft: Double {
    var sum = 0.0
    for index in 0..<left.count { sum += weight(node.exploredCount + begun.count + index) / total }
    for branch in choicesLeft {
      let count = choiceCount(of: branch.cpu)
      sum += share(of: branch.cpu) * Double(max(count - branch.choice, 0)) / Double(count)
    }
    return sum
  }

  private func weight(_ index: Int) -> Double {
    var weight = 1.0
    for _ in 0..<index { weight *= ExploredPart.reducedRatio }
    return weight
  }

  /// The sum of the weights of all known branches.
  private var total: Double {
    let known = node.exploredCount + begun.count + left.count
    return (1 - weight(known)) / (1 - ExploredPart.reducedRatio)
  }
}
