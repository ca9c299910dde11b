// Grace periods: CPUs inside sections, CPUs that wait for them, and CPUs that may hold a page.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The CPUs whose sections a wait is for, as a set.
  package var awaitedCPUs: UInt64 {
    get { a }
    set { a = newValue }
  }
}

extension Machine {
  /// The domain that an RCU grace period waits for.
  var graceDomain: GraceDomain {
    scenario.readCopyUpdate == .consolidated ? .readers : .sections
  }

  /// The CPUs that are inside a section of a domain.
  func readers(in domain: GraceDomain) -> UInt64 {
    var inside = CPUSet()
    for cpu in 0..<layout.cpuCount where isInside(domain, cpu) { inside.insert(cpu) }
    return inside.bits
  }

  func isInside(_ domain: GraceDomain, _ cpu: Int) -> Bool {
    memory[layout.sectionWord(domain, cpu)] & 1 == 1
  }

  /// The domain of a step.
  func domain(of grace: Action.Grace) -> GraceDomain {
    switch grace {
    case .sectionEnter, .sectionLeave: .sections
    case .graceStart, .graceEnd: graceDomain
    case .maskInterrupts, .unmaskInterrupts, .interruptSend, .interruptTaken: .interrupts
    }
  }

  /// Performs an action of a domain; returns its result.
  func performGrace(_ grace: Action.Grace, in domain: GraceDomain, by cpu: Int) -> UInt64 {
    switch grace {
    case .sectionEnter, .maskInterrupts:
      if isPartOfReader(domain, cpu) { memory[layout.reader(cpu)] += 1 }
      memory[layout.sectionWord(domain, cpu)] += 1
    case .sectionLeave, .unmaskInterrupts:
      guard isInside(domain, cpu) else {
        report(domain.leftWithoutEntering, cpu)
        return 0
      }
      if isPartOfReader(domain, cpu) { leave(.readers, cpu) }
      leave(domain, cpu)
    case .graceStart, .interruptSend:
      if domain == .interrupts {
        if isInside(.interrupts, cpu) { report(.sentWhileMasked, cpu) }
      } else {
        reportBlocking(cpu)
      }
      var readers = CPUSet(bits: readers(in: domain))
      if !domain.waitsForItself { readers.remove(cpu) }
      if layout.bufferedCPUs > 0 {
        readers = readers.union(markPending(in: domain, waiter: cpu))
      }
      memory[layout.awaited(domain, cpu)] = readers.bits
      return readers.bits
    case .graceEnd, .interruptTaken: break  // The end of a wait changes nothing.
    }
    return 0
  }

  /// True if entering or leaving a domain begins or ends a section of consolidated RCU: the CPU is
  /// not inside the other domain.
  ///
  /// That depends only on the CPU's own history.
  func isPartOfReader(_ domain: GraceDomain, _ cpu: Int) -> Bool {
    graceDomain == .readers && !isInside(domain.other, cpu)
  }

  /// Reports a CPU that waits for a grace period in a context that must not sleep.
  ///
  /// That also depends only on the CPU's own history.
  func reportBlocking(_ cpu: Int) {
    if isInside(.sections, cpu) { report(.blockedInSection, cpu) }
    if case .callbacks = cpus[cpu].role { report(.blockedInSection, cpu, value: 1) }
    if isInside(.interrupts, cpu) { report(.blockedWhileMasked, cpu) }
    for cell in scenario.spinLockCells where memory[cell] == UInt64(cpu) + 1 {
      report(.blockedUnderLock, cpu, cell: cell)
    }
  }

  /// Ends the CPU's section, for all waiters.
  ///
  /// The sets from which it is removed are functions of the CPUs inside when they were made, so
  /// they are not objects of their own: the section's word stands for all of them in footprints.
  private func leave(_ domain: GraceDomain, _ cpu: Int) {
    // A counter, so that footprints can tell a CPU's sections apart. But a looping CPU must be able
    // to return to a state, and then nothing is reduced anyway.
    let word = layout.sectionWord(domain, cpu)
    memory[word] = mayRepeat ? 0 : memory[word] + 1
    let others = ~CPUSet(cpu).bits
    if memoryModel == .armv8, isOrdered(cpu) {
      if domain == .interrupts || domain == graceDomain { leaveInOrder(domain, cpu) }
    } else if layout.bufferedCPUs > 0, !hasNoPending(cpu) {
      if domain == .interrupts || domain == graceDomain { putEndInBuffer(of: domain, by: cpu) }
    } else {
      if domain == .interrupts || domain == graceDomain {
        for waiting in 0..<layout.cpuCount { memory[layout.awaited(domain, waiting)] &= others }
      }
      if domain == graceDomain { leaveForCallbacks(others) }
    }
    guard domain != .readers, requirements.contains(.readersAtUnlink) else { return }
    eachAllocatedPage { memory[layout.readers(domain, ofPage: $0.id)] &= others }
  }

  /// Adds the footprint of an action of a domain.
  func addGrace(
    _ grace: Action.Grace, _ action: Action, in domain: GraceDomain, by cpu: Int,
    to footprint: Footprint
  ) {
    switch grace {
    case .sectionEnter, .maskInterrupts:
      footprint.write(layout.sectionWord(domain, cpu))
      if isPartOfReader(domain, cpu) { footprint.write(layout.reader(cpu)) }
    case .sectionLeave, .unmaskInterrupts:
      addEnd(of: domain, cpu, footprint)
      if isPartOfReader(domain, cpu) { addEnd(of: .readers, cpu, footprint) }
    case .graceStart, .interruptSend: addSectionWords(domain, ~0, footprint)
    case .graceEnd, .interruptTaken: addSectionWords(domain, action.awaitedCPUs, footprint, .blocks)
    }
  }

  private func addEnd(of domain: GraceDomain, _ cpu: Int, _ footprint: Footprint) {
    // A wait for the section that ends here cannot continue before this step; a wait for an earlier
    // one can.
    let word = layout.sectionWord(domain, cpu)
    let isFirst = !mayRepeat && memory[word] == 1
    footprint.write(word, isFirst ? .releases : .plain)
  }

  /// Adds the section words of a set of CPUs in a domain as read.
  func addSectionWords(
    _ domain: GraceDomain, _ cpus: UInt64, _ footprint: Footprint, _ role: TouchRole = .plain
  ) {
    var set = CPUSet(bits: cpus).intersection(.first(layout.cpuCount))
    while let cpu = set.popLowest() { footprint.read(layout.sectionWord(domain, cpu), role) }
  }

  // MARK: Pages

  /// Records that every CPU now inside a section may still hold the page, or a page below it.
  func noteReaders(ofTablesIn id: Int) {
    GraceDomain.each { domain in
      var seen = PageSet()
      noteReaders(ofTablesIn: id, domain, readers(in: domain), &seen)
    }
  }

  /// Records that every CPU now inside a section may still hold the page.
  func noteReaders(ofPage id: Int) {
    GraceDomain.each { domain in noteReaders(ofPage: id, domain, readers(in: domain)) }
  }

  private func noteReaders(ofPage id: Int, _ domain: GraceDomain, _ readers: UInt64) {
    memory[layout.readersAtUnlink(domain, ofPage: id)] = readers
    memory[layout.readers(domain, ofPage: id)] = readers
  }

  private func noteReaders(
    ofTablesIn id: Int, _ domain: GraceDomain, _ readers: UInt64, _ seen: inout PageSet
  ) {
    guard seen.insert(id) else { return }
    noteReaders(ofPage: id, domain, readers)
    let base = layout.page(id).base
    for index in 0..<layout.geometry.entries {
      if let below = linkedPage(by: memory[base + Layout.pageHeader + UInt32(index)]) {
        noteReaders(ofTablesIn: below, domain, readers, &seen)
      }
    }
  }

  /// Reports other CPUs that were inside when the page was unlinked, and have not left since.
  func reportReaders(ofPage base: UInt32, freedBy cpu: Int) {
    guard requirements.contains(.readersAtUnlink), let id = layout.pageID(at: base) else { return }
    GraceDomain.each { domain in
      let readers = memory[layout.readers(domain, ofPage: id)] & ~CPUSet(cpu).bits
      if readers != 0 {
        report(domain.freedUnderReader, cpu, page: base, cell: base, value: readers)
      }
    }
  }

  /// Adds the words that tell whether a page freed now may still be held.
  func addReaders(ofPage base: UInt32, _ footprint: Footprint) {
    guard requirements.contains(.readersAtUnlink), let id = layout.pageID(at: base) else { return }
    GraceDomain.each { domain in
      addSectionWords(domain, memory[layout.readersAtUnlink(domain, ofPage: id)], footprint)
    }
  }

  /// Adds all words that tell which CPUs may hold a page, if an invariant needs them.
  func addAllReaders(_ footprint: Footprint) {
    guard requirements.contains(.readersAtUnlink) else { return }
    GraceDomain.each { domain in addSectionWords(domain, ~0, footprint) }
  }
}
