// What each instruction asks a machine for, and what it does with the answer.

import GracewalkMachine
import GracewalkSupport

extension ProcessCode {
  /// The action that an instruction asks for next; nil if it needs none and is over, or stops.
  func action(for instruction: Instruction) -> Action? {
    switch instruction {
    case .compute(let register, let computation, let a, let b, let c):
      now.registers[register] = computation.result(value(of: a), value(of: b), value(of: c))
      finish()
      return nil
    case .branch(let operand, let target):
      return goTo(value(of: operand) == 0 ? target : now.counter + 1)
    case .branchUnless(let operand, let target):
      return goTo(value(of: operand) != 0 ? target : now.counter + 1)
    case .jump(let target): return goTo(target)
    case .load(_, let address, let order, _): return access(.load, at: address, order)
    case .store(let value, let address, let order):
      var action = access(.store, at: address, order)
      action?.stored = self.value(of: value)
      return action
    case .storeExclusive(let value, let address, let order, let status):
      return storeExclusive(value, address, order, status)
    case .update(_, let modification, let address, let operand, let order):
      return update(modification, address, operand, order)
    case .fence(let fence): return self.fence(fence)
    case .invalidate:
      // Tests about page tables are explored under Armv8 alone.
      finish()
      return nil
    case .lock, .unlock, .tryLock, .isLocked, .waitUntilUnlocked: return lockAction(instruction)
    case .enterSection, .leaveSection, .synchronize, .enterSleepable, .leaveSleepable,
      .synchronizeSleepable:
      return graceAction(instruction)
    }
  }

  private func goTo(_ target: Int) -> Action? {
    now.counter = target
    return nil
  }

  /// Takes note of the answer to an action.
  func observe(_ result: UInt64) {
    guard let instruction else { return }
    switch instruction {
    case .load(let register, let address, _, let isExclusive):
      let word = plan.word(at: value(of: address))
      // A lock's word says who holds it.
      let isLock = word.map { plan.places.isLock[$0] } ?? false
      if isExclusive { now.monitor = (value(of: address), result) }
      set(register, to: isLock && result != 0 ? 1 : result)
    case .update(let register, _, _, _, _): set(register, to: result)
    case .storeExclusive(_, _, _, let status):
      if observeExclusive(result, status) { return }
    case .tryLock(_, let register): set(register, to: result == 0 ? 1 : 0)
    case .isLocked(_, let register): set(register, to: result != 0 ? 1 : 0)
    case .enterSleepable, .leaveSleepable, .synchronize, .synchronizeSleepable:
      if observeGrace(instruction, result) { return }
    case .store, .fence, .invalidate, .lock, .unlock, .waitUntilUnlocked, .enterSection,
      .leaveSection, .compute, .branch, .branchUnless, .jump:
      break
    }
    finish()
  }

  // MARK: Accesses

  /// An access to a word; nil, and the process stops, where there is none.
  func access(
    _ kind: Action.Access, at address: Operand, _ order: AccessOrder
  ) -> Action? {
    let value = value(of: address)
    guard let word = plan.word(at: value) else {
      stop("reaches for \(plan.test.text(of: value)), where there is no word")
      return nil
    }
    return Action(.access(kind), plan.places.words[word], order.ordering)
  }

  private func update(
    _ modification: Modification, _ address: Operand, _ operand: Operand, _ order: AccessOrder
  ) -> Action? {
    let value = value(of: operand)
    switch modification {
    case .exchange:
      var action = access(.exchange, at: address, order)
      action?.stored = value
      return action
    case .add:
      var action = access(.fetchAdd, at: address, order)
      action?.addend = value
      return action
    case .compareExchange(let expected):
      var action = access(.compareExchange, at: address, order)
      action?.expected = self.value(of: expected)
      action?.desired = value
      return action
    case .addUnless(let exempt):
      var action = access(.update(.addUnless), at: address, order)
      action?.exempt = self.value(of: exempt)
      action?.operand = value
      return action
    case .and, .or, .xor:
      let kind: Action.Update = modification == .and ? .and : modification == .or ? .or : .xor
      var action = access(.update(kind), at: address, order)
      action?.operand = value
      return action
    }
  }

  private func fence(_ fence: Fence) -> Action? {
    // One behind a branch orders nothing that a machine without speculation leaves open.
    guard fence != .instructions else {
      finish()
      return nil
    }
    var action = Action(.fence)
    switch fence {
    case .full, .synchroniseAll, .synchroniseStores: action.ordering = .sequentiallyConsistent
    case .loads, .synchroniseLoads: action.ordering = .acquire
    case .stores, .instructions: action.ordering = .release
    }
    return action
  }

  // MARK: Exclusives

  /// Asks to fail, as it always may, or to replace the value that was loaded.
  ///
  /// It succeeds if the word has that value, even if others have written in between and one has
  /// written that value again.
  private func storeExclusive(
    _ stored: Operand, _ address: Operand, _ order: AccessOrder, _ status: Int?
  ) -> Action? {
    guard let monitor = now.monitor, monitor.address == value(of: address) else {
      set(status, to: 1)
      finish()
      return nil
    }
    guard now.phase == 1 else {
      var action = Action(.choose)
      action.a = 2
      return action
    }
    var action = access(.compareExchange, at: address, order)
    action?.expected = monitor.value
    action?.desired = value(of: stored)
    return action
  }

  /// True if the instruction is not over.
  private func observeExclusive(_ result: UInt64, _ status: Int?) -> Bool {
    if now.phase == 0, result == 0 {
      now.phase = 1
      return true
    }
    let succeeds = now.phase == 1 && result == now.monitor?.value
    now.monitor = nil
    set(status, to: succeeds ? 0 : 1)
    return false
  }
}

extension AccessOrder {
  var ordering: MemoryOrdering {
    switch self {
    case .relaxed: .relaxed
    case .acquire, .acquireLocally: .acquire
    case .release: .release
    case .acquireRelease: .acquireRelease
    case .full: .sequentiallyConsistent
    }
  }
}
