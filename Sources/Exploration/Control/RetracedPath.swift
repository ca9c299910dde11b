// The steps of a saved path that were taken again, to compare what was saved with them.

import GracewalkSupport

/// A state on a stack that has all CPUs enabled there, and how many choices its step has.
protocol ChoosingNode: SearchNode {
  var enabled: CPUSet { get }
  var choiceCount: Int { get }
}

/// Steps that were taken again, and what the system says about the state before each.
struct RetracedPath {
  private struct State {
    var step: Schedule.Step
    var enabled: CPUSet
    var choiceCount: Int

    /// True if the step that was taken at a saved node can be this one.
    func isStep(of node: some ChoosingNode) -> Bool {
      node.cpu == step.cpu && node.choice == step.choice && node.enabled == enabled
        && node.choice < node.choiceCount && node.choiceCount <= choiceCount
    }
  }

  private var states: [State] = []

  var isEmpty: Bool { states.isEmpty }

  var steps: [Schedule.Step] { states.map(\.step) }

  /// - Parameter system: in the state before the step.
  mutating func append(_ step: Schedule.Step, in system: TransitionSystem) {
    states.append(
      State(
        step: step, enabled: system.enabledCPUs(), choiceCount: system.choiceCount(of: step.cpu)))
  }

  /// True if saved nodes are those of the path, with one more on top.
  func leads(along nodes: GrowableBuffer<some ChoosingNode>) -> Bool {
    nodes.count == states.count + 1
      && states.indices.allSatisfy { states[$0].isStep(of: nodes[$0]) }
  }
}
