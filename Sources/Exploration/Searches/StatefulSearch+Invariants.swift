// Invariants of the stack of a stateful search, checked wherever it chooses its next step.

import GracewalkSupport

extension StatefulSearch {
  @inline(__always)
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      checkSizes()
      checkSets(of: nodes.count - 1)
      checkSleepers(of: nodes.count - 1)
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension StatefulSearch {
    private func checkSizes() {
      let (rows, places) = (nodes.count * summaries.stride, nodes.count * cpuCount)
      mustHold(nodes.count == happensBefore.count + 1, "an event leads from each node to the next")
      mustHold(ranBelow.count >= rows, "each node has a row of steps")
      mustHold(enablers.count >= places, "each node knows who could enable whom")
      mustHold(pending.count >= places, "each node knows what CPUs are about to do")
      mustHold(disabledSteps.count >= places, "each node knows what disabled CPUs raced with")
      mustHold(knowledge.count >= summaries.stepCount, "all steps with numbers are compared")
    }

    private func checkSets(of index: Int) {
      let node = nodes[index]
      mustHold(node.backtrack.subtracting(node.enabled).isEmpty, "what is tried is enabled")
      mustHold(node.done.subtracting(node.backtrack).isEmpty, "what is done was to be tried")
      // Steps of CPUs asleep are independent of all steps taken since, so they are still enabled.
      mustHold(node.sleep.subtracting(node.enabled).isEmpty, "CPUs asleep are enabled")
      mustHold(node.done.isDisjoint(with: node.sleep), "no CPU is both done and asleep")
      summaries.eachStep(
        of: ranBelow.pointer(to: index * summaries.stride), words: summaries.stride
      ) {
        mustHold($0 < summaries.stepCount, "step \($0) of a row has a number")
      }
    }

    private func checkSleepers(of index: Int) {
      var left = nodes[index].sleep.union(nodes[index].done)
      while let cpu = left.popLowest() {
        let place = index * cpuCount + cpu
        let (step, set) = (Int(sleeperSteps[place]), Int(sleeperSets[place]))
        mustHold(step >= 0 && step < summaries.stepCount, "the step of CPU \(cpu) is known")
        mustHold(summaries.cpu(of: step) == cpu, "step \(step) is of CPU \(cpu)")
        mustHold(set >= 0 && set < summaries.setCount, "what ran below CPU \(cpu) is known")
      }
    }
  }
#endif
