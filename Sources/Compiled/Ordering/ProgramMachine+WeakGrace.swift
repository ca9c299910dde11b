// Weaker memory: a grace period sees the end of a section, or the section what was before it.
//
// Hidden words of threads are as under sequential consistency. A section that begins while a grace
// period is in progress may be part of it: then the grace period waits for it, too, and the section
// need not see what was before. The end of a section counts when the stores before it are visible.

import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  /// Threads whose grace periods a section that begins now may be part of.
  private func openPeriods(but cpu: Int, _ weak: WeakMemory) -> [Int] {
    guard weak.isArm else { return [] }
    return weak.order.cpus.indices.filter { $0 != cpu && weak.order.cpus[$0].gracePeriod != 0 }
  }

  func choiceCountOfSection(_ cpu: Int, _ weak: WeakMemory) -> Int {
    1 << min(openPeriods(but: cpu, weak).count, 6)
  }

  /// Whether all sections have ended that a grace period waits for.
  func hasPassed(_ cpu: Int) -> Bool { pendingSections(of: cpu) == 0 }

  func performOnGraceWeakly(
    _ request: Request, by cpu: Int, choice: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    guard image.waitsForGrace else { return try perform(request, by: cpu, choice: choice) }
    switch request.kind {
    case .openSection: return openSection(by: cpu, choice: choice, weak)
    case .closeSection: return closeSection(by: cpu, weak)
    case .startGrace:
      let effect = try perform(request, by: cpu, choice: choice)
      begin(cpu, from: cpu, weak)
      return effect
    case .passGrace:
      let effect = try perform(request, by: cpu, choice: choice)
      endPeriod(of: cpu, weak)
      return effect
    case .callLater:
      let effect = try perform(request, by: cpu, choice: choice)
      let child = Int(effect.result)
      if !isBroken, child < threadCount { begin(child, from: cpu, weak) }
      return effect
    case .passDrain:
      let effect = try perform(request, by: cpu, choice: choice)
      for other in 0..<threadCount where request.address >> UInt64(other) & 1 == 1 {
        takeOver(from: other, by: cpu, weak)
      }
      return effect
    default: return try perform(request, by: cpu, choice: choice)
    }
  }

  // MARK: Sections

  private func openSection(by cpu: Int, choice: Int, _ weak: WeakMemory) -> Effect {
    let periods = openPeriods(but: cpu, weak)
    let waiting = periods.indices.filter { choice >> $0 & 1 == 1 }.map { periods[$0] }
    for other in 0..<threadCount {
      let record = graceRecord(other)
      // What was before periods that have ended is seen in any case.
      acquire(record, GraceWord.queue, .acquire, by: cpu)
      if waiting.contains(other) {
        let bit: UInt64 = 1 << UInt64(cpu)
        write(record, GraceWord.pending, 8, read(record, GraceWord.pending, 8) | bit)
        write(record, GraceWord.queue, 8, read(record, GraceWord.queue, 8) | bit)
        continue
      }
      acquire(record, GraceWord.pending, .acquire, by: cpu)
      if periods.contains(other) { weak.order.cpus[cpu].see(weak.order.cpus[other].graceStart) }
    }
    if weak.isArm { weak.order.cpus[cpu].see(weak.order.finished[0]) }
    write(graceRecord(cpu), GraceWord.section, 8, 1)
    return Effect(isVisible: true)
  }

  private func closeSection(by cpu: Int, _ weak: WeakMemory) -> Effect {
    let own = graceRecord(cpu)
    release(own, GraceWord.section, .release, by: cpu, continues: false)
    write(own, GraceWord.section, 8, 0)
    let waiters = (0..<threadCount).reduce(UInt64(0)) { set, other in
      pendingSections(of: other) >> UInt64(cpu) & 1 == 1 ? set | 1 << UInt64(other) : set
    }
    if weak.isArm {
      let view = weak.order.cpus[cpu].everything
      weak.order.cpus[cpu].sectionEnds[0] = max(weak.order.cpus[cpu].sectionEnds[0], view)
      weak.order.raiseGracePeriods(waiters, 0, to: view)
    }
    guard weak.order.cpus[cpu].hasPendingStore else {
      noteSectionEnd(of: cpu, waiters)
      return Effect(isVisible: true)
    }
    var entry = PendingEntry(kind: .sectionEnd, number: 0)
    entry.waiters = waiters
    weak.order.cpus[cpu].buffer.append(entry)
    return Effect(isVisible: true)
  }

  /// Grace periods need not wait any longer for a section.
  func noteSectionEnd(of cpu: Int, _ waiters: UInt64) {
    for other in 0..<threadCount where waiters >> UInt64(other) & 1 == 1 {
      let pending = pendingSections(of: other) & ~(1 << UInt64(cpu))
      write(graceRecord(other), GraceWord.pending, 8, pending)
    }
  }

  // MARK: Grace periods

  /// A grace period begins: that of a thread, or of a callback.
  ///
  /// - Parameter cpu: the thread whose stores come before it, all of which are visible.
  private func begin(_ waiter: Int, from cpu: Int, _ weak: WeakMemory) {
    let bit: UInt64 = 1 << UInt64(waiter)
    var pending = pendingSections(of: waiter)
    for other in 0..<threadCount where other != waiter {
      let last = weak.order.cpus[other].buffer.lastIndex { $0.kind == .sectionEnd }
      guard let last else { continue }
      weak.order.cpus[other].buffer[last].waiters |= bit
      pending |= 1 << UInt64(other)
      let record = graceRecord(waiter)
      write(record, GraceWord.queue, 8, read(record, GraceWord.queue, 8) | 1 << UInt64(other))
    }
    write(graceRecord(waiter), GraceWord.pending, 8, pending)
    guard weak.isArm else { return }
    weak.order.orderEverything(of: cpu)
    let start = weak.order.cpus[cpu].newReads
    if waiter != cpu { weak.order.cpus[waiter].newReads = start }
    weak.order.cpus[waiter].gracePeriod = 1
    weak.order.cpus[waiter].graceStart = start
    weak.order.cpus[waiter].graceView = weak.order.cpus.indices.reduce(start) {
      max($0, weak.order.cpus[$1].sectionEnds[0])
    }
  }

  /// A grace period ends: what happened in its sections is seen from now on.
  func endPeriod(of cpu: Int, _ weak: WeakMemory) {
    let record = graceRecord(cpu)
    acquireSections(read(record, GraceWord.queue, 8), by: cpu)
    write(record, GraceWord.queue, 8, 0)
    if racesCount {
      let ended = message(at: layout.cell(record, GraceWord.pending, 8))
      setMessage(at: layout.cell(record, GraceWord.queue, 8)) { ended.isEmpty ? 0 : ended[$0] }
    }
    guard weak.isArm, weak.order.cpus[cpu].gracePeriod != 0 else { return }
    let known = weak.order.cpus[cpu]
    weak.order.finished[0] = max(weak.order.finished[0], known.graceStart)
    weak.order.cpus[cpu].see(known.graceView)
    weak.order.cpus[cpu].gracePeriod = 0
  }

  /// A thread sees all that another one has seen and done, which is at its end.
  func takeOver(from other: Int, by cpu: Int, _ weak: WeakMemory) {
    guard weak.isArm, other < threadCount else { return }
    weak.order.cpus[cpu].see(weak.order.cpus[other].everything)
  }
}
