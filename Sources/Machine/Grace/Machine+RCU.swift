// RCU callbacks and barriers; sections and waits are in Machine+Grace.swift.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The key of a queued callback's body.
  var callbackKey: UInt64 {
    get { b }
    set { b = newValue }
  }
}

extension Machine {
  func performCallback(_ callback: Action.Callback, _ action: Action, by cpu: Int) -> UInt64 {
    switch callback {
    case .call:
      queueCallback(action.callbackKey, by: cpu)
      return 0
    case .callbackStart:
      let owner = cpus[cpu].callbackOwner
      let next = memory[layout.callbacksStarted(owner)]
      memory[layout.callbacksStarted(owner)] = next + 1
      return memory[layout.callbackKey(owner, Int(next))]
    case .callbackEnd:
      reportHeldByCallback(cpu)
      memory[layout.callbacksFinished(cpus[cpu].callbackOwner)] += 1
      return 0
    case .barrierStart:
      reportBlocking(cpu)
      for other in 0..<layout.cpuCount {
        memory[layout.barrierTarget(cpu, other)] = memory[layout.callbacksQueued(other)]
      }
      return 0
    case .barrierEnd: return 0
    }
  }

  /// Ends a CPU's section for every queued callback; `others` is every CPU except that one.
  func leaveForCallbacks(_ others: UInt64) {
    for waiting in 0..<layout.cpuCount {
      let queued = Int(memory[layout.callbacksQueued(waiting)])
      for index in Int(memory[layout.callbacksStarted(waiting)])..<queued {
        memory[layout.callbackReaders(waiting, index)] &= others
      }
    }
  }

  private func queueCallback(_ key: UInt64, by cpu: Int) {
    let owner = cpus[cpu].callbackOwner
    guard case .program(let program) = cpus[owner].role, program.usesCallbacks else {
      fail(.capacity("\(name(ofCPU: cpu)) queues a callback but is not declared to use callbacks"))
      return
    }
    let index = Int(memory[layout.callbacksQueued(owner)])
    let most = layout.callbacksPerCPU
    guard index < most else {
      fail(
        .capacity(
          "\(name(ofCPU: owner)) queues more than \(most) callbacks; give the scenario room for "
            + "more with Scenario(capacity:)"))
      return
    }
    var readers = readers(in: graceDomain)
    if layout.bufferedCPUs > 0 {
      readers |= markPending(in: graceDomain, callback: index, of: owner, by: cpu).bits
    }
    memory[layout.callbacksQueued(owner)] = UInt64(index + 1)
    memory[layout.callbackKey(owner, index)] = key
    memory[layout.callbackReadersAtCall(owner, index)] = readers
    memory[layout.callbackReaders(owner, index)] = readers
  }

  func addCallback(_ callback: Action.Callback, by cpu: Int, to footprint: Footprint) {
    let owner = cpus[cpu].callbackOwner
    switch callback {
    case .call:
      addSectionWords(graceDomain, ~0, footprint)
      footprint.write(layout.callbacksQueued(owner))
      let index = Int(memory[layout.callbacksQueued(owner)])
      if index < layout.callbacksPerCPU {
        footprint.write(layout.callbackKey(owner, index), .releases)
      }
    case .callbackStart:
      let next = Int(memory[layout.callbacksStarted(owner)])
      guard next < layout.callbacksPerCPU else { return }
      footprint.read(layout.callbackKey(owner, next), .blocks)
      let readers = memory[layout.callbackReadersAtCall(owner, next)]
      addSectionWords(graceDomain, readers, footprint, .blocks)
      addBuffers(of: readers, to: footprint, writes: false)
    case .callbackEnd:
      let index = Int(memory[layout.callbacksFinished(owner)])
      footprint.write(layout.callbackEnd(owner, index), .releases)
    case .barrierStart:
      for other in 0..<layout.cpuCount { footprint.read(layout.callbacksQueued(other)) }
    case .barrierEnd:
      // Callbacks of one CPU run in order, so waiting for the last covers all.
      for other in 0..<layout.cpuCount where memory[layout.barrierTarget(cpu, other)] > 0 {
        let last = Int(memory[layout.barrierTarget(cpu, other)]) - 1
        footprint.read(layout.callbackEnd(other, last), .blocks)
      }
    }
  }
}
