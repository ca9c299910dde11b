// The steps of processes: what each may do next, and what becomes of it.

import GracewalkMachine

/// A way to take a step.
enum WeakChoice: Equatable {
  /// A pending store becomes visible.
  case flush(Int)
  /// A load, or a read-modify-write that fails, reads a visible store.
  case read(Int)
  /// It reads the newest pending store of its own process.
  case forward
  case update
  case failExclusive
  case succeedExclusive
  /// Enters a section for which these grace periods wait.
  case enter(UInt64)
  case beginGrace
  case endGrace
  /// A store, under sequential consistency.
  case store
  /// Translates an access by the entry that a visible store has written.
  case translate(Int)
  /// A `DSB` completes invalidations.
  case complete
  /// The address is that of no word.
  case stop
}

extension WeakMachine {
  /// The ways to take the next step of a process; none if it cannot be taken now.
  func nextChoices(of process: Int, in state: WeakState) -> [WeakChoice] {
    guard !state.processes[process].isStuck, let instruction = instruction(of: process, in: state)
    else { return [] }
    if let choices = translationChoices(instruction, by: process, in: state) { return choices }
    switch instruction {
    case .fence(.synchroniseAll):
      return state.order.walks.isEmpty || state.order.walks[process].issued.isEmpty
        ? [] : completionChoices(by: process, in: state)
    case .load, .isLocked, .waitUntilUnlocked:
      return loadChoices(load(instruction), by: process, in: state)
    case .update, .lock, .tryLock:
      return updateChoices(update(instruction, by: process, in: state), by: process, in: state)
    case .storeExclusive: return exclusiveChoices(instruction, by: process, in: state)
    case .enterSection, .enterSleepable: return entryChoices(instruction, by: process, in: state)
    case .synchronize: return graceChoices(domain: 0, by: process, in: state)
    case .synchronizeSleepable(let domain):
      return graceChoices(domain: domain + 1, by: process, in: state)
    case .store, .unlock: return model == .sequentialConsistency ? [.store] : []
    case .fence, .invalidate, .compute, .branch, .branchUnless, .jump, .leaveSection,
      .leaveSleepable:
      return []
    }
  }

  /// Takes a step.
  func take(_ choice: WeakChoice, by process: Int, in state: inout WeakState) {
    if case .flush(let index) = choice { return flush(index, of: process, in: &state) }
    guard let instruction = instruction(of: process, in: state) else { return }
    switch choice {
    case .flush: return
    case .stop:
      if let address = instruction.addressOperand {
        _ = word(at: address, for: process, in: &state)
      }
      return
    case .read, .forward:
      if let load = failingLoad(instruction, by: process, in: state) {
        perform(load, choice, by: process, in: &state)
      }
    case .update: perform(update(instruction, by: process, in: state), by: process, in: &state)
    case .failExclusive: failExclusive(instruction, by: process, in: &state)
    case .succeedExclusive: succeedExclusive(instruction, by: process, in: &state)
    case .enter(let waiters): enter(instruction, waiters, by: process, in: &state)
    case .beginGrace:
      beginGrace(domain: instruction.graceDomain, by: process, in: &state)
      return
    case .endGrace: endGrace(domain: instruction.graceDomain, by: process, in: &state)
    case .store: store(instruction, by: process, in: &state)
    case .translate(let place):
      translate(place, instruction, by: process, in: &state)
      return
    case .complete: complete(by: process, in: &state)
    }
    state.processes[process].translation = nil
    state.processes[process].counter += 1
  }

  /// A store that is visible at once.
  private func store(_ instruction: Instruction, by process: Int, in state: inout WeakState) {
    let known = state.processes[process]
    switch instruction {
    case .store(let value, let address, _):
      guard let word = LitmusTest.word(at: known.value(of: address), of: test.words.count) else {
        return
      }
      _ = append(known.value(of: value), to: word, by: process, in: &state)
    case .unlock(let lock):
      guard let word = LitmusTest.word(at: known.value(of: lock), of: test.words.count) else {
        return
      }
      _ = append(0, to: word, by: process, in: &state)
    default: break
    }
  }

  /// The load that an instruction is, or comes to when it fails.
  private func failingLoad(
    _ instruction: Instruction, by process: Int, in state: WeakState
  ) -> WeakLoad? {
    switch instruction {
    case .load, .isLocked, .waitUntilUnlocked: load(instruction)
    case .update, .lock, .tryLock: update(instruction, by: process, in: state).failure
    default: nil
    }
  }
}

extension Instruction {
  /// The address that it loads from or stores to.
  var addressOperand: Operand? {
    switch self {
    case .load(_, let address, _, _), .store(_, let address, _),
      .storeExclusive(_, let address, _, _), .update(_, _, let address, _, _):
      address
    default: lockOperand
    }
  }

  /// True if it may store to that address.
  var stores: Bool {
    switch self {
    case .store, .storeExclusive, .update, .lock, .unlock, .tryLock: true
    case .load, .isLocked, .waitUntilUnlocked, .fence, .invalidate, .compute, .branch,
      .branchUnless, .jump, .enterSection, .leaveSection, .synchronize, .enterSleepable,
      .leaveSleepable, .synchronizeSleepable:
      false
    }
  }

  /// The domain of a grace period; 0 is that of read-copy-update.
  var graceDomain: Int {
    if case .synchronizeSleepable(let domain) = self { domain + 1 } else { 0 }
  }
}
