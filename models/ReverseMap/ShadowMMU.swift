// A shadow MMU with a reverse map: for each guest frame, a chain of the entries that map it.

import Gracewalk

/// The result of a harvest of a frame's dirty mark.
enum Harvest: UInt64, OperationResult {
  case clean
  case copied
  /// The walk of the chain ended in another chain, and started again.
  case copiedAfterAnotherWalk
  /// The chain led to an entry that now belongs to a directory.
  case copiedPastDirectory
}

/// The parts of KVM/x86's shadow MMU that write protection uses (arch/x86/kvm/mmu.c, 3.11 and the
/// patches of 2013).
///
/// Chains change under `mmu_lock`. A descriptor is an object of a type-safe slab: its first word is
/// the address of an entry, its second leads to the next descriptor. A chain ends with a marker
/// that names its frame.
struct ShadowMMU: Sendable {
  let frames: [NoGuestWriteWithoutDirtyRecord.Frame]
  let chains: [ReverseMapAgrees.Chain]
  private let lock: SpinLock
  private let root: TablePage
  /// The root of a vCPU in a paging mode with one more level.
  private let higherRoot: TablePage
  private let shadowPages: Slab
  private let descriptors: Slab
  /// Set while the vCPU's guest may use a translation it has read: what a TLB flush waits for.
  private let inGuest: Word<Bool>

  init(_ scenario: Scenario) {
    root = scenario.rootTable()
    higherRoot = scenario.rootTable("higher root")
    lock = scenario.spinLock("mmu_lock")
    shadowPages = scenario.slab("shadow page", pages: 2)
    descriptors = scenario.slab("descriptor", pages: 2, kind: .objects)
    inGuest = scenario.variable("in guest", initial: false)
    frames = (0..<2).map { frame in
      .init(
        name: "frame \(frame)", version: scenario.word("version \(frame)"),
        copied: scenario.word("copied \(frame)"), dirty: scenario.word("dirty \(frame)"))
    }
    chains = (0..<2).map { frame in
      .init(frame: frame, head: scenario.word("chain \(frame)", initial: Self.end(of: frame)))
    }
  }

  /// The end of a frame's chain: odd, so it is not an address.
  private static func end(of frame: Int) -> UInt64 { UInt64(frame) << 1 | 1 }

  // MARK: Entries, which say in their software bits which level they are made for

  private func leaf(_ frame: Int) -> Descriptor { .page(frame).withSoftwareBits(1) }

  /// An entry that leads to a shadow page; it allows everything that the leaves below allow.
  private func directory(_ page: TablePage, level: Int) -> Descriptor {
    .table(page).writable.withSoftwareBits(level)
  }

  /// Makes the shadow page that the first entry of the root leads to.
  func setUp(_ cpu: VirtualCPU) throws {
    guard let page = try cpu.allocate(from: shadowPages) else { return }
    try cpu.store(root.entry(0), directory(page, level: 2), .release)
  }

  private func shadowPage(_ cpu: VirtualCPU) throws -> TablePage? {
    cpu.table(at: try cpu.load(root.entry(0), .acquire))
  }

  private func withShadowPage(_ cpu: VirtualCPU, _ body: (TablePage) throws -> Void) throws {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) { try body(page) }
    try cpu.unlock(lock)
  }

  // MARK: The chains, under the lock

  private func add(_ cpu: VirtualCPU, _ address: UInt64, to chain: ReverseMapAgrees.Chain) throws {
    guard let descriptor = try cpu.allocate(from: descriptors) else { return }
    try cpu.store(descriptor[0], address, .relaxed)
    try cpu.store(descriptor[1], try cpu.load(chain.head, .relaxed), .relaxed)
    try cpu.store(chain.head, descriptor.address, .release)
  }

  private func remove(
    _ cpu: VirtualCPU, _ address: UInt64, from chain: ReverseMapAgrees.Chain
  ) throws {
    var link = chain.head
    while let descriptor = cpu.page(at: try cpu.load(link, .relaxed)) {
      if try cpu.load(descriptor[0], .relaxed) == address {
        try cpu.store(link, try cpu.load(descriptor[1], .relaxed), .release)
        return try cpu.free(descriptor, to: descriptors)
      }
      link = descriptor[1]
    }
  }

  /// `set_spte`: the entry, its place in the chain, and the dirty mark, which must come last.
  ///
  /// A walk of the chain before the entry is in it may pass it by: the mark is yet to come.
  private func set(_ cpu: VirtualCPU, _ page: TablePage, _ entry: Int, frame: Int) throws {
    let marksFirst = cpu.omits("marking the page dirty last")
    if marksFirst { try cpu.store(frames[frame].dirty, 1, .relaxed) }
    let old = try cpu.load(page.entry(entry), .relaxed)
    try cpu.store(page.entry(entry), leaf(frame), .relaxed)
    if !old.isValid { try add(cpu, page.address(ofEntry: entry), to: chains[frame]) }
    try cpu.fence(.release)
    if !marksFirst { try cpu.store(frames[frame].dirty, 1, .relaxed) }
  }

  private func clear(_ cpu: VirtualCPU, _ page: TablePage, _ entry: Int) throws {
    let old = try cpu.exchange(page.entry(entry), .invalid, .acquireRelease)
    guard let frame = old.dataFrame, !cpu.omits("taking a cleared entry out of the chain") else {
      return
    }
    try remove(cpu, page.address(ofEntry: entry), from: chains[frame])
  }

  func map(_ cpu: VirtualCPU, entry: Int, frame: Int) throws {
    try withShadowPage(cpu) { page in try set(cpu, page, entry, frame: frame) }
  }

  /// The guest writes to a frame, and faults until it succeeds; false if it gave up.
  func write(_ cpu: VirtualCPU, entry: Int, frame: Int) throws -> Bool {
    for _ in 0..<2 {
      try cpu.store(inGuest, true, .relaxed)
      // As in vcpu_enter_guest: whoever changes the entry and sees no guest is seen by this one.
      try cpu.fence(.sequentiallyConsistent)
      let isAllowed = try mayWrite(cpu, entry)
      if isAllowed { _ = try cpu.fetchAdd(frames[frame].version, 1, .relaxed) }
      try cpu.store(inGuest, false, .release)
      if isAllowed { return true }
      try map(cpu, entry: entry, frame: frame)
    }
    return false
  }

  /// The MMU's walk.
  private func mayWrite(_ cpu: VirtualCPU, _ entry: Int) throws -> Bool {
    guard let page = try shadowPage(cpu) else { return false }
    let leaf = try cpu.load(page.entry(entry), .relaxed)
    return leaf.isValid && leaf.isWritable
  }

  /// `kvm_flush_remote_tlbs`: whoever enters the guest after the barrier finds the entries changed.
  ///
  /// That includes entries that another CPU has changed, and that were only read here.
  private func flush(_ cpu: VirtualCPU) throws {
    // make_all_cpus_request: smp_mb() before vcpu->mode is read.
    try cpu.fence(.sequentiallyConsistent)
    try cpu.wait(until: inGuest, .equals(false))
  }

  /// Unmaps an entry and maps another frame with it, so the descriptor moves to the other chain.
  func remap(_ cpu: VirtualCPU, entry: Int, to frame: Int) throws {
    try withShadowPage(cpu) { page in
      try clear(cpu, page, entry)
      try set(cpu, page, entry, frame: frame)
    }
  }

  /// Frees the shadow page, which is reused one level up, below another root.
  func reuseShadowPage(_ cpu: VirtualCPU) throws {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) {
      for entry in 0..<2 { try clear(cpu, page, entry) }
      try cpu.store(root.entry(0), .invalid, .release)
      try flush(cpu)
      try cpu.free(page, to: shadowPages)
    }
    if let upper = try cpu.allocate(from: shadowPages),
      let lower = try cpu.allocate(from: shadowPages)
    {
      try cpu.store(upper.entry(0), directory(lower, level: 2), .relaxed)
      try cpu.store(higherRoot.entry(0), directory(upper, level: 3), .release)
    }
    try cpu.unlock(lock)
  }

  /// Unmaps an entry; then memory is short.
  func unmapAndShrink(_ cpu: VirtualCPU, entry: Int) throws {
    try withShadowPage(cpu) { page in try clear(cpu, page, entry) }
    if !cpu.omits("the grace period before memory leaves the slab") { try cpu.synchronizeRCU() }
    try cpu.shrink(descriptors)
  }

  // MARK: Dirty logging, without the lock

  /// Reads and clears a frame's dirty mark; if it was set, copies the frame when every later write
  /// marks it again.
  func harvest(_ cpu: VirtualCPU, frame: Int) throws -> Harvest {
    guard try cpu.exchange(frames[frame].dirty, 0, .acquireRelease) == 1 else { return .clean }
    let isInSection = !cpu.omits("the walker's read-side section")
    if isInSection { try cpu.rcuReadLock() }
    let result = try writeProtect(cpu, frame)
    if isInSection { try cpu.rcuReadUnlock() }
    if !cpu.omits("flushing TLBs before the page is copied") { try flush(cpu) }
    let version = try cpu.load(frames[frame].version, .relaxed)
    try cpu.store(frames[frame].copied, version, .relaxed)
    return result
  }

  /// Walks a frame's chain and clears the write bit of each entry in it.
  ///
  /// A descriptor may move to another chain during the walk, which then ends with that chain's
  /// marker: the rest of the original chain has been missed.
  private func writeProtect(_ cpu: VirtualCPU, _ frame: Int) throws -> Harvest {
    var result = Harvest.copied
    while true {
      var next = try cpu.load(chains[frame].head, .acquire)
      while let descriptor = cpu.page(at: next) {
        let address = try cpu.load(descriptor[0], .relaxed)
        if let entry = cpu.entry(at: address), try !writeProtect(cpu, Entry(entry)) {
          result = .copiedPastDirectory
        }
        next = try cpu.load(descriptor[1], .acquire)
      }
      if next == Self.end(of: frame) { return result }
      if cpu.omits("comparing the end of the chain with the one begun in") { return result }
      result = .copiedAfterAnotherWalk
    }
  }

  /// Clears the write bit of a leaf; false if the entry belongs to a directory.
  private func writeProtect(_ cpu: VirtualCPU, _ entry: Entry) throws -> Bool {
    var old = try cpu.load(entry, .relaxed)
    while old.isValid, old.isWritable, old.softwareBits == 1 || cpu.omits("the level in the entry")
    {
      let result = try cpu.compareExchange(
        entry, expected: old, desired: old.readOnly, .acquireRelease)
      if result.exchanged { return true }
      old = result.original
    }
    return !old.isTable
  }
}
