// Explains a broken claim: what still leads there, and why no invalidation removed it.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// The explanation of a broken claim (`EventKinds.claimBroken`), in the state in which it was
  /// made.
  public func explanation(ofBrokenClaim event: Event) -> Violation {
    let action = Action(packedClaim: event.value)
    guard let breach = breach(of: action) else { return Violation("[internal] no claim is broken") }
    let place = "\(hexadecimal(breach.address)) of \(name(ofPage: action.claimedRoot))"
    let reliance =
      switch action.claim {
      case .untranslated: "\(place) not being translated any more"
      case .readOnly: "\(place) not being writable any more"
      case .current: "what is cached of \(place) being current"
      }
    return Violation(
      "\(name(ofCPU: event.cpu)) relies on \(reliance), but \(text(of: breach))",
      details: reason(for: breach, action.claimedRoot).map { [$0] } ?? [])
  }

  private func text(of breach: ClaimBreach) -> String {
    let leaf = text(of: breach.leaf.entry, at: breach.leaf.level)
    let source = breach.source == 0 ? "" : name(ofCell: breach.source)
    let cpu = breach.cpu.map { name(ofCPU: $0) } ?? ""
    switch breach.way {
    case .table: return "\(source) is \(leaf)"
    case .cached(let place):
      if bits(of: place).isLeaf { return "\(cpu) still has \(source) cached: \(leaf)" }
      let table = text(of: bits(of: place), at: place.level)
      return "\(cpu) still has \(source) cached, a pointer to \(table), which leads to \(leaf)"
    case .walk(let walker, _):
      let table = walkedPage(by: walker).map { name(ofPage: $0) } ?? ""
      return "a walk of \(cpu) is still in table \(table), which leads to \(leaf)"
    }
  }

  // MARK: Why it is still there

  /// Derived from the steps taken so far; nil for the table itself.
  private func reason(for breach: ClaimBreach, _ root: Int) -> String? {
    let entry: CachedEntry
    let since: Int
    switch breach.way {
    case .table: return nil
    case .cached(let place):
      entry = CachedEntry(
        level: place.level,
        addresses: layout.hardware.addresses(ofPrefix: place.prefix, at: place.level),
        source: breach.source, isLeaf: bits(of: place).isLeaf)
      since = latestWrite(to: place.cell)
    case .walk(let walker, let level):
      let prefix = breach.address / layout.hardware.span(at: level - 1)
      entry = CachedEntry(
        level: level - 1, addresses: layout.hardware.addresses(ofPrefix: prefix, at: level - 1),
        source: breach.source, isLeaf: false)
      since = latestWrite(to: layout.hardware.register(walker))
    }
    return reason(for: entry, of: breach.cpu ?? -1, root, cachedBy: since)
  }

  /// The latest step that wrote a word, or -1.
  func latestWrite(to cell: UInt32) -> Int {
    var end = memory.mark
    for depth in (0..<depth).reversed() {
      let mark = takenStep(depth).mark
      if (mark..<end).contains(where: { memory.change($0).cell == cell }) { return depth }
      end = mark
    }
    return -1
  }

  /// Why a unit still has an entry that it cached in a step.
  func reason(
    for entry: CachedEntry, of cpu: Int, _ root: Int, cachedBy step: Int
  ) -> String {
    var survived: Survival?
    var wasRemovedBefore = false
    for depth in 0..<depth {
      let taken = takenStep(depth)
      let action = localStates[taken.node].pointee.action
      guard action.kind == .hardware(.tlbInvalidate), action.invalidatedRoot == root else {
        continue
      }
      let invalidation = action.invalidation
      let found =
        invalidation.isLocal && taken.cpu != cpu
        ? .local
        : invalidation.survival(of: entry, writtenEntries[action.writtenNumber].unpublished)
      if depth < step { wasRemovedBefore = wasRemovedBefore || found == nil }
      // An invalidation of another address is the least informative reason.
      if depth > step, found != .otherAddress || survived == nil { survived = found }
    }
    if let survived, survived != .otherAddress { return text(of: survived) }
    if isInvalidationIssued(for: entry, root) {
      return "an invalidation was issued for it, but no DSB has waited for it yet"
    }
    if let survived { return text(of: survived) }
    return wasRemovedBefore
      ? "it was read again after the invalidation of it was complete"
      : "no invalidation was issued for it"
  }

  private func text(of survival: Survival) -> String {
    switch survival {
    case .wrongLevel:
      "the invalidation did not remove it: its level hint names a level at which the entry is not"
    case .lastLevelOnly:
      "the invalidation did not remove it: it was for leaves only, and this is a pointer to a table"
    case .unpublished:
      "the invalidation did not remove it: it was issued before the DSB that publishes the change"
    case .local: "the invalidation did not remove it: it was for the issuing CPU only"
    case .otherAddress: "the invalidation did not remove it: it was for another address"
    }
  }

  /// True if some CPU has issued an invalidation that would remove the entry, and has not waited.
  private func isInvalidationIssued(for entry: CachedEntry, _ root: Int) -> Bool {
    (0..<cpuCount).contains { cpu in
      var node = localStates.parent(of: positions[cpu])
      while node >= 0 {
        let action = localStates[node].pointee.action
        if action.kind == .hardware(.dsb) || action.kind == .hardware(.tlbInvalidate) {
          return false
        }
        if action.kind == .hardware(.tlbi), action.invalidatedRoot == root,
          action.invalidation.survival(of: entry, []) == nil
        {
          return true
        }
        node = localStates.parent(of: node)
      }
      return false
    }
  }
}
