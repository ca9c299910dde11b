// The CPUs of a machine: those of programs, and those for their callbacks and MMUs.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// Makes the CPUs of a scenario, and the map from CPUs to those that run their callbacks.
  ///
  /// - Parameter callers: the CPUs that queue callbacks.
  func makeCPUs(_ callers: [Int]) -> ([MachineCPU], [Int: Int]) {
    var cpus: [MachineCPU] = []
    var callbackCPUs: [Int: Int] = [:]
    func add(_ name: String, _ role: CPURole) {
      cpus.append(MachineCPU(index: cpus.count, name: name, role: role, machine: self))
    }
    for program in scenario.programs { add(program.name, .program(program)) }
    for owner in callers {
      callbackCPUs[owner] = cpus.count
      add(Machine.callbackName(scenario.programs[owner].name), .callbacks(of: owner))
    }
    for program in scenario.programs {
      if let mmu = program.mmu, mmu.times > 0 {
        add(Machine.walkerName(program.name), .walker(mmu))
      }
    }
    for cpu in 0..<layout.bufferedCPUs {
      add(Machine.drainerName(cpus[cpu].name), .drainer(of: cpu))
    }
    return (cpus, callbackCPUs)
  }

  /// Runs the code of all CPUs to the first scheduling point, and judges the result.
  ///
  /// After a violation, the remaining CPUs have no node, since nothing more runs.
  func start() -> StepOutcome {
    var outcome = failure != nil ? .halted : judgeEvents()
    for cpu in cpus where outcome == .clean {
      cpu.code.begin()
      let root = addNode(of: cpu.index, from: LocalStates.none, observing: 0)
      let position = takeLocalActions(of: cpu.index, from: root)
      setPosition(of: cpu.index, to: position, from: LocalStates.none)
      outcome = failure != nil ? .halted : judgeEvents()
    }
    if orders != nil, outcome == .clean { closeOrder(after: nil) }
    memory.forgetChanges()
    return outcome == .clean ? judgeStep() : outcome
  }

  /// The node at which the code of a CPU stands, for whoever made the code.
  package func standing(of cpu: Int) -> LocalStates.Index {
    memory.wasReadAround = true
    return positions[cpu]
  }

  /// True if a CPU is in the middle of a walk or callback.
  func isInterrupted(leaving cpu: Int) -> Bool {
    switch cpus[cpu].role {
    case .program, .boot: return true
    case .drainer: return false
    case .callbacks: return node(of: cpu).pointee.action.kind != .callback(.callbackStart)
    case .walker:
      let node = self.node(of: cpu)
      switch node.pointee.action.kind {
      case .hardware(.walkStart), .hardware(.evict): return false
      case .choose:
        // Either which walk comes next or, within one, whether it sees the new value of an entry.
        let parent = localStates.parent(of: positions[cpu])
        return parent >= 0 && localStates[parent].pointee.operation == node.pointee.operation
      case .hardware, .finished, .cutOff, .access, .fence, .lock, .grace, .callback, .page, .slab,
        .context,
        .history, .handOver, .claim, .threw:
        return true
      }
    }
  }
}
