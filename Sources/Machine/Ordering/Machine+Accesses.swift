// Accesses of code to words: their effects, their footprints, and whether they can be taken.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// The number of results of an action among which the search must choose.
  @inline(__always)
  func choiceCount(of action: Action, by cpu: Int) -> Int {
    action.kind == .choose ? action.choices : readableCount(action, by: cpu)
  }

  /// True if the word satisfies a wait.
  func isAwaited(_ action: Action) -> Bool {
    let isEqual = memory[action.cell] & action.mask == action.awaited
    return isEqual != action.awaitsDifference
  }

  @inline(__always)
  func performAccess(
    _ access: Action.Access, _ action: Action, choosing choice: Int, by cpu: Int
  ) -> UInt64 {
    switch access {
    case .load:
      if action.isDereference { noteDereference(action, by: cpu) }
      hear(action, by: cpu)
      return read(action, choosing: choice, by: cpu)
    case .wait:
      hear(action, by: cpu)
      return read(action, choosing: choice, by: cpu)
    case .store:
      store(action.stored, for: action, by: cpu)
      tell(action, by: cpu)
      return 0
    case .compareExchange:
      let old = readLatest(action, by: cpu)
      if old == action.expected {
        store(action.desired, for: action, by: cpu)
        tell(action, by: cpu)
      }
      return old
    case .exchange:
      let old = readLatest(action, by: cpu)
      store(action.stored, for: action, by: cpu)
      tell(action, by: cpu)
      return old
    case .fetchAdd, .incrementUnlessZero: return performArithmetic(action, by: cpu)
    case .update(let update): return performUpdate(update, action, by: cpu)
    }
  }

  private func noteDereference(_ action: Action, by cpu: Int) {
    if !isInside(.sections, cpu) && !isInside(.interrupts, cpu) {
      report(.dereferencedOutside, cpu, cell: action.cell)
    }
  }

  private func performArithmetic(_ action: Action, by cpu: Int) -> UInt64 {
    let old = readLatest(action, by: cpu)
    let isIncrement = action.kind == .access(.incrementUnlessZero)
    if isIncrement && old == 0 { return 0 }
    let new = old &+ (isIncrement ? 1 : action.addend)
    storeNumber(new, for: action, by: cpu)
    tell(action, by: cpu)
    if usesSymmetry { noteArithmetic(from: old, to: new, in: action.cell, by: cpu) }
    return isIncrement ? 1 : old
  }

  private func performUpdate(
    _ update: Action.Update, _ action: Action, by cpu: Int
  ) -> UInt64 {
    let old = readLatest(action, by: cpu)
    guard !leaves(old, update, action) else { return old }
    let new =
      switch update {
      case .and: old & action.operand
      case .or: old | action.operand
      case .xor: old ^ action.operand
      case .addUnless: old &+ action.operand
      }
    storeNumber(new, for: action, by: cpu)
    tell(action, by: cpu)
    if usesSymmetry { noteArithmetic(from: old, to: new, in: action.cell, by: cpu) }
    return old
  }

  /// True if an update finds a value that it leaves as it is.
  private func leaves(_ value: UInt64, _ update: Action.Update, _ action: Action) -> Bool {
    update == .addUnless && value == action.exempt
  }

  // MARK: Footprints

  /// Adds the footprint of an access if it were taken now; one that fails is a load.
  @inline(__always)
  func addAccess(
    _ access: Action.Access, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    switch access {
    case .load, .wait: addRead(action, by: cpu, to: footprint)
    case .store, .exchange: addStore(of: action.stored, action, by: cpu, to: footprint)
    case .compareExchange:
      if readLatest(action, by: cpu) == action.expected {
        addStore(of: action.desired, action, by: cpu, to: footprint)
      } else {
        addRead(action, by: cpu, to: footprint)
      }
    case .fetchAdd: addNumber(action, by: cpu, to: footprint)
    case .update(let update):
      if leaves(readLatest(action, by: cpu), update, action) {
        addRead(action, by: cpu, to: footprint)
      } else {
        addNumber(action, by: cpu, to: footprint)
      }
    case .incrementUnlessZero:
      if readLatest(action, by: cpu) == 0 {
        addRead(action, by: cpu, to: footprint)
      } else {
        addNumber(action, by: cpu, to: footprint)
      }
    }
  }

  /// Adds what it could touch after steps of others: an access that would fail now may succeed in
  /// another order.
  func addPotentialAccess(_ access: Action.Access, _ action: Action, to footprint: Footprint) {
    switch access {
    case .compareExchange:
      addExchange(of: action.expected, for: action.desired, in: action.cell, footprint)
    case .store, .exchange:
      addUnlink(from: action.cell, footprint)
      if !layout.isNamed(action.cell) {
        addPotentialRelink(of: action.stored, to: footprint)
      }
    case .incrementUnlessZero, .update(.addUnless): footprint.write(action.cell)
    case .load, .wait, .fetchAdd, .update(.and), .update(.or), .update(.xor): break
    }
  }

  /// True if its footprint does not depend on steps of others.
  func hasFixedFootprint(_ access: Action.Access, _ action: Action) -> Bool {
    switch access {
    case .compareExchange, .incrementUnlessZero, .update(.addUnless): false
    case .store, .exchange: layout.isNamed(action.cell)
    case .load, .wait, .fetchAdd, .update(.and), .update(.or), .update(.xor): true
    }
  }
}
