// Invariants of a graph of states: edges are contiguous, in the order of CPUs and choices.

import GracewalkSupport

extension StateGraph {
  @inline(__always)
  func checkInvariants(of state: Int) {
    #if CHECKS_INVARIANTS
      var last = (cpu: -1, choice: -1)
      var cpus = CPUSet()
      for edge in edges(of: state) {
        let step = self[edge].step
        let isNext = step.cpu == last.cpu ? step.choice == last.choice + 1 : step.choice == 0
        mustHold(step.cpu >= last.cpu && isNext, "the edges of state \(state) are in order")
        mustHold(step.cpu < cpuCount, "an edge of a CPU that there is not")
        cpus.insert(step.cpu)
        last = (step.cpu, step.choice)
      }
      mustHold(
        cpus.subtracting(enabled(in: state)).isEmpty,
        "state \(state) has edges of enabled CPUs alone")
    #endif
  }
}
