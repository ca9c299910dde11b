// Read-copy-update: sections, grace periods, callbacks and barriers.

import Exploration
import Support

extension Machine {
  /// The CPUs that are in a read-side section.
  func openSections() -> UInt64 {
    var open = CPUSet()
    for cpu in 0..<layout.cpuCount where memory[layout.section(cpu)] & 1 == 1 { open.insert(cpu) }
    return open.bits
  }

  func performRCU(_ action: Action, by cpu: Int) -> UInt64 {
    switch action.kind {
    case .sectionEnter:
      memory[layout.section(cpu)] += 1
      return 0
    case .sectionLeave:
      leaveSection(cpu)
      return 0
    case .graceStart:
      let readers = openSections()
      if CPUSet(bits: readers).contains(cpu) { report(.blockedInSection, cpu) }
      memory[layout.graceReaders(cpu)] = readers
      return readers
    case .graceEnd: return 0
    case .call:
      queueCallback(action.b, by: cpu)
      return 0
    case .callbackStart:
      let owner = cpus[cpu].callbackOwner
      let next = memory[layout.callbacksStarted(owner)]
      memory[layout.callbacksStarted(owner)] = next + 1
      return memory[layout.callbackKey(owner, Int(next))]
    case .callbackEnd:
      memory[layout.callbacksFinished(cpus[cpu].callbackOwner)] += 1
      return 0
    case .barrierStart:
      if memory[layout.section(cpu)] & 1 == 1 { report(.blockedInSection, cpu) }
      for other in 0..<layout.cpuCount {
        memory[layout.barrierTarget(cpu, other)] = memory[layout.callbacksQueued(other)]
      }
      return 0
    default: return 0
    }
  }

  /// Ends the CPU's section, for every grace period that waits for it.
  ///
  /// The sets it is taken out of follow from who was in a section when they were made, so they are
  /// not objects of their own: the section's word stands for all of them in footprints.
  private func leaveSection(_ cpu: Int) {
    guard memory[layout.section(cpu)] & 1 == 1 else {
      report(.leftNoSection, cpu)
      return
    }
    // Counted, so that footprints can tell a CPU's sections apart; but a CPU that goes round must
    // be able to come back to a state, and where one may, nothing is reduced.
    memory[layout.section(cpu)] = turns == nil ? memory[layout.section(cpu)] + 1 : 0
    let others = ~CPUSet(cpu).bits
    for waiting in 0..<layout.cpuCount {
      memory[layout.graceReaders(waiting)] &= others
      let queued = Int(memory[layout.callbacksQueued(waiting)])
      for index in Int(memory[layout.callbacksStarted(waiting)])..<queued {
        memory[layout.callbackReaders(waiting, index)] &= others
      }
    }
    guard requirements.contains(.readersAtUnlink) else { return }
    eachAllocatedPage { memory[$0.base + Layout.readersOffset] &= others }
  }

  /// Calls `body` with every page that was ever allocated, in the order of their ids.
  func eachAllocatedPage(_ body: (TablePage) -> Void) {
    eachPage(of: layout.bootOwner, body)
    for cpu in 0..<layout.cpuCount { eachPage(of: cpu, body) }
  }

  private func eachPage(of owner: Int, _ body: (TablePage) -> Void) {
    for index in 0..<Int(memory[layout.pagesAllocated(owner: owner)]) {
      body(layout.page(owner: owner, index: index))
    }
  }

  private func queueCallback(_ key: UInt64, by cpu: Int) {
    let owner = cpus[cpu].callbackOwner
    guard case .program(let program) = cpus[owner].role, program.usesCallbacks else {
      fail(.capacity("\(name(ofCPU: cpu)) queues a callback but is not declared to use callbacks"))
      return
    }
    let index = Int(memory[layout.callbacksQueued(owner)])
    guard index < Layout.callbacksPerCPU else {
      let most = Layout.callbacksPerCPU
      fail(.capacity("\(name(ofCPU: owner)) queues more than \(most) callbacks"))
      return
    }
    let readers = openSections()
    memory[layout.callbacksQueued(owner)] = UInt64(index + 1)
    memory[layout.callbackKey(owner, index)] = key
    memory[layout.callbackReadersAtCall(owner, index)] = readers
    memory[layout.callbackReaders(owner, index)] = readers
  }

  func addRCU(_ action: Action, by cpu: Int, to footprint: Footprint) {
    let owner = cpus[cpu].callbackOwner
    switch action.kind {
    case .sectionEnter: footprint.write(layout.section(cpu))
    case .sectionLeave:
      // Who waits for the CPU's first section cannot go on before this; who waits for an earlier
      // section than the one that ends here can.
      let isFirst = turns == nil && memory[layout.section(cpu)] == 1
      footprint.write(layout.section(cpu), isFirst ? .releases : .plain)
    case .graceStart: addSections(~0, footprint)
    case .graceEnd: addSections(action.a, footprint, .blocks)
    case .call:
      addSections(~0, footprint)
      footprint.write(layout.callbacksQueued(owner))
      let index = Int(memory[layout.callbacksQueued(owner)])
      if index < Layout.callbacksPerCPU {
        footprint.write(layout.callbackKey(owner, index), .releases)
      }
    case .callbackStart:
      let next = Int(memory[layout.callbacksStarted(owner)])
      guard next < Layout.callbacksPerCPU else { return }
      footprint.read(layout.callbackKey(owner, next), .blocks)
      addSections(memory[layout.callbackReadersAtCall(owner, next)], footprint, .blocks)
    case .callbackEnd:
      let index = Int(memory[layout.callbacksFinished(owner)])
      footprint.write(layout.callbackEnd(owner, index), .releases)
    case .barrierStart:
      for other in 0..<layout.cpuCount { footprint.read(layout.callbacksQueued(other)) }
    case .barrierEnd:
      // Callbacks of one CPU run in order, so the last one waited for stands for all.
      for other in 0..<layout.cpuCount where memory[layout.barrierTarget(cpu, other)] > 0 {
        let last = Int(memory[layout.barrierTarget(cpu, other)]) - 1
        footprint.read(layout.callbackEnd(other, last), .blocks)
      }
    default: break
    }
  }
}
