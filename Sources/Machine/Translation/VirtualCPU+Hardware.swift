// Guest accesses, the walks of the memory management unit, and invalidation by software.

extension VirtualCPU {
  /// A guest on this CPU reads an address.
  ///
  /// It uses a cached translation, or the memory management unit walks the table, one entry per
  /// step; then it reads the data frame, if the scenario has any.
  public func guestRead(
    _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> GuestAccess {
    try guestAccess(address, isWrite: false, SourceSite(file: file, line: line))
  }

  /// A guest on this CPU writes to an address.
  public func guestWrite(
    _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) -> GuestAccess {
    try guestAccess(address, isWrite: true, SourceSite(file: file, line: line))
  }

  private func guestAccess(
    _ address: Int, isWrite: Bool, _ site: SourceSite
  ) throws(Abandoned) -> GuestAccess {
    if isAbandoned { throw refused() }
    guard hasMMU else {
      throw misuse("a guest runs on a CPU that is not declared to have an MMU", site)
    }
    guard geometry.hasAddress(address) else { throw misuse(geometry.addressText(address), site) }
    while true {
      var action = Action(.hardware(.guestAccess), address: address)
      action.isWrite = isWrite
      let result = try issue(action, site)
      switch HardwareResult.kind(result) {
      case HardwareResult.done: return .done(frame: HardwareResult.value(result))
      case HardwareResult.permissionFault: return .permissionFault
      case HardwareResult.mustMarkDirty:
        try markDirty(UInt32(HardwareResult.value(result)), address, site)
      default:
        if let fault = try walk(to: address, from: result, site) { return fault }
      }
    }
  }

  /// Runs the speculative walks and evictions of the memory management unit.
  func runWalker(_ mmu: MMU) throws(Abandoned) {
    let kinds = mmu.evicts ? 2 : 1
    for _ in 0..<mmu.times {
      let count = mmu.addresses.count * kinds
      let choice = count == 1 ? 0 : try choose(count)
      let address = mmu.addresses[choice / kinds]
      if choice % kinds == 0 {
        let start = try issue(Action(.hardware(.walkStart), address: address), .none)
        _ = try walk(to: address, from: start, .none)
      } else {
        _ = try issue(Action(.hardware(.evict), address: address), .none)
      }
      finishOperation(NoResult())
    }
  }

  /// Reads entries from the start of a walk until one is a leaf, which is cached, or leads to a
  /// fault.
  ///
  /// If an entry that it read was invalidated, the walk ends without either.
  private func walk(
    to address: Int, from start: UInt64, _ site: SourceSite
  ) throws(Abandoned) -> GuestAccess? {
    var level = HardwareResult.level(start)
    var table = layout.page(HardwareResult.value(start))
    while true {
      let location = table[geometry.index(of: address, at: level)]
      var action = walkAction(.hardware(.walkRead), location, address, level)
      var read = try issue(action, site)
      if read == HardwareResult.unsettled {
        action.seesFormer = try choose(2) == 1
        read = try issue(action, site)
      }
      if read == HardwareResult.restart { return nil }
      let entry = Descriptor(bits: read)
      switch machine.meaning(of: entry, at: level) {
      case .table(let id):
        table = machine.layout.page(id)
        level += 1
        continue
      case .leaf: break
      case .notPresent, .malformed: return .translationFault
      }
      if entry.hasAccessFlag { return nil }
      switch format.accessFlagRule(features) {
      case .isIgnored: return nil
      case .faults: return .accessFlagFault
      case .isSet: break
      }
      var update = walkAction(.hardware(.walkUpdate), location, address, level)
      update.entryRead = entry.bits
      _ = try issue(update, site)
    }
  }

  private func walkAction(
    _ kind: Action.Kind, _ location: Location, _ address: Int, _ level: Int
  ) -> Action {
    var action = Action(kind, address: address, level: level)
    action.cell = location.cell
    action.lifetime = location.lifetime
    return action
  }

  /// Makes a clean entry dirty, in memory and in the cache, if it is still the same.
  private func markDirty(
    _ cell: UInt32, _ address: Int, _ site: SourceSite
  ) throws(Abandoned) {
    guard let page = layout.pageID(at: cell) else { return }
    var update = Action(.hardware(.walkUpdate), address: address)
    update.cell = cell
    update.lifetime = layout.page(page).base
    update.marksDirty = true
    _ = try issue(update, site)
  }

  // MARK: Software

  /// The meaning of the bits of table entries.
  public var format: EntryFormat { machine.format }

  /// Asks all memory management units that walk a table to drop its cached entries.
  ///
  /// It takes effect at the next `dsb` at the latest; nothing is promised before that. Entries that
  /// this CPU has changed with no barrier since may be cached again with their old values.
  public func tlbi(
    _ invalidation: TLBInvalidation, of root: TablePage,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(root, site)
    guard machine.isRoot(root.id) else {
      throw misuse(
        "a TLBI names the root of the table that MMUs walk, and \(machine.name(ofPage: root.id)) "
          + "is no root", site)
    }
    if let text = problem(of: invalidation) { throw misuse(text, site) }
    guard let invalidation = weakened(invalidation, site) else { return }
    var action = Action(.hardware(.tlbi))
    action.packedInvalidation = invalidation.packed(root: root.id)
    action.writtenNumber = Int(machine.number(of: written))
    pendingInvalidations.append(action)
    _ = try issue(action, site)
  }

  /// Why the invalidation is not valid, or nil.
  private func problem(of invalidation: TLBInvalidation) -> String? {
    if let level = invalidation.level, !(0..<geometry.levels).contains(level) {
      return "TLBI: \(geometry.levelText(level))"
    }
    guard let address = invalidation.address else { return nil }
    if let text = machine.addressCountText(for: "a TLBI") { return text }
    if !geometry.hasAddress(address) { return "TLBI: \(geometry.addressText(address))" }
    let most = geometry.addressCount - address
    guard (1...most).contains(invalidation.count) else {
      return "TLBI of \(invalidation.count) addresses from \(hexadecimal(address)): it takes 1 to "
        + "\(most)"
    }
    guard invalidation.count == 1 || features.rangeInvalidation else {
      return "TLBI of \(invalidation.count) addresses: the architecture has no invalidation of "
        + "ranges (FEAT_TLBIRANGE); look at VirtualCPU.features, or set those of the scenario"
    }
    return nil
  }

  /// Waits until every walk sees all of this CPU's writes, and until its invalidations have taken
  /// effect (DSB).
  public func dsb(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isAbandoned { throw refused() }
    if isWeakened(.noDSB, site) { return }
    // With pending stores, an entry becomes valid when the barrier has waited for them.
    let isInOrder = machine.memoryModel == .sequentialConsistency
    if isInOrder { try settleEntries(site) }
    for pending in pendingInvalidations {
      var action = pending
      action.kind = .hardware(.tlbInvalidate)
      _ = try issue(action, site)
    }
    if !isInOrder {
      _ = try issue(Action(.hardware(.dsb)), site)
      try settleEntries(site)
    }
    if !pendingInvalidations.isEmpty { written.changed = [] }
    written.unpublished = []
    written.madeValid = []
    pendingInvalidations = []
    if isInOrder { _ = try issue(Action(.hardware(.dsb)), site) }
  }

  private func settleEntries(_ site: SourceSite) throws(Abandoned) {
    guard !features.enhancedTranslationSynchronisation else { return }
    for cell in written.madeValid { try settle(cell, site) }
  }

  private func settle(_ cell: UInt32, _ site: SourceSite) throws(Abandoned) {
    // No lifetime: a barrier does not touch the page.
    var action = Action(.hardware(.settle))
    action.cell = cell
    _ = try issue(action, site)
  }

  /// Gives a data frame to another owner, which may then write to it.
  public func handOver(
    _ frame: DataFrame, to owner: FrameOwner, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line)
    try admit(frame.owner, "a data frame", site)
    if let text = machine.scenario.ownerProblem(owner) { throw misuse(text, site) }
    var action = Action(.handOver)
    action.frameNumber = frame.number
    action.newOwner = UInt64(owner.id)
    _ = try issue(action, site)
  }
}

extension GuestAccess: OperationResult {
  public var code: UInt64 {
    switch self {
    case .done(let frame): UInt64(bitPattern: Int64(frame)) &+ 3
    case .translationFault: 0
    case .accessFlagFault: 1
    case .permissionFault: 2
    }
  }

  public var text: String? {
    switch self {
    case .done(let frame): "frame \(hexadecimal(frame))"
    case .translationFault: "translation fault"
    case .accessFlagFault: "access-flag fault"
    case .permissionFault: "permission fault"
    }
  }
}
