// Happens-before of the execution on the search stack, kept up to date as events come and go.

import GracewalkSupport

/// A vector clock per event, and per object the events that a new step may depend on.
///
/// Event `i` of the current execution is the step taken at depth `i`. Its clock holds, for each
/// CPU, the number of events of that CPU that happen before it, including itself. Clocks are
/// `SIMD8<Int16>` chunks, as many as the CPUs need, so an execution is limited to 32,767 events per
/// CPU.
final class HappensBefore {
  typealias Chunk = SIMD8<Int16>

  struct Event: BitwiseCopyable {
    var cpu: Int
    /// 1 for the CPU's first event.
    var ordinal: Int16
    var firstTouch: Int
    /// The CPU's event before this one, or -1.
    var previousOfCPU: Int
    /// Bits that stand for the objects it touches.
    var signature: UInt64
  }

  /// A touch of an event, linked to the touches it replaced so that it can be undone.
  struct Link: BitwiseCopyable {
    var touch: Touch
    var event: Int32
    /// The link of the last write before this touch, or -1.
    var previousWrite: Int32
    /// The link of the previous read since the last write, or -1.
    var previousRead: Int32
  }

  let chunks: Int
  let events = GrowableBuffer<Event>()
  let clocks: GrowableBuffer<Chunk>
  let links = GrowableBuffer<Link>()
  let lastWrite: GrowableBuffer<Int32>
  let lastRead: GrowableBuffer<Int32>
  let lastOfCPU: GrowableBuffer<Int>
  /// Scratch clocks, one each for: the pending step, race filtering, first events of CPUs.
  private let scratch: GrowableBuffer<Chunk>
  /// Latest races found, descending.
  private let races = GrowableBuffer<Int>()

  init(cpuCount: Int, objectCount: Int) {
    chunks = (cpuCount + 7) / 8
    clocks = GrowableBuffer(capacity: 64 * chunks)
    lastWrite = GrowableBuffer(repeating: -1, count: objectCount)
    lastRead = GrowableBuffer(repeating: -1, count: objectCount)
    lastOfCPU = GrowableBuffer(repeating: -1, count: cpuCount)
    scratch = GrowableBuffer(repeating: Chunk(repeating: 0), count: 3 * chunks)
  }

  deinit {
    events.deallocate()
    clocks.deallocate()
    links.deallocate()
    lastWrite.deallocate()
    lastRead.deallocate()
    lastOfCPU.deallocate()
    scratch.deallocate()
    races.deallocate()
  }

  var count: Int { events.count }
  func cpu(of event: Int) -> Int { events[event].cpu }

  // MARK: Clocks

  func clock(of event: Int) -> UnsafeMutablePointer<Chunk> {
    clocks.pointer(to: event * chunks)
  }

  @inline(__always)
  func component(_ clock: UnsafeMutablePointer<Chunk>, _ cpu: Int) -> Int16 {
    UnsafeRawPointer(clock).load(fromByteOffset: cpu &* 2, as: Int16.self)
  }

  @inline(__always)
  private func setComponent(_ clock: UnsafeMutablePointer<Chunk>, _ cpu: Int, _ value: Int16) {
    UnsafeMutableRawPointer(clock).storeBytes(of: value, toByteOffset: cpu &* 2, as: Int16.self)
  }

  @inline(__always)
  private func join(_ clock: UnsafeMutablePointer<Chunk>, with event: Int) {
    let other = self.clock(of: event)
    for chunk in 0..<chunks {
      clock[chunk] = pointwiseMax(clock[chunk], other[chunk])
    }
  }

  /// The clock of the CPU's latest event; zero if it has none.
  @inline(__always)
  private func load(_ clock: UnsafeMutablePointer<Chunk>, cpu: Int) {
    let last = lastOfCPU[cpu]
    if last < 0 {
      for chunk in 0..<chunks { clock[chunk] = Chunk(repeating: 0) }
    } else {
      clock.update(from: self.clock(of: last), count: chunks)
    }
  }

  /// True if the event happens before the event with this clock.
  @inline(__always)
  private func happens(_ event: Int, before clock: UnsafeMutablePointer<Chunk>) -> Bool {
    let record = events[event]
    return component(clock, record.cpu) >= record.ordinal
  }

  /// Calls `body` with every later event that `event` does not happen before.
  @inline(__always)
  func eachUnordered(after event: Int, _ body: (Int) -> Void) {
    let first = events[event]
    for later in (event + 1)..<max(events.count, event + 1)
    where component(clock(of: later), first.cpu) < first.ordinal {
      body(later)
    }
  }

  /// Calls `body` with each event that a step with this footprint may directly depend on.
  ///
  /// A read depends on the last write; a write also on the reads since. Older touches happen before
  /// one of these.
  @inline(__always)
  private func eachDependency(_ footprint: Footprint, _ body: (Int) -> Void) {
    for index in 0..<footprint.count {
      let touch = footprint[index]
      let object = Int(touch.object)
      let write = lastWrite[object]
      if write >= 0 { body(Int(links[Int(write)].event)) }
      guard touch.writes else { continue }
      var read = lastRead[object]
      while read >= 0 {
        let link = links[Int(read)]
        body(Int(link.event))
        read = link.previousRead
      }
    }
  }

  /// Fills the pending clock: the clock that the CPU's next step, with this footprint, would have.
  private func computePendingClock(_ cpu: Int, _ footprint: Footprint)
    -> UnsafeMutablePointer<Chunk>
  {
    let clock = scratch.pointer(to: 0)
    load(clock, cpu: cpu)
    let own = component(clock, cpu)
    eachDependency(footprint) { join(clock, with: $0) }
    setComponent(clock, cpu, own &+ 1)
    return clock
  }

  // MARK: Events

  /// Adds the CPU's next step as the latest event.
  func push(_ cpu: Int, _ footprint: Footprint) {
    let pending = computePendingClock(cpu, footprint)
    let event = events.count
    demand(
      component(pending, cpu) < Int16.max, "an execution is limited to 32,767 steps a CPU")
    events.append(
      Event(
        cpu: cpu, ordinal: component(pending, cpu), firstTouch: links.count,
        previousOfCPU: lastOfCPU[cpu], signature: footprint.signature))
    lastOfCPU[cpu] = event
    for chunk in 0..<chunks { clocks.append(pending[chunk]) }
    for index in 0..<footprint.count {
      let touch = footprint[index]
      let object = Int(touch.object)
      let link = Link(
        touch: touch, event: Int32(truncatingIfNeeded: event), previousWrite: lastWrite[object],
        previousRead: lastRead[object])
      if touch.writes {
        lastWrite[object] = Int32(truncatingIfNeeded: links.count)
        lastRead[object] = -1
      } else {
        lastRead[object] = Int32(truncatingIfNeeded: links.count)
      }
      links.append(link)
    }
    checkAfterPush()
  }

  /// Adds the step that a CPU is about to take, while the saved path is replayed.
  func retrace(_ cpu: Int, of system: TransitionSystem) {
    let footprint = Footprint()
    system.addFootprint(of: cpu, to: footprint)
    push(cpu, footprint)
  }

  /// Pops all events, and undoes their steps in the system.
  func unwind(_ system: TransitionSystem) {
    while count > 0 {
      system.undo()
      pop()
    }
  }

  /// Pops the latest event.
  func pop() {
    let event = events.removeLast()
    while links.count > event.firstTouch {
      let link = links.removeLast()
      lastRead[Int(link.touch.object)] = link.previousRead
      if link.touch.writes { lastWrite[Int(link.touch.object)] = link.previousWrite }
    }
    lastOfCPU[event.cpu] = event.previousOfCPU
    clocks.truncate(to: events.count * chunks)
    checkAfterPop()
  }

  // MARK: Races

  /// Calls `body` with every event in a reversible race with the CPU's next step, latest first.
  ///
  /// For a step that cannot block, these are the direct dependencies that do not happen before the
  /// CPU's latest event or before a later race. A step that can block is compared with every event
  /// instead: an event that merely enabled it is not a race, and the race that matters may lie
  /// behind it. Event `e` merely enabled the step if the step was disabled before `e`, and no event
  /// that could have enabled it remains when `e` and the events that happen after `e` are removed.
  ///
  /// - Parameter wasDisabled: whether the CPU was disabled just before an event.
  func eachRace(
    of cpu: Int, _ footprint: Footprint, blocking: Bool, wasDisabled: (Int) -> Bool,
    _ body: (Int) -> Void
  ) {
    if blocking {
      return eachBlockingRace(
        of: cpu, footprint, isDependent: { isDependent($0, footprint) }, wasDisabled: wasDisabled,
        body)
    }
    let clock = scratch.pointer(to: chunks)
    load(clock, cpu: cpu)
    races.removeAll()
    eachDependency(footprint) { event in
      if !happens(event, before: clock) { insertRace(event) }
    }
    for index in 0..<races.count {
      let event = races[index]
      if happens(event, before: clock) { continue }
      join(clock, with: event)
      body(event)
    }
  }

  /// The same for a step that can block, given the events that are dependent on it.
  @inline(__always)
  func eachBlockingRace(
    of cpu: Int, _ footprint: Footprint, isDependent: (Int) -> Bool, wasDisabled: (Int) -> Bool,
    _ body: (Int) -> Void
  ) {
    let clock = scratch.pointer(to: chunks)
    load(clock, cpu: cpu)
    let signature = footprint.signature
    for event in stride(from: events.count - 1, through: 0, by: -1)
    where events.pointer(to: event).pointee.signature & signature != 0 && isDependent(event)
      && !happens(event, before: clock) && mayRace(event, footprint)
    {
      let isPending = lastOfCPU[cpu] < event
      if isPending && wasDisabled(event) && !isTouched(without: event, isDependent) { continue }
      body(event)
    }
  }

  /// True if a later event that `event` does not happen before is dependent on the step.
  private func isTouched(without event: Int, _ isDependent: (Int) -> Bool) -> Bool {
    let racing = events[event]
    for later in (event + 1)..<max(events.count, event + 1)
    where isDependent(later) && component(clock(of: later), racing.cpu) < racing.ordinal {
      return true
    }
    return false
  }

  /// Inserts into `races`.
  ///
  /// Invariant: `races` is descending without duplicates.
  private func insertRace(_ event: Int) {
    var index = races.count
    while index > 0 && races[index - 1] < event { index -= 1 }
    if index > 0 && races[index - 1] == event { return }
    races.append(event)
    var hole = races.count - 1
    while hole > index {
      races[hole] = races[hole - 1]
      hole -= 1
    }
    races[index] = event
  }

  private func isDependent(_ event: Int, _ footprint: Footprint) -> Bool {
    anyTouches(of: event, footprint) { $0.conflicts(with: $1) }
  }

  /// True if the event and the step are dependent and could have happened in the other order.
  private func mayRace(_ event: Int, _ footprint: Footprint) -> Bool {
    anyTouches(of: event, footprint) { $0.conflicts(with: $1) && $0.mayBeCoEnabled(with: $1) }
  }

  @inline(__always)
  private func anyTouches(
    of event: Int, _ footprint: Footprint, are related: (Touch, Touch) -> Bool
  ) -> Bool {
    let end = event + 1 < events.count ? events[event + 1].firstTouch : links.count
    for index in events[event].firstTouch..<end {
      let touch = links[index].touch
      for other in 0..<footprint.count
      where footprint[other].object == touch.object && related(footprint[other], touch) {
        return true
      }
    }
    return false
  }

  /// True if an event is a CPU's latest event, or happens before it.
  @inline(__always)
  func isBehind(_ cpu: Int, _ event: Int) -> Bool {
    let last = lastOfCPU[cpu]
    return last >= 0 && happens(event, before: clock(of: last))
  }

  /// The CPU, and every CPU with an event after `event` that happens before the CPU's latest event.
  ///
  /// Each of them must step before the CPU's next step.
  func causes(of cpu: Int, after event: Int) -> CPUSet {
    var causes = CPUSet(cpu)
    let last = lastOfCPU[cpu]
    guard last > event else { return causes }
    let clock = clock(of: last)
    for later in (event + 1)..<last {
      let record = events[later]
      if component(clock, record.cpu) >= record.ordinal { causes.insert(record.cpu) }
    }
    return causes
  }

  /// The initials of `notdep(event).step`.
  ///
  /// The sequence is the later events that `event` does not happen before, then the CPU's next
  /// step. Its initials are the CPUs whose first step in it no other step of it happens before.
  func initials(after event: Int, then cpu: Int, _ footprint: Footprint) -> CPUSet {
    let racing = events[event]
    let first = scratch.pointer(to: 2 * chunks)
    for chunk in 0..<chunks { first[chunk] = Chunk(repeating: Int16.max) }
    var seen = CPUSet()
    var initials = CPUSet()
    for later in (event + 1)..<max(events.count, event + 1) {
      let record = events[later]
      let clock = clock(of: later)
      if component(clock, racing.cpu) >= racing.ordinal || seen.contains(record.cpu) { continue }
      if !isReached(first, from: clock) { initials.insert(record.cpu) }
      seen.insert(record.cpu)
      setComponent(first, record.cpu, record.ordinal)
    }
    if !seen.contains(cpu), !isReached(first, from: computePendingClock(cpu, footprint)) {
      initials.insert(cpu)
    }
    return initials
  }

  /// True if some CPU's first event, by ordinal, is in the past of the clock.
  @inline(__always)
  private func isReached(
    _ first: UnsafeMutablePointer<Chunk>, from clock: UnsafeMutablePointer<Chunk>
  ) -> Bool {
    for chunk in 0..<chunks where any(clock[chunk] .>= first[chunk]) { return true }
    return false
  }
}
