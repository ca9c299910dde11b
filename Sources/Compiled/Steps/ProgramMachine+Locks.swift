// Mutexes and reader-writer locks.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  // MARK: Mutexes

  /// What a static initialiser of macOS puts where a lock keeps its holder.
  private static let signatures: Set<UInt64> = [0x32AA_ABA7, 0x2DA8_B3B4]
  private static let destroyed: UInt64 = 0xDEAD_DEAD
  /// Errors of POSIX: not the holder, a deadlock.
  private static let notPermitted: UInt64 = 1
  private static let wouldDeadlock: UInt64 = 35

  /// Kinds of mutexes, where a C library keeps them.
  private enum MutexKind {
    static let recursive: UInt64 = 1, errorChecking: UInt64 = 2
    static let count = 4, offset = 16
  }

  private func mutexKind(_ request: Request, _ record: Int, _ offset: Int) -> UInt64 {
    let start = offset + MutexKind.offset
    guard request.isTyped, start + 4 <= Int(lifeWord(record) >> 2),
      isInitialised(record, start, 4)
    else { return 0 }
    return read(record, start, 4) & 3
  }

  /// Whether a thread asks for a mutex that it holds, of a kind that allows that.
  func isHeldAgain(_ request: Request, _ record: Int, _ offset: Int, by cpu: Int) -> Bool {
    let holder = read(record, offset, 4)
    if holder == Self.destroyed || Self.signatures.contains(holder) { return true }
    return holder == UInt64(cpu + 1) && mutexKind(request, record, offset) != 0
  }

  private func owner(_ record: Int, _ offset: Int) -> UInt64 {
    let word = read(record, offset, 4)
    return Self.signatures.contains(word) ? 0 : word
  }

  /// The first word of a mutex is 0, or one more than the thread that holds it.
  func performOnMutex(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let (record, offset) = try locate(request.address, 4, writes: true)
    let isKnown = isInitialised(record, offset, 4)
    let holder = isKnown ? owner(record, offset) : 0
    let isRead = request.kind == .tryLock && holder != 0 && !options.failedTriesWrite
    try touch(record, offset, 4, by: cpu, request, writes: !isRead)
    switch request.kind {
    case .lock, .tryLock:
      guard isKnown else {
        throw Finding(.misuse, "\(name(of: request.address)) is locked, and was never initialised")
      }
      if holder == Self.destroyed {
        throw Finding(.misuse, "\(name(of: request.address)) is locked after it was destroyed")
      }
      if holder == UInt64(cpu + 1), let again = lockAgain(request, record, offset) { return again }
      if holder != 0 {
        return Effect(
          result: Self.busy, isVisible: options.failedTriesWrite, address: request.address, size: 4)
      }
      acquire(record, offset, .acquire, by: cpu)
      write(record, offset, 4, UInt64(cpu + 1))
    case .unlock: return try unlock(request, record, offset, holder, by: cpu)
    default: write(record, offset, 4, request.kind == .initMutex ? 0 : Self.destroyed)
    }
    return Effect(isVisible: true)
  }

  private func lockAgain(_ request: Request, _ record: Int, _ offset: Int) -> Effect? {
    switch mutexKind(request, record, offset) {
    case MutexKind.recursive:
      let count = offset + MutexKind.count
      let depth = isInitialised(record, count, 4) ? read(record, count, 4) : 0
      write(record, count, 4, depth + 1)
      return Effect(isVisible: true)
    case MutexKind.errorChecking where request.kind == .lock:
      return Effect(result: Self.wouldDeadlock, isVisible: true)
    default: return nil
    }
  }

  private func unlock(
    _ request: Request, _ record: Int, _ offset: Int, _ holder: UInt64, by cpu: Int
  ) throws(Finding) -> Effect {
    let kind = mutexKind(request, record, offset)
    guard holder == UInt64(cpu + 1) else {
      if image.leavesOutSteps { return Effect(isVisible: true) }
      if kind == MutexKind.errorChecking {
        return Effect(result: Self.notPermitted, isVisible: true)
      }
      throw Finding(
        .misuse,
        holder == 0
          ? "\(name(of: request.address)) is unlocked, and nobody holds it"
          : "\(name(of: request.address)) is unlocked by a thread that does not hold it")
    }
    let count = offset + MutexKind.count
    if kind == MutexKind.recursive, isInitialised(record, count, 4), read(record, count, 4) > 0 {
      write(record, count, 4, read(record, count, 4) - 1)
      return Effect(isVisible: true)
    }
    release(record, offset, .release, by: cpu, continues: false)
    write(record, offset, 4, 0)
    return Effect(isVisible: true)
  }

  // MARK: Reader-writer locks

  /// A lock's first word is 0, or one more than the writer; its second counts readers.
  ///
  /// Readers do not conflict: each has a footprint of its own, which writers touch all.
  private enum SharedWord {
    static let writer = 0, readers = 4
    static let size = 8
  }

  func performOnShared(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let (record, offset) = try locate(request.address, SharedWord.size, writes: true)
    layout.eachCell(record, offset, 4) { layout.share($0) }
    layout.eachCell(record, offset + 4, 4) { layout.share($0) }
    touchLifetime(request.address, by: cpu, writes: false)
    let isKnown = isInitialised(record, offset, SharedWord.size)
    if request.kind == .initShared {
      write(record, offset, SharedWord.size, 0)
      return Effect(isVisible: true)
    }
    let what = name(of: request.address)
    guard isKnown else { throw Finding(.misuse, "\(what) is used, and was never initialised") }
    let (writer, readers) = (owner(record, offset), read(record, offset + 4, 4))
    if writer == Self.destroyed {
      throw Finding(.misuse, "\(what) is used after it was destroyed")
    }
    switch request.kind {
    case .lockShared, .tryLockShared:
      if writer != 0 { return Effect(result: Self.busy, address: request.address, size: 4) }
      acquire(record, offset, .acquire, by: cpu)
      write(record, offset + 4, 4, readers + 1)
    case .lockExclusive, .tryLockExclusive:
      if writer != 0 || readers != 0 {
        return Effect(result: Self.busy, address: request.address, size: SharedWord.size)
      }
      acquire(record, offset, .acquire, by: cpu)
      acquire(record, offset + 4, .acquire, by: cpu)
      write(record, offset, 4, UInt64(cpu + 1))
    case .unlockShared where writer == UInt64(cpu + 1):
      release(record, offset, .release, by: cpu, continues: false)
      write(record, offset, 4, 0)
    case .unlockShared:
      guard writer == 0, readers > 0 else {
        if image.leavesOutSteps { return Effect(isVisible: true) }
        throw Finding(.misuse, "\(what) is unlocked by a thread that does not hold it")
      }
      release(record, offset + 4, .release, by: cpu, continues: true)
      write(record, offset + 4, 4, readers - 1)
    default:
      guard writer == 0, readers == 0 else {
        throw Finding(.misuse, "\(what) is destroyed while it is held")
      }
      write(record, offset, 4, Self.destroyed)
    }
    return Effect(isVisible: true)
  }

  /// Whether a reader or a writer need not wait.
  func isSharedFree(_ request: Request) -> Bool {
    guard let (record, offset) = try? locate(request, SharedWord.size),
      isInitialised(record, offset, SharedWord.size)
    else { return true }
    let writer = owner(record, offset)
    if writer == Self.destroyed { return true }
    return writer == 0 && (request.kind == .lockShared || read(record, offset + 4, 4) == 0)
  }

  func addShared(
    _ request: Request, _ cpu: Int, to footprint: Footprint, isPotential: Bool
  ) {
    guard let (record, offset) = try? locate(request, SharedWord.size) else { return }
    addCells(request.address, 0, writes: false, .plain, to: footprint)
    var cell = -1
    layout.eachCell(record, offset, 4) { if cell < 0 { cell = $0 } }
    func reader(_ thread: Int) -> UInt32 {
      object(layout.barrierCell(cell, thread: thread, round: 0))
    }
    func readers(_ role: TouchRole) {
      for thread in 0..<threadCount { footprint.read(reader(thread), role) }
    }
    let (writer, count) = (owner(record, offset), read(record, offset + 4, 4))
    switch request.kind {
    case .lockShared:
      footprint.read(object(cell), .blocks)
      footprint.write(reader(cpu))
    case .tryLockShared:
      footprint.read(object(cell))
      if isPotential || writer == 0 { footprint.write(reader(cpu)) }
    case .lockExclusive:
      footprint.write(object(cell), .blocks)
      readers(.blocks)
    case .tryLockExclusive:
      if isPotential || writer == 0 && count == 0 {
        footprint.write(object(cell))
      } else {
        footprint.read(object(cell))
      }
      readers(.plain)
    case .unlockShared where writer == UInt64(cpu + 1): footprint.write(object(cell), .releases)
    case .unlockShared: footprint.write(reader(cpu), .releases)
    default:
      footprint.write(object(cell))
      readers(.plain)
    }
  }
}
