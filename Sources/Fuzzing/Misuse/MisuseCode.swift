// The code of a model that misuses the API: an interpreter of random steps.

import GracewalkMachine

/// Runs steps on a CPU.
struct MisuseCode {
  struct Thrown: Error, CustomStringConvertible {
    var description: String { "thrown \u{1B}[31mon purpose\n" }
  }

  private let cpu: VirtualCPU
  private let own: MisuseObjects
  private let foreign: MisuseObjects
  private let ownerID: Int

  init(_ cpu: VirtualCPU, _ own: MisuseObjects, _ foreign: MisuseObjects, _ ownerID: Int) {
    self.cpu = cpu
    self.own = own
    self.foreign = foreign
    self.ownerID = ownerID
  }

  func run(_ steps: [MisusePlan.Step]) throws -> Int {
    var page: TablePage?
    var result = 0
    for step in steps {
      do { result = try take(step, &page) } catch { if !step.swallows { throw error } }
    }
    return result
  }

  private func take(_ step: MisusePlan.Step, _ page: inout TablePage?) throws -> Int {
    let objects = step.isForeign ? foreign : own
    let table = page ?? objects.root
    switch step.kind {
    case 0..<12: return try access(step, objects.words[step.b & 1 % objects.words.count])
    case 12..<26: return try access(step, table[step.a])
    case 26: page = try cpu.allocateTable()
    case 27: page = cpu.table(at: Descriptor(bits: try cpu.load(table[step.a], .acquire)))
    case 28:
      try cpu.store(objects.root[step.b], Descriptor.table(page ?? table).bits, .release)
    case 29: try cpu.free(table)
    case 30: try cpu.putPage(table)
    case 31: try cpu.publish(table)
    case 32: try cpu.getPage(table)
    case 33..<40: try synchronise(step, objects)
    case 40..<52: return try hardware(step, objects, table)
    default: return try other(step, objects, &page)
    }
    return step.kind
  }

  private func access(_ step: MisusePlan.Step, _ word: Location) throws -> Int {
    switch step.kind % 12 {
    case 0, 1: try cpu.store(word, step.value, .relaxed)
    case 2:
      return Int(truncatingIfNeeded: try cpu.exchange(word, step.value, .acquireRelease))
    case 3:
      let found = try cpu.compareExchange(
        word, expected: UInt64(step.a & 3), desired: step.value, .acquire)
      return found.exchanged ? 1 : 0
    case 4:
      return Int(
        truncatingIfNeeded: try cpu.fetchAdd(word, Int64(truncatingIfNeeded: step.a), .relaxed))
    case 5: return try cpu.incrementUnlessZero(word, .relaxed) ? 1 : 0
    case 6: try cpu.wait(until: word, .bits(step.value, equal: UInt64(step.b & 1)))
    case 7: try cpu.wait(until: word, .differs(from: step.value))
    case 8 where step.a & 1 == 1:
      return Int(truncatingIfNeeded: try cpu.fetchXor(word, step.value, .relaxed))
    case 8: return Int(truncatingIfNeeded: try cpu.rcuDereference(word))
    default: return Int(truncatingIfNeeded: try cpu.load(word, .relaxed))
    }
    return 0
  }

  private func synchronise(_ step: MisusePlan.Step, _ objects: MisuseObjects) throws {
    switch (step.kind + step.a & 15) % 16 {
    case 0: try cpu.lock(objects.lock)
    case 1: if try !cpu.tryLock(step.b & 1 == 0 ? objects.lock : objects.root.lock) { return }
    case 2, 3: try cpu.unlock(objects.lock)
    case 4: try cpu.readLock(objects.readWriteLock)
    case 5: try cpu.readUnlock(objects.readWriteLock)
    case 6: try cpu.writeLock(objects.readWriteLock)
    case 7 where step.b & 1 == 1: try cpu.downgrade(objects.readWriteLock)
    case 7: try cpu.writeUnlock(objects.readWriteLock)
    case 8: for _ in 0..<(step.b == 2 ? 300 : 1) { try cpu.rcuReadLock() }
    case 9: try cpu.rcuReadUnlock()
    case 10: for _ in 0..<(step.b == 2 ? 300 : 1) { try cpu.maskInterrupts() }
    case 11: try cpu.unmaskInterrupts()
    case 12: try cpu.synchronizeRCU()
    case 13: try cpu.interruptOthers()
    case 14: try cpu.rcuBarrier()
    default: try cpu.callRCU { cpu in _ = try cpu.load(objects.words[0], .relaxed) }
    }
  }

  private func hardware(
    _ step: MisusePlan.Step, _ objects: MisuseObjects, _ table: TablePage
  ) throws -> Int {
    switch step.kind {
    case 40, 41: return Int(truncatingIfNeeded: try cpu.guestRead(step.a).code)
    case 42, 43: return Int(truncatingIfNeeded: try cpu.guestWrite(step.a).code)
    case 44:
      try cpu.store(table[step.b], Descriptor.page(step.a).bits, .relaxed)
    case 45:
      try cpu.store(table[step.b], Descriptor.block(step.a, writable: false).bits, .relaxed)
    case 46: try cpu.tlbi(.address(step.a), of: table)
    case 47: try cpu.tlbi(.range(step.a, count: step.b), of: table)
    case 48: try cpu.tlbi(.address(step.a).level(step.b).local, of: table)
    case 49: try cpu.dsb()
    case 50:
      if let frame = objects.frames.first {
        try cpu.handOver(frame, to: step.b == 0 ? objects.owner : .nobody)
      }
    default:
      if let frame = objects.frames.last {
        let owners = [.guest, .nobody, FrameOwner(id: ownerID, name: "somebody")]
        try cpu.handOver(frame, to: owners[min(max(ownerID, 0), 2)])
        try cpu.store(frame.content, step.value, .relaxed)
        try cpu.store(frame.owner, step.value, .relaxed)
      }
    }
    return 0
  }

  private func other(
    _ step: MisusePlan.Step, _ objects: MisuseObjects, _ page: inout TablePage?
  ) throws -> Int {
    switch step.kind {
    case 52:
      if let slab = objects.slab { page = try cpu.allocate(from: slab) }
    case 53:
      if let slab = own.slab { try cpu.free(page ?? (objects.slab ?? slab)[step.b], to: slab) }
    case 54:
      if let slab = objects.slab {
        step.b == 0 ? try cpu.shrink(slab) : try cpu.publish(slab[step.a])
      }
    case 55:
      if let context = objects.context {
        step.b == 0 ? try cpu.release(context) : try cpu.use(context)
      }
    case 56: return try choose(step)
    case 57: return own.geometry.index(of: step.a, at: step.b)
    case 58:
      let word = objects.words[0]
      try cpu.repeatUntilDone { () throws(Abandoned) -> Bool? in
        let found = try cpu.load(word, .relaxed)
        return found == step.value ? true : nil
      }
    default:
      if step.b == 2 { throw Thrown() }
      let address = objects.root.address(ofEntry: step.a)
      return try cpu.entry(at: address).map { Int(truncatingIfNeeded: try cpu.load($0, .relaxed)) }
        ?? -1
    }
    return 0
  }

  /// A choice with many branches takes many executions, so only a few are left to the search.
  private func choose(_ step: MisusePlan.Step) throws -> Int {
    if step.swallows {
      // Code that ignores being abandoned.
      while step.a != 1 { _ = try? cpu.load(own.words[0], .relaxed) }
    }
    return try cpu.choose(step.a)
  }
}
