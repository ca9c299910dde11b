// Final states in terms that all memory models share.

import GracewalkSupport

extension Machine {
  /// True if every CPU that runs a program or callbacks has nothing left to do.
  package var haveAllEnded: Bool {
    (0..<layout.cpuCount).allSatisfy { hasEnded($0) } && cutOffCPUs.isEmpty
  }

  /// A hash of what code can see of the state: words, pages, and what each CPU has observed.
  ///
  /// Unlike the state key it is the same under all memory models.
  package var outcomeKey: UInt64 {
    memory.wasReadAround = true
    var key: UInt64 = 0
    func add(_ cell: UInt32) {
      if memory[cell] != 0 { key &+= StableHash.share(of: memory[cell], at: UInt64(cell)) }
    }
    for cell in 1..<max(scenario.nextCell, 1) { add(cell) }
    eachAllocatedPage { page in
      for offset in 0..<(Layout.pageHeader + UInt32(layout.geometry.entries)) {
        add(page.base + offset)
      }
    }
    let programs = scenario.programs.count + callbackCPUs.count
    for cpu in 0..<programs {
      key &+= StableHash.share(of: node(of: cpu).pointee.localHash, at: ~UInt64(cpu))
    }
    return key
  }
}
