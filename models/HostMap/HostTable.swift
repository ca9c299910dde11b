// The host's stage 2 in a hypervisor without RCU: an identity map, built as the host faults.

import Gracewalk

/// The table through which a hypervisor lets its host reach the host's pages.
///
/// Page `n` is mapped to frame `n`, with a block wherever the host owns its whole range. An entry
/// is mapped, or has the mark of another owner, or is empty and the host may fault it in
/// (`host_stage2_idmap` and `host_stage2_set_owner_locked`, arch/arm64/kvm/hyp/nvhe of Linux 6.2).
/// There are two levels.
struct HostTable: Sendable {
  /// The lock that excludes the hypervisor's CPUs from each other; it does not stop hardware.
  private enum Lock: Sendable {
    case exclusive(SpinLock)
    /// Faults share it; code that frees or replaces tables takes it exclusively.
    case shared(ReadWriteLock)
  }

  /// How a block becomes a table, and a table a block, if not by break, flush and make.
  enum Resizing: Sendable {
    /// Break the entry and flush; the host's faults fill a new table, or make the block again.
    case fillOnDemand
    /// Without a break where FEAT_BBM level 2 allows it.
    case inPlaceIfAllowed
  }

  /// Where pages 0 and 1 are at the start: in a block, or nowhere; or page 1 is the guest's, and
  /// page 0 is mapped, or is not.
  enum Start { case block, empty, donated, donatedAlone }

  /// Invalid, with the mark of an owner other than the host (`kvm_pgtable_stage2_set_owner`); it
  /// counts as an entry in use (`stage2_pte_is_counted`).
  static let owned = Descriptor(word: 1 << 2)

  let root: TablePage
  let geometry: Geometry
  let frames: [DataFrame]
  let host: FrameOwner
  /// The owner that the host donates pages to.
  let guest: FrameOwner
  /// The guest's own stage 2, which maps its page 0 to the donated page.
  let guestRoot: TablePage
  private let lock: Lock
  let resizing: Resizing?

  init(
    _ scenario: Scenario, _ start: Start, _ resizing: Resizing? = nil, sharing: Bool = false
  ) {
    geometry = scenario.geometry
    root = scenario.rootTable("host root")
    guestRoot = scenario.rootTable("guest root")
    frames = scenario.dataFrames(geometry.addressCount)
    host = scenario.frameOwner("the host")
    guest = scenario.frameOwner("the protected guest")
    lock =
      sharing
      ? .shared(scenario.readWriteLock("host_lock")) : .exclusive(scenario.spinLock("host_lock"))
    self.resizing = resizing
    let table = self
    scenario.boot { cpu in try table.setUp(cpu, start) }
    scenario.require(
      InvariantCatalogue.tables + InvariantCatalogue.hardware + [DonatedPageUnreachable()])
    let donated = start == .donated || start == .donatedAlone ? [1] : []
    scenario.require(OperationsLinearise(toOwners: geometry, donated: donated))
  }

  private func setUp(_ cpu: VirtualCPU, _ start: Start) throws {
    for frame in frames { try cpu.handOver(frame, to: host) }
    if let table = try cpu.allocateTable() { try cpu.fill(guestRoot, 0, .table(table)) }
    if start == .empty { return }
    if start == .block { return try cpu.fill(root, 0, block(over: 1)) }
    guard let pages = try cpu.allocateTable() else { return }
    try cpu.fill(root, 0, .table(pages))
    if start == .donated { try cpu.fill(pages, 0, .page(0)) }
    try cpu.fill(pages, 1, HostTable.owned)
    try cpu.handOver(frames[1], to: guest)
    try mapForGuest(cpu, 1)
  }

  /// Runs code under the lock, which faults may share.
  func locked<Result>(
    _ cpu: VirtualCPU, forChange: Bool = true, _ body: () throws -> Result
  ) throws -> Result {
    let isShared = !forChange || cpu.omits("taking the lock for writing")
    switch lock {
    case .exclusive(let lock): try cpu.lock(lock)
    case .shared(let lock): try isShared ? cpu.readLock(lock) : cpu.writeLock(lock)
    }
    let result = try body()
    switch lock {
    case .exclusive(let lock): try cpu.unlock(lock)
    case .shared(let lock): try isShared ? cpu.readUnlock(lock) : cpu.writeUnlock(lock)
    }
    return result
  }

  /// The maximum number of faults of the host on one access.
  ///
  /// It faults once if its page was never mapped, and again for each entry that was broken
  /// meanwhile or, without FEAT_ETS2, made valid during its walk. Our scenarios have fewer; more
  /// means that the host never reaches its own page.
  private static let faultsMax = 5

  /// The host reads one of its present or former pages.
  func hostReads(_ page: Int) -> CPUOperation {
    CPUOperation(HostCall.hostRead, page) { cpu -> HostResult in
      for _ in 0..<HostTable.faultsMax {
        if case .done = try cpu.guestRead(page) { return .reached }
        if try !cpu.scope("fault", { try handleFault(cpu, page) }) { return .refused }
      }
      return .faultedForEver
    }
  }

  /// Maps what the host faulted on; false if it belongs to somebody else.
  private func handleFault(_ cpu: VirtualCPU, _ address: Int) throws -> Bool {
    try locked(cpu, forChange: false) {
      let parent = root.entry(of: address, at: 0)
      let entry = try cpu.load(parent, .acquire)
      if let table = cpu.table(at: entry) {
        let slot = table.entry(of: address, at: 1)
        let page = try cpu.load(slot, .acquire)
        if page == HostTable.owned { return false }
        if !page.isValid { try install(cpu, slot, .page(address)) }
      } else if !entry.isValid {
        try install(cpu, parent, block(over: address))
      }
      return true
    }
  }

  /// Fills an empty entry, unless another CPU that shares the lock was faster.
  private func install(_ cpu: VirtualCPU, _ slot: Entry, _ new: Descriptor) throws {
    if try cpu.tryCompareExchange(slot, .invalid, new, .acquireRelease) {
      try cpu.getPage(of: slot)
    }
    try cpu.dsb()
  }

  /// The block that maps an address.
  func block(over address: Int) -> Descriptor {
    .block(geometry.addresses(sharingEntryWith: address, at: 0).lowerBound)
  }

  /// The guest writes to its page, if it has one by now: its page 0 is the host's page 1.
  var guestWrites: CPUOperation {
    CPUOperation(HostCall.guestWrite, 1) { cpu -> HostResult in
      if case .done = try cpu.guestWrite(0) { return .reached }
      return .refused
    }
  }

  /// Maps a frame at page 0 of the guest's table.
  func mapForGuest(_ cpu: VirtualCPU, _ frame: Int) throws {
    guard let table = cpu.table(at: try cpu.load(guestRoot.entry(0), .relaxed)) else { return }
    try cpu.store(table.entry(0), .page(frame), .release)
    try cpu.getPage(table)
    try cpu.dsb()
  }

  /// Takes page 0 from a guest that has ended: its MMUs may still walk.
  func unmapFromGuest(_ cpu: VirtualCPU) throws {
    guard let table = cpu.table(at: try cpu.load(guestRoot.entry(0), .relaxed)) else { return }
    try cpu.store(table.entry(0), .invalid, .release)
    try cpu.putPage(table)
    try cpu.dsb()
    if !cpu.omits("flushing the guest's table") {
      try cpu.tlbi(.all, of: guestRoot)
      try cpu.dsb()
    }
    try cpu.expectUntranslated(guestRoot, 0)
  }
}
