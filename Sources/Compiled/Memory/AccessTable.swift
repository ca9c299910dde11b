// Who has accessed memory that is not shared, in any execution of a search.

import GracewalkSupport

/// An access to a cell that is not shared.
struct SeenAccess: Hashable, Comparable {
  var cell: Int
  var cpu: Int
  var writes: Bool
  var clock: [UInt64]

  static func < (a: SeenAccess, b: SeenAccess) -> Bool {
    if (a.cell, a.cpu, a.writes ? 1 : 0) != (b.cell, b.cpu, b.writes ? 1 : 0) {
      return (a.cell, a.cpu, a.writes ? 1 : 0) < (b.cell, b.cpu, b.writes ? 1 : 0)
    }
    return a.clock.lexicographicallyPrecedes(b.clock)
  }
}

/// For each cell that is not shared: the threads that accessed it, and what creating and joining
/// threads had ordered before that.
///
/// Two accesses that this does not order make the cell shared, also if they are of different
/// executions. So which memory is shared does not depend on the path to a state, and who accessed
/// what is no part of the state.
final class AccessTable {
  private struct Access: BitwiseCopyable {
    var cpu: Int32
    var clock: Int32
    var writes: Bool
    /// The next one of the same cell, or -1.
    var next: Int32
  }

  private let threadCount: Int
  /// The latest access to each cell, or -1.
  private let latest = GrowableBuffer<Int32>(capacity: 256)
  private let accesses = GrowableBuffer<Access>()
  /// Clocks that threads have had, one after the other, with their hashes.
  private let clocks = GrowableBuffer<UInt64>()
  private let hashes = GrowableBuffer<UInt64>()
  private var numbers: [UInt64: Int] = [:]
  /// A clock that is made, and the results of joining clocks: pairs of numbers, and the result.
  private let scratch: GrowableBuffer<UInt64>
  private let joined = GrowableBuffer<(pair: UInt64, result: UInt64)>(
    repeating: (pair: .max, result: 0), count: 256)

  init(threadCount: Int) {
    self.threadCount = threadCount
    scratch = GrowableBuffer(repeating: 0, count: threadCount)
  }

  deinit {
    latest.deallocate()
    accesses.deallocate()
    clocks.deallocate()
    hashes.deallocate()
    scratch.deallocate()
    joined.deallocate()
  }

  // MARK: Clocks

  /// The number of a clock.
  func number(of clock: UnsafeMutablePointer<UInt64>) -> Int {
    var hash: UInt64 = 0
    for thread in 0..<threadCount { hash = StableHash.extend(hash, with: clock[thread]) }
    if let known = numbers[hash] { return known }
    for thread in 0..<threadCount { clocks.append(clock[thread]) }
    hashes.append(hash)
    numbers[hash] = hashes.count - 1
    return hashes.count - 1
  }

  /// What stands for a clock in keys of states.
  @inline(__always)
  func hash(ofClock number: Int) -> UInt64 { hashes[number] }

  func number(ofKnown clock: [UInt64]) -> Int {
    for (thread, value) in clock.enumerated() { scratch[thread] = value }
    return number(of: scratch.pointer(to: 0))
  }

  /// The clock of a thread that nothing has happened to.
  func first(_ thread: Int) -> Int {
    for other in 0..<threadCount { scratch[other] = other == thread ? 1 : 0 }
    return number(of: scratch.pointer(to: 0))
  }

  /// A clock after one more step of a thread.
  func next(_ clock: Int, of thread: Int) -> Int {
    for other in 0..<threadCount { scratch[other] = clocks[clock * threadCount + other] }
    scratch[thread] = scratch[thread] + 1
    return number(of: scratch.pointer(to: 0))
  }

  /// A clock that knows all that two clocks know.
  func join(_ clock: Int, _ other: Int) -> Int {
    let pair = UInt64(clock) << 32 | UInt64(other)
    let place = Int(truncatingIfNeeded: StableHash.mix(pair) & 255)
    if joined[place].pair == pair { return Int(joined[place].result) }
    for thread in 0..<threadCount {
      scratch[thread] = max(
        clocks[clock * threadCount + thread], clocks[other * threadCount + thread])
    }
    let result = number(of: scratch.pointer(to: 0))
    joined[place] = (pair: pair, result: UInt64(result))
    return result
  }

  /// Whether a clock knows all that a thread has done by another clock.
  @inline(__always)
  func knows(_ clock: Int, of thread: Int, at other: Int) -> Bool {
    clocks[clock &* threadCount &+ thread] >= clocks[other &* threadCount &+ thread]
  }

  // MARK: Accesses

  /// Takes note of an access; false if nothing orders it and another one that conflicts.
  @inline(__always)
  func note(_ cell: Int, by cpu: Int, at clock: Int, writes: Bool) -> Bool {
    if cell < latest.count {
      let index = latest[cell]
      if index >= 0 {
        let known = accesses.pointer(to: Int(index)).pointee
        if known.cpu == cpu, known.clock == clock, known.writes || !writes { return true }
      }
    }
    return noteSlowly(cell, by: Int32(cpu), at: Int32(clock), writes: writes)
  }

  @inline(never)
  private func noteSlowly(_ cell: Int, by cpu: Int32, at clock: Int32, writes: Bool) -> Bool {
    while latest.count <= cell { latest.append(-1) }
    var isOrdered = true
    var index = latest[cell]
    while index >= 0 {
      let known = accesses[Int(index)]
      if known.cpu == cpu, known.clock == clock, known.writes || !writes { return true }
      if known.cpu != cpu, known.writes || writes,
        !knows(Int(clock), of: Int(known.cpu), at: Int(known.clock)),
        !knows(Int(known.clock), of: Int(cpu), at: Int(clock))
      {
        isOrdered = false
      }
      index = known.next
    }
    accesses.append(Access(cpu: cpu, clock: clock, writes: writes, next: latest[cell]))
    latest[cell] = Int32(accesses.count - 1)
    return isOrdered
  }

  /// Calls `body` with each access.
  func each(
    _ body: (_ cell: Int, _ cpu: Int, _ clock: UnsafeMutablePointer<UInt64>, Bool) -> Void
  ) {
    for cell in 0..<latest.count {
      var index = latest[cell]
      while index >= 0 {
        let access = accesses[Int(index)]
        body(
          cell, Int(access.cpu), clocks.pointer(to: Int(access.clock) * threadCount), access.writes)
        index = access.next
      }
    }
  }
}
