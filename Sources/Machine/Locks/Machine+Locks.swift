// Locks: holders, taking and releasing, and recursion.

import GracewalkExploration
import GracewalkSupport

/// How a lock is held.
public enum LockMode: UInt64, Sendable {
  case spin, read, write
}

extension Machine {
  /// A reader–writer lock's word: one bit per reader, and this one for a writer.
  static let writerBit: UInt64 = 1 << 63

  /// True for the word of a lock that one CPU holds at a time; tables have one in each page.
  private func isSpinLock(_ cell: UInt32) -> Bool {
    !layout.isNamed(cell) || scenario.spinLockCells.contains(cell)
  }

  /// How a CPU holds the lock with a word; nil if it does not.
  ///
  /// Only the CPU itself changes that, so footprints need no object for it.
  func mode(ofLock cell: UInt32, heldBy cpu: Int) -> LockMode? {
    let value = memory[cell]
    if value == 0 { return nil }
    if isSpinLock(cell) { return value == UInt64(cpu) + 1 ? .spin : nil }
    guard value & CPUSet(cpu).bits != 0 else { return nil }
    return value & Machine.writerBit == 0 ? .read : .write
  }

  /// The holders of a lock, as a set.
  func holders(ofLock cell: UInt32) -> CPUSet {
    let value = memory[cell]
    if value == 0 { return CPUSet() }
    if isSpinLock(cell) { return CPUSet(Int(value) - 1) }
    return CPUSet(bits: value & ~Machine.writerBit)
  }

  /// True if a lock can be taken now.
  ///
  /// A holder would wait for itself; if an invariant judges recursion, it continues and is
  /// reported.
  func canLock(_ lock: Action.Locking, _ action: Action, by cpu: Int) -> Bool {
    let value = memory[action.cell]
    if value == 0 { return true }
    if lock == .readLock && value & Machine.writerBit == 0 { return true }
    return watched.contains(.lockedAgain) && holdsAlready(lock, action, cpu)
  }

  private func holdsAlready(_ lock: Action.Locking, _ action: Action, _ cpu: Int) -> Bool {
    let value = memory[action.cell]
    return lock == .spinLock || lock == .trySpinLock
      ? value == UInt64(cpu) + 1 : value & CPUSet(cpu).bits != 0
  }

  func performLocking(_ lock: Action.Locking, _ action: Action, by cpu: Int) -> UInt64 {
    let cell = action.cell
    let bit = CPUSet(cpu).bits
    switch lock {
    case .spinLock, .readLock, .writeLock:
      if holdsAlready(lock, action, cpu) { reportRecursion(lock, action, cpu) }
      take(lock, action, by: cpu)
    case .trySpinLock, .tryReadLock, .tryWriteLock:
      guard isFree(lock, cell) else { return 0 }
      // A reader that takes the lock once more would be counted once.
      if holdsAlready(lock, action, cpu) { reportRecursion(lock, action, cpu) }
      take(lock, action, by: cpu)
      return 1
    case .downgrade:
      if memory[cell] == Machine.writerBit | bit {
        memory[cell] = bit
      } else {
        report(.releasedUnheldLock, cpu, cell: cell)
      }
    case .spinUnlock:
      if memory[cell] == UInt64(cpu) + 1 {
        memory[cell] = 0
      } else {
        report(.releasedUnheldLock, cpu, cell: cell)
      }
    case .readUnlock:
      if memory[cell] & (bit | Machine.writerBit) != bit {
        report(.releasedUnheldLock, cpu, cell: cell)
      }
      memory[cell] &= ~bit
    case .writeUnlock:
      if memory[cell] == Machine.writerBit | bit {
        memory[cell] = 0
      } else {
        report(.releasedUnheldLock, cpu, cell: cell)
      }
    }
    return 0
  }

  /// True if nobody holds the lock, or if only readers do and it is to be taken for reading.
  func isFree(_ lock: Action.Locking, _ cell: UInt32) -> Bool {
    memory[cell] == 0 || lock == .tryReadLock && memory[cell] & Machine.writerBit == 0
  }

  /// Takes a lock that is free for the CPU; a lock that it already holds does not change.
  private func take(_ lock: Action.Locking, _ action: Action, by cpu: Int) {
    let cell = action.cell
    let bit = CPUSet(cpu).bits
    switch lock {
    case .spinLock, .trySpinLock: memory[cell] = UInt64(cpu) + 1
    case .readLock, .tryReadLock: memory[cell] |= bit
    case .writeLock, .tryWriteLock: if memory[cell] == 0 { memory[cell] = Machine.writerBit | bit }
    case .spinUnlock, .readUnlock, .writeUnlock, .downgrade: break
    }
  }

  private func reportRecursion(_ lock: Action.Locking, _ action: Action, _ cpu: Int) {
    let wanted: LockMode =
      switch lock {
      case .spinLock, .spinUnlock, .trySpinLock: .spin
      case .readLock, .readUnlock, .tryReadLock: .read
      case .writeLock, .writeUnlock, .tryWriteLock, .downgrade: .write
      }
    let held = mode(ofLock: action.cell, heldBy: cpu) ?? wanted
    report(.lockedAgain, cpu, cell: action.cell, value: held.rawValue << 8 | wanted.rawValue)
  }

  /// Reports locks and sections that a callback leaves open when it ends.
  ///
  /// Its CPU runs other callbacks after it, so no code is left to release anything. This depends
  /// only on the callback's own actions.
  func reportHeldByCallback(_ cpu: Int) {
    for cell in lockCells + usedPageLocks where mode(ofLock: cell, heldBy: cpu) != nil {
      report(.endedHolding, cpu, cell: cell)
    }
    if isInside(.sections, cpu) { report(.endedInSection, cpu) }
    if isInside(.interrupts, cpu) { report(.endedMasked, cpu) }
  }

  /// Readers do not conflict: each CPU has an object of its own after the lock's word.
  func addLocking(
    _ lock: Action.Locking, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    let reader = action.cell + 1 + UInt32(cpu)
    switch lock {
    case .readLock:
      footprint.read(action.cell, .blocks)
      footprint.write(reader)
    case .readUnlock: footprint.write(reader, .releases)
    case .writeLock:
      footprint.write(action.cell, .blocks)
      for other in 0..<layout.cpuCount { footprint.read(action.cell + 1 + UInt32(other), .blocks) }
    case .spinLock: footprint.write(action.cell, .blocks)
    case .spinUnlock, .writeUnlock, .downgrade: footprint.write(action.cell, .releases)
    // Never blocked, so they may come before whatever would let them succeed.
    case .trySpinLock:
      if isFree(lock, action.cell) {
        footprint.write(action.cell)
      } else {
        footprint.read(action.cell)
      }
    case .tryReadLock:
      footprint.read(action.cell)
      if isFree(lock, action.cell) { footprint.write(reader) }
    case .tryWriteLock:
      if isFree(lock, action.cell) {
        footprint.write(action.cell)
      } else {
        footprint.read(action.cell)
      }
      for other in 0..<layout.cpuCount { footprint.read(action.cell + 1 + UInt32(other)) }
    }
  }

  /// What it could touch in another order: a lock that is held now may be free then.
  func addPotentialLocking(
    _ lock: Action.Locking, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    switch lock {
    case .trySpinLock, .tryWriteLock: footprint.write(action.cell)
    case .tryReadLock: footprint.write(action.cell + 1 + UInt32(cpu))
    case .spinLock, .spinUnlock, .readLock, .readUnlock, .writeLock, .writeUnlock, .downgrade: break
    }
  }

  func hasFixedFootprint(_ lock: Action.Locking) -> Bool {
    switch lock {
    case .trySpinLock, .tryReadLock, .tryWriteLock: false
    case .spinLock, .spinUnlock, .readLock, .readUnlock, .writeLock, .writeUnlock, .downgrade: true
    }
  }

  /// The locks of pages, as far as code has asked for any.
  var usedPageLocks: [UInt32] {
    guard usesPageLocks else { return [] }
    return (0..<layout.pageCapacity).map { layout.page($0).base + Layout.lockOffset }
  }

  var lockCells: [UInt32] { scenario.spinLockCells + scenario.readWriteLockCells }
}
