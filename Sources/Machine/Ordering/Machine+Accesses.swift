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
  func isAwaited(_ action: Action, by cpu: Int) -> Bool {
    if memoryModel == .armv8 { return !readings(of: action, by: cpu).isEmpty }
    let value = read(action, choosing: 0, by: cpu)
    let isEqual = value & action.mask == action.awaited
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
    case .fetchAdd, .incrementUnlessZero, .update:
      return performArithmetic(access, action, by: cpu)
    case .drain:
      drain(cpu - firstDrainer)
      return 0
    }
  }

  func noteDereference(_ action: Action, by cpu: Int) {
    if !isInside(.sections, cpu) && !isInside(.interrupts, cpu) {
      report(.dereferencedOutside, cpu, cell: action.cell)
    }
  }

  /// Arithmetic makes numbers, and never entries; but bits of an entry are an entry's, and changing
  /// them may link and unlink tables.
  private func performArithmetic(
    _ access: Action.Access, _ action: Action, by cpu: Int
  ) -> UInt64 {
    let old = readLatest(action, by: cpu)
    guard let new = arithmetic(access, action, on: old) else { return old }
    if changesEntry(access, action) {
      store(new, for: action, by: cpu)
    } else {
      storeNumber(new, for: action, by: cpu)
    }
    tell(action, by: cpu)
    checkArithmetic(access, action, from: old, to: new, by: cpu)
    return access == .incrementUnlessZero ? 1 : old
  }

  /// Where CPUs are exchanged, arithmetic must not make the address of a page of another one.
  func checkArithmetic(
    _ access: Action.Access, _ action: Action, from old: UInt64, to new: UInt64, by cpu: Int
  ) {
    guard usesSymmetry, !keepsTarget(access, action) else { return }
    switch access {
    case .fetchAdd, .incrementUnlessZero, .update:
      noteArithmetic(from: old, to: new, in: action.cell, by: cpu)
    case .load, .store, .compareExchange, .exchange, .wait, .drain: break
    }
  }

  /// The number that arithmetic makes of another; nil if it leaves the word as it is.
  func arithmetic(
    _ access: Action.Access, _ action: Action, on old: UInt64
  ) -> UInt64? {
    switch access {
    case .fetchAdd: old &+ action.addend
    case .incrementUnlessZero: old == 0 ? nil : old &+ 1
    case .update(.addUnless) where old == action.exempt: nil
    case .update(let update): action.updated(update, old)
    case .load, .store, .compareExchange, .exchange, .wait, .drain: nil
    }
  }

  /// True if arithmetic changes an entry of a table.
  private func changesEntry(_ access: Action.Access, _ action: Action) -> Bool {
    if case .update = access { return layout.entry(at: action.cell) != nil }
    return false
  }

  private func keepsTarget(_ access: Action.Access, _ action: Action) -> Bool {
    if case .update(let update) = access { return action.keepsTarget(update) }
    return false
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
    case .drain: addDrain(of: cpu - firstDrainer, to: footprint)
    case .fetchAdd: addNumber(action, by: cpu, to: footprint)
    case .incrementUnlessZero, .update:
      let old = readLatest(action, by: cpu)
      guard let new = arithmetic(access, action, on: old) else {
        addRead(action, by: cpu, to: footprint)
        break
      }
      if changesEntry(access, action) {
        addStore(of: new, action, by: cpu, to: footprint)
      } else {
        addNumber(action, by: cpu, to: footprint)
      }
    }
  }

  /// Adds what it could touch after steps of others: an access that would fail now may succeed in
  /// another order.
  func addPotentialAccess(
    _ access: Action.Access, _ action: Action, by cpu: Int, to footprint: Footprint
  ) {
    switch access {
    case .drain: addPotentialDrain(of: cpu - firstDrainer, to: footprint)
    case .compareExchange:
      addExchange(of: action.expected, for: action.desired, in: action.cell, footprint)
    case .store, .exchange:
      addUnlink(from: action.cell, footprint)
      if !layout.isNamed(action.cell) {
        addPotentialRelink(of: action.stored, to: footprint)
      }
    case .incrementUnlessZero: footprint.write(action.cell)
    case .update(let update):
      if update == .addUnless { footprint.write(action.cell) }
      if layout.entry(at: action.cell) != nil {
        addAnyChange(ofEntry: action.cell, keepsTarget: action.keepsTarget(update), footprint)
      }
    case .load, .wait, .fetchAdd: break
    }
  }

  /// True if its footprint does not depend on steps of others.
  func hasFixedFootprint(_ access: Action.Access, _ action: Action) -> Bool {
    switch access {
    case .compareExchange, .incrementUnlessZero, .update(.addUnless): false
    case .store, .exchange: layout.isNamed(action.cell)
    case .drain: false
    case .update(.and), .update(.or), .update(.xor): layout.entry(at: action.cell) == nil
    case .load, .wait, .fetchAdd: true
    }
  }
}
