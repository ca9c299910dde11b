// Memory models by their axioms: in which order a program's events must be.
//
// Written from the architectures' definitions, and shares nothing with the machine that it judges.
// An execution is allowed if each word is coherent, nobody stores between the halves of a
// read-modify-write, and this order has no cycle: what the program keeps in order, and what events
// tell each other through memory.

import GracewalkMachine

extension Events {
  // MARK: Through memory

  /// True if the model orders what one event tells another through memory.
  func isOrdered(_ a: Int, _ b: Int, readsFrom: Bool, by model: MemoryModel) -> Bool {
    switch model {
    case .sequentialConsistency: true
    case .totalStoreOrder: isExternal(a, b) || !readsFrom
    case .armv8: isExternal(a, b)
    }
  }

  /// Armv8: an acquire of what a read-modify-write of one's own stores comes after its load.
  func isAcquired(_ a: Int, _ b: Int, from source: Int) -> Bool {
    isBefore(a, b) && acquires(b) && all[a].partner == source
  }

  // MARK: In the program

  /// What a model keeps in program order, whatever loads read.
  func kept(by model: MemoryModel) -> [Row] {
    relation { a, b in
      guard isBefore(a, b) else { return false }
      return switch model {
      case .sequentialConsistency: true
      case .totalStoreOrder: isKeptByTSO(a, b)
      case .armv8: isKeptByArm(a, b)
      }
    }
  }

  /// All but a store before a load, without a fence or locked operation between.
  private func isKeptByTSO(_ a: Int, _ b: Int) -> Bool {
    if !all[a].isWrite || all[b].isWrite { return true }
    if all[a].partner >= 0 || all[b].partner >= 0 { return true }
    if hasFence(between: a, and: b, { $0 == .full }) { return true }
    return all.indices.contains { c in
      all[c].partner >= 0 && isBefore(a, c) && isBefore(c, b)
    }
  }

  private func isKeptByArm(_ a: Int, _ b: Int) -> Bool {
    all[a].partner == b || isOrderedByBarrier(a, b)
      // Stores of one process to a word become visible in their order.
      || all[a].isWrite && all[b].isWrite && all[a].access.word == all[b].access.word
      // No load buffering.
      || !all[a].isWrite && all[b].isWrite
  }

  private func acquires(_ event: Int) -> Bool {
    !all[event].isWrite && (all[event].access.acquires || all[event].access.acquiresLocally)
  }

  private func releases(_ event: Int) -> Bool {
    all[event].isWrite && all[event].access.releases
  }

  private func isOrderedByBarrier(_ a: Int, _ b: Int) -> Bool {
    if acquires(a) || releases(b) { return true }
    if releases(a), !all[b].isWrite, all[b].access.acquires { return true }
    let isCounted = !all[a].isWrite && !all[a].access.isUnused
    let bothWrite = all[a].isWrite && all[b].isWrite
    if hasFence(
      between: a, and: b,
      { $0 == .full || $0 == .loads && isCounted || $0 == .stores && bothWrite })
    {
      return true
    }
    // One instruction with both orders comes before all behind it.
    return all[a].isWrite && all[a].partner >= 0 && all[a].access.acquires
      && all[a].access.releases && !all[a].access.isExclusive
  }
}
