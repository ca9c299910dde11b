// Condition variables, semaphores, and what is done once.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// What a sleeper that has timed out returns.
  static let timedOut: UInt64 = 110

  /// Where a condition variable keeps the set of threads that sleep.
  private static let sleepersOffset: UInt64 = 8

  /// What macOS puts at the start of what is done once.
  private static let onceSignature: UInt64 = 0x30B1_BCBA

  private enum Once {
    static let running: UInt64 = 1, done: UInt64 = 2
  }

  /// The words of a request: the set of sleepers, or the word of a semaphore.
  private func word(of request: Request) -> (address: UInt64, size: Int) {
    switch request.kind {
    case .sleep, .wake, .signal, .broadcast, .initCondition, .destroyCondition:
      (request.address &+ Self.sleepersOffset, 8)
    default: (request.address, 4)
    }
  }

  private func sharedWord(_ request: Request, by cpu: Int) throws(Finding) -> (Int, Int) {
    let (address, size) = word(of: request)
    let (record, offset) = try locate(address, size, writes: true)
    layout.eachCell(record, offset, size) { layout.share($0) }
    touchLifetime(address, by: cpu, writes: false)
    return (record, offset)
  }

  // MARK: Condition variables

  /// A sleeper sleeps until it is signalled: nobody wakes up for no reason.
  func performOnCondition(
    _ request: Request, by cpu: Int, choice: Int
  ) throws(Finding) -> Effect {
    let (record, offset) = try sharedWord(request, by: cpu)
    if request.kind == .initCondition {
      write(record, offset, 8, 0)
      return Effect(isVisible: true)
    }
    guard isInitialised(record, offset, 8) else {
      throw Finding(.misuse, "\(name(of: request.address)) is used, and was never initialised")
    }
    let sleepers = read(record, offset, 8)
    switch request.kind {
    case .sleep:
      layout.noteSleeper(cpu)
      var unlock = Request(.unlock)
      unlock.address = request.a
      unlock.isTyped = true
      _ = try performOnMutex(unlock, by: cpu)
      write(record, offset, 8, sleepers | 1 << UInt64(cpu))
    case .wake:
      guard sleepers >> UInt64(cpu) & 1 == 1 else { return Effect(isVisible: true) }
      write(record, offset, 8, sleepers & ~(1 << UInt64(cpu)))
      return Effect(result: Self.timedOut, isVisible: true)
    case .signal:
      // The choice is where to begin to look, so that it means the same in every order.
      let known = layout.sleepers
      for index in known.indices {
        let sleeper = known[(choice + index) % known.count]
        guard sleepers >> UInt64(sleeper) & 1 == 1 else { continue }
        write(record, offset, 8, sleepers & ~(1 << UInt64(sleeper)))
        break
      }
    case .broadcast: write(record, offset, 8, 0)
    default:
      guard sleepers == 0 else {
        throw Finding(
          .misuse, "\(name(of: request.address)) is destroyed while a thread waits for it")
      }
    }
    return Effect(isVisible: true)
  }

  // MARK: Semaphores and once

  func performOnSemaphore(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let (record, offset) = try sharedWord(request, by: cpu)
    if request.kind == .initSemaphore {
      write(record, offset, 4, request.a)
      return Effect(isVisible: true)
    }
    guard isInitialised(record, offset, 4) else {
      throw Finding(.misuse, "\(name(of: request.address)) is used, and was never initialised")
    }
    let value = read(record, offset, 4)
    switch request.kind {
    case .takeSemaphore, .tryTakeSemaphore:
      guard value > 0 else {
        return Effect(result: Self.busy, address: request.address, size: 4)
      }
      acquire(record, offset, .acquire, by: cpu)
      write(record, offset, 4, value - 1)
    case .postSemaphore:
      release(record, offset, .release, by: cpu, continues: true)
      write(record, offset, 4, value + 1)
    case .beginOnce:
      acquire(record, offset, .acquire, by: cpu)
      guard value != Once.done else { return Effect(isVisible: true) }
      write(record, offset, 4, Once.running)
      return Effect(result: 1, isVisible: true)
    default:
      release(record, offset, .release, by: cpu, continues: false)
      write(record, offset, 4, Once.done)
    }
    return Effect(isVisible: true)
  }

  // MARK: Waiting and footprints

  /// Whether what a thread asks for is free.
  func isFree(_ request: Request, for cpu: Int) -> Bool {
    if request.kind == .lockShared || request.kind == .lockExclusive {
      return isSharedFree(request)
    }
    let (address, size) = word(of: request)
    guard let (record, offset) = try? locate(address, size, writes: false),
      isInitialised(record, offset, size)
    else { return true }
    let value = read(record, offset, size)
    return switch request.kind {
    case .wake: request.isTyped || value >> UInt64(cpu) & 1 == 0
    case .takeSemaphore: value > 0
    default: value != Once.running
    }
  }

  func addWaiting(
    _ request: Request, _ cpu: Int, to footprint: Footprint, isPotential: Bool
  ) {
    let (address, size) = word(of: request)
    guard let (record, offset) = try? locate(address, size, writes: false) else { return }
    let value = read(record, offset, size)
    var writes = true
    var role = TouchRole.plain
    switch request.kind {
    case .sleep:
      addCells(request.a, 4, writes: true, .releases, to: footprint)
    case .wake:
      writes = request.isTyped && (isPotential || value >> UInt64(cpu) & 1 == 1)
      role = .blocks
    case .signal, .broadcast: writes = isPotential || value != 0
    case .takeSemaphore: role = .blocks
    case .tryTakeSemaphore: writes = isPotential || value > 0
    case .endOnce: role = .releases
    case .beginOnce:
      writes = isPotential || value != Once.done
      role = .blocks
    default: break
    }
    addCells(address, size, writes: writes, role, to: footprint)
  }
}
