// What the pool of wakeup trees keeps true: a branch is in one list, or free for the next sequence.

import GracewalkSupport

extension WakeupTrees {
  /// Looks at all branches of a list, as long as the pool is small.
  @inline(__always)
  func checkInvariants(of list: Branch) {
    #if CHECKS_INVARIANTS
      if records.count <= 256 { checkTree(list) }
    #endif
  }
}

#if CHECKS_INVARIANTS
  extension WakeupTrees {
    private func checkTree(_ list: Branch) {
      var isMet = [Bool](repeating: false, count: records.count)
      var branch = freeList
      while branch != WakeupTrees.none {
        mustHold(!isMet[Int(branch)], "branch \(branch) is free once")
        isMet[Int(branch)] = true
        branch = records[Int(branch)].next
      }
      checkList(list, &isMet)
    }

    private func checkList(_ list: Branch, _ isMet: inout [Bool]) {
      var branch = list
      while branch != WakeupTrees.none {
        mustHold(!isMet[Int(branch)], "branch \(branch) is in one list, and not free")
        isMet[Int(branch)] = true
        let record = records[Int(branch)]
        mustHold(Int(record.step) < steps.count, "branch \(branch) has a step with a number")
        checkList(record.firstChild, &isMet)
        branch = record.next
      }
    }
  }
#endif
