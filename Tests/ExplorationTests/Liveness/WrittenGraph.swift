// A graph of states as a literal.

import GracewalkExploration
import GracewalkSupport

/// For each state its edges, in the order of CPUs.
final class WrittenGraph: TransitionSystem {
  private let edges: [[(cpu: Int, target: Int)]]
  private let cpus: Int
  private var path = [0]

  init(cpus: Int, _ edges: [[(cpu: Int, target: Int)]]) {
    self.cpus = cpus
    self.edges = edges
    super.init()
  }

  private var here: [(cpu: Int, target: Int)] { edges[path[path.count - 1]] }

  override var cpuCount: Int { cpus }
  override func enabledCPUs() -> CPUSet {
    here.reduce(CPUSet()) { $0.union(CPUSet($1.cpu)) }
  }
  override func choiceCount(of cpu: Int) -> Int { here.count { $0.cpu == cpu } }
  override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    path.append(here.filter { $0.cpu == cpu }[choice].target)
    return .clean
  }
  override func undo() { path.removeLast() }
  override func judgeEnd() -> StepOutcome { .clean }
  override var stateKey: UInt64 { UInt64(path[path.count - 1]) }
  override func addExactState(to words: GrowableBuffer<UInt64>) { words.append(stateKey) }
}
