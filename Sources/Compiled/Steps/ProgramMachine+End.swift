// Judging a state in which no thread can go on.

import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  func judgeFinalState() {
    // Stores that would have to become visible before each other are of no execution.
    if let weak, weak.order.cpus.contains(where: \.hasPendingStore) { return }
    if options.countsReadsFrom { readsFrom.insert(historyHash()) }
    var (assumed, spinning, waiting, cut) = (false, false, false, false)
    let exits = { (cpu: Int) in self.threads[self.word(cpu, ThreadWord.flags)] & Flag.exited != 0 }
    if (0..<threadCount).contains(where: exits) {
      // The process has ended, whatever its other threads were doing.
      return endings.complete += 1
    }
    var hopeless: [Int] = []
    for cpu in 0..<threadCount where status(of: cpu) != Status.absent {
      let request = point(of: cpu).pointee.request
      if status(of: cpu) == Status.spinning {
        spinning = true
        if waitsForever(cpu) { hopeless.append(cpu) }
        continue
      }
      switch request.kind {
      case .ended: break
      case .cut: cut = true
      case .blocked: assumed = true
      case .start: waiting = true
      default:
        if request.kind.isWait {
          waiting = true
        } else if deadEnd(cpu) == .assumption {
          assumed = true
        } else {
          spinning = true
          if waitsForever(cpu) { hopeless.append(cpu) }
        }
      }
    }
    if assumed { return endings.assumed += 1 }
    if !options.outcomeGlobals.isEmpty, hopeless.count == spinningCount { noteOutcome() }
    if spinning {
      endings.spinning += 1
      guard options.findsLivelocks, !cut, let cpu = hopeless.first, hopeless.count == spinningCount
      else { return }
      return fail(
        Finding(.livelock, "thread \(cpu) waits in a loop for something that never happens"), cpu,
        point(of: cpu).pointee.request.place)
    }
    guard waiting else {
      endings.complete += 1
      if options.collectsMemories { memories.insert(memoryHash()) }
      if options.findsLeaks { judgeLeaks() }
      return
    }
    endings.deadlocked += 1
    guard options.findsDeadlocks, !cut else { return }
    reportDeadlock()
  }

  /// Takes note of what is in some globals, and of the threads that cannot go on.
  private func noteOutcome() {
    var outcome: [UInt64] = []
    for (number, global) in image.globals.enumerated()
    where options.outcomeGlobals.contains(global.name) {
      guard let region = Region.number(of: Region.address(ofGlobal: number)) else { continue }
      let record = layout.record(ofRegion: region)
      for word in 0..<global.bytes.count / 8 { outcome.append(read(record, word * 8, 8)) }
    }
    var stuck: UInt64 = 0
    for cpu in 1..<max(threadCount, 1) where status(of: cpu) != Status.absent {
      if !hasFinished(cpu) { stuck |= 1 << UInt64(cpu - 1) }
    }
    outcomes.insert(outcome + [stuck])
  }

  /// A hash of what is in memory, by addresses.
  private func memoryHash() -> UInt64 {
    var hash: UInt64 = 0
    for (number, record) in layout.records.all.enumerated() {
      for word in 0...record.wordCount {
        let index = base(of: number) + word
        reads.noteRead(index * 8, 8)
        let value = data[index]
        guard value != 0 else { continue }
        hash &+= StableHash.share(of: value, at: UInt64(record.region) << 24 | UInt64(word))
      }
    }
    return hash
  }

  /// The number of threads that wait in a loop.
  private var spinningCount: Int {
    (0..<threadCount).count { cpu in
      guard status(of: cpu) != Status.absent else { return false }
      if status(of: cpu) == Status.spinning { return true }
      switch point(of: cpu).pointee.request.kind {
      case .ended, .cut, .blocked, .start: return false
      case let kind: return !kind.isWait
      }
    }
  }

  private func reportDeadlock() {
    for cpu in 0..<threadCount where status(of: cpu) == Status.present {
      let request = point(of: cpu).pointee.request
      let what: String
      switch request.kind {
      case .lock: what = "the lock \(name(of: request.address))"
      case .join: what = "thread \(request.address & 0xFFFF_FFFF)"
      case .passBarrier: what = "the barrier \(name(of: request.address))"
      case .awaitLoad, .awaitExchange: what = "another value of \(name(of: request.address))"
      case .lockShared, .lockExclusive: what = "the lock \(name(of: request.address))"
      case .wake: what = "a signal on \(name(of: request.address))"
      case .takeSemaphore: what = "the semaphore \(name(of: request.address))"
      case .beginOnce: what = "the first call for \(name(of: request.address))"
      case .passGrace, .start: what = "the end of a grace period"
      case .passDrain: what = "callbacks of RCU"
      default: continue
      }
      return fail(
        Finding(.deadlock, "thread \(cpu) waits for \(what) forever"), cpu, request.place)
    }
  }

  /// Reports an object that was not freed, and that nothing in memory leads to.
  private func judgeLeaks() {
    var reached: Set<Int> = []
    var open: [Int] = []
    var lost: [Int] = []
    for (number, record) in layout.records.all.enumerated()
    where lifeWord(number) & 3 == Life.alive {
      // What hardware has cached keeps nothing.
      if record.isHardware { continue }
      if record.kind == .heap { lost.append(number) } else { open.append(number) }
    }
    while let record = open.popLast() {
      for word in 0..<layout.records[record].wordCount {
        let index = base(of: record) + 1 + word
        reads.noteRead(index * 8, 8)
        let value = data[index]
        guard let region = Region.number(of: value & ~7) else { continue }
        let target = layout.record(ofRegion: region)
        if target >= 0, lost.contains(target), reached.insert(target).inserted {
          open.append(target)
        }
      }
    }
    guard let leak = lost.first(where: { !reached.contains($0) }) else { return }
    let address = Region.address(ofRegion: layout.records[leak].region)
    fail(
      Finding(.leak, "\(name(of: address)) is never freed, and nothing leads to it any more"),
      Region.owner(of: layout.records[leak].region).thread, -1)
  }
}
