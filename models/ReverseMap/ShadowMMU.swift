// A shadow MMU with a reverse map: for each guest frame, a chain of the entries that map it.

import Gracewalk

/// The parts of KVM/x86's shadow MMU that write protection is about (arch/x86/kvm/mmu.c, 3.11 and
/// the patches of 2013).
///
/// Chains change under `mmu_lock`. A descriptor is an object of a type-safe slab: its first word is
/// the address of an entry, its second leads to the next descriptor. A chain ends with a marker
/// that tells which frame it belongs to.
struct ShadowMMU: Sendable {
  private static let leafLevel: UInt64 = 1
  private static let writeBit =
    Descriptor.page(0).bits & ~Descriptor.page(0, writable: false).bits
  private static let levelShift: UInt64 = 52

  let frames: [NoGuestWriteWithoutDirtyRecord.Frame]
  let chains: [ReverseMapAgrees.Chain]
  private let lock: SpinLock
  private let root: TablePage
  /// The root of a vCPU in a paging mode with one level more.
  private let higherRoot: TablePage
  private let shadowPages: Slab
  private let descriptors: Slab
  /// 1 while the vCPU's guest may use a translation it has read: what a TLB flush waits for.
  private let inGuest: Location
  private let omission: ReverseMap.Omission?

  init(_ scenario: Scenario, _ omission: ReverseMap.Omission?) {
    root = scenario.rootTable()
    higherRoot = scenario.rootTable("higher root")
    lock = scenario.spinLock("mmu_lock")
    shadowPages = scenario.slab("shadow page", pages: 2)
    descriptors = scenario.slab("descriptor", pages: 2, kind: .objects)
    inGuest = scenario.word("in guest")
    self.omission = omission
    frames = (0..<2).map { frame in
      NoGuestWriteWithoutDirtyRecord.Frame(
        name: "frame \(frame)", version: scenario.word("version \(frame)"),
        copied: scenario.word("copied \(frame)"), dirty: scenario.word("dirty \(frame)"))
    }
    chains = (0..<2).map { frame in
      ReverseMapAgrees.Chain(
        frame: frame, head: scenario.word("chain \(frame)", initial: Self.end(of: frame)))
    }
  }

  /// The end of a frame's chain: no address, as it is odd.
  private static func end(of frame: Int) -> UInt64 { UInt64(frame) << 1 | 1 }

  // MARK: Entries

  private func leaf(_ frame: Int) -> UInt64 {
    Descriptor.page(frame).bits | Self.leafLevel << Self.levelShift
  }

  /// An entry that leads to a shadow page; it allows all that the leaves below allow.
  private func directory(_ page: TablePage, level: UInt64) -> UInt64 {
    Descriptor.table(page).bits | Self.writeBit | level << Self.levelShift
  }

  private func isLeaf(_ entry: UInt64) -> Bool {
    omission == .level || entry >> Self.levelShift == Self.leafLevel
  }

  /// Makes the shadow page that the first entry of the root leads to.
  func setUp(_ cpu: VirtualCPU) throws(Abandoned) {
    guard let page = try cpu.allocate(from: shadowPages) else { return }
    try cpu.store(directory(page, level: 2), to: root[0], .release)
  }

  private func shadowPage(_ cpu: VirtualCPU) throws(Abandoned) -> TablePage? {
    cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire)))
  }

  // MARK: The chains, under the lock

  private func add(
    _ cpu: VirtualCPU, _ address: UInt64, to chain: ReverseMapAgrees.Chain
  ) throws(Abandoned) {
    guard let descriptor = try cpu.allocate(from: descriptors) else { return }
    try cpu.store(address, to: descriptor[0], .relaxed)
    let first = try cpu.load(chain.head, .relaxed)
    try cpu.store(first, to: descriptor[1], .relaxed)
    try cpu.store(descriptor.address, to: chain.head, .release)
  }

  private func remove(
    _ cpu: VirtualCPU, _ address: UInt64, from chain: ReverseMapAgrees.Chain
  ) throws(Abandoned) {
    var link = chain.head
    while let descriptor = cpu.page(at: try cpu.load(link, .relaxed)) {
      if try cpu.load(descriptor[0], .relaxed) == address {
        let next = try cpu.load(descriptor[1], .relaxed)
        try cpu.store(next, to: link, .release)
        try cpu.free(descriptor, to: descriptors)
        return
      }
      link = descriptor[1]
    }
  }

  /// `set_spte`: the entry, its place in the chain, and the dirty mark, which must come last.
  ///
  /// Who walks the chain before the entry is in it may pass it by: the mark is yet to come.
  private func set(
    _ cpu: VirtualCPU, _ page: TablePage, entry: Int, frame: Int
  ) throws(Abandoned) {
    if omission == .dirtyLast { try cpu.store(1, to: frames[frame].dirty, .relaxed) }
    let old = try cpu.load(page[entry], .relaxed)
    try cpu.store(leaf(frame), to: page[entry], .relaxed)
    if !Descriptor(bits: old).isValid {
      try add(cpu, page.address(ofEntry: entry), to: chains[frame])
    }
    try cpu.fence(.release)
    if omission != .dirtyLast { try cpu.store(1, to: frames[frame].dirty, .relaxed) }
  }

  private func clear(_ cpu: VirtualCPU, _ page: TablePage, entry: Int) throws(Abandoned) {
    let old = Descriptor(bits: try cpu.exchange(0, in: page[entry], .acquireRelease))
    guard let frame = old.dataFrame, omission != .removal else { return }
    try remove(cpu, page.address(ofEntry: entry), from: chains[frame])
  }

  func map(_ cpu: VirtualCPU, entry: Int, frame: Int) throws(Abandoned) {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) { try set(cpu, page, entry: entry, frame: frame) }
    try cpu.unlock(lock)
  }

  // MARK: The vCPU

  /// The guest writes to a frame, and faults until it can; false if it gave up.
  func write(_ cpu: VirtualCPU, entry: Int, frame: Int) throws(Abandoned) -> Bool {
    for _ in 0..<2 {
      try cpu.store(1, to: inGuest, .relaxed)
      let isAllowed = try mayWrite(cpu, entry)
      if isAllowed { _ = try cpu.fetchAdd(1, to: frames[frame].version, .relaxed) }
      try cpu.store(0, to: inGuest, .release)
      if isAllowed { return true }
      try map(cpu, entry: entry, frame: frame)
    }
    return false
  }

  /// The MMU's walk.
  private func mayWrite(_ cpu: VirtualCPU, _ entry: Int) throws(Abandoned) -> Bool {
    guard let page = try shadowPage(cpu) else { return false }
    let leaf = Descriptor(bits: try cpu.load(page[entry], .relaxed))
    return leaf.isValid && leaf.isWritable
  }

  private func flush(_ cpu: VirtualCPU) throws(Abandoned) {
    try cpu.wait(until: inGuest, .equals(0))
  }

  // MARK: What happens under a walker's feet

  /// Unmaps an entry and maps another frame with it: the descriptor is in the other chain then.
  func remap(_ cpu: VirtualCPU, entry: Int, to frame: Int) throws(Abandoned) {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) {
      try clear(cpu, page, entry: entry)
      try set(cpu, page, entry: entry, frame: frame)
    }
    try cpu.unlock(lock)
  }

  /// Frees the shadow page; it comes back one level up, below another root.
  func reuseShadowPage(_ cpu: VirtualCPU) throws(Abandoned) {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) {
      for entry in 0..<2 { try clear(cpu, page, entry: entry) }
      try cpu.store(0, to: root[0], .release)
      try flush(cpu)
      try cpu.free(page, to: shadowPages)
    }
    if let upper = try cpu.allocate(from: shadowPages),
      let lower = try cpu.allocate(from: shadowPages)
    {
      try cpu.store(directory(lower, level: 2), to: upper[0], .relaxed)
      try cpu.store(directory(upper, level: 3), to: higherRoot[0], .release)
    }
    try cpu.unlock(lock)
  }

  /// Unmaps an entry; then memory is short.
  func unmapAndShrink(_ cpu: VirtualCPU, entry: Int) throws(Abandoned) {
    try cpu.lock(lock)
    if let page = try shadowPage(cpu) { try clear(cpu, page, entry: entry) }
    try cpu.unlock(lock)
    if omission != .gracePeriod { try cpu.synchronize() }
    try cpu.shrink(descriptors)
  }

  // MARK: Dirty logging, without the lock

  /// What came of a look at a frame's dirty mark.
  enum Harvest: UInt64, OperationResult {
    case clean
    case copied
    /// The walk of the chain ended in another one, and began again.
    case copiedAfterAnotherWalk
    /// The chain led to an entry that is a directory's by now.
    case copiedPastDirectory
  }

  /// Reads and clears a frame's dirty mark; if it was set, copies the frame once nobody can write
  /// to it without marking it again.
  func harvest(_ cpu: VirtualCPU, frame: Int) throws(Abandoned) -> Harvest {
    guard try cpu.exchange(0, in: frames[frame].dirty, .acquireRelease) == 1 else { return .clean }
    if omission != .section { try cpu.rcuReadLock() }
    let result = try writeProtect(cpu, frame)
    if omission != .section { try cpu.rcuReadUnlock() }
    if omission != .flush { try flush(cpu) }
    let version = try cpu.load(frames[frame].version, .relaxed)
    try cpu.store(version, to: frames[frame].copied, .relaxed)
    return result
  }

  /// Walks a frame's chain and takes the write bit out of each entry that it lists.
  ///
  /// A descriptor may move to another chain under the walker, which then ends
  /// with that chain's marker: what was behind the descriptor before has been missed.
  private func writeProtect(_ cpu: VirtualCPU, _ frame: Int) throws(Abandoned) -> Harvest {
    var result = Harvest.copied
    while true {
      var next = try cpu.load(chains[frame].head, .acquire)
      while let descriptor = cpu.page(at: next) {
        let address = try cpu.load(descriptor[0], .relaxed)
        if let entry = cpu.entry(at: address), try !writeProtect(cpu, entry) {
          result = .copiedPastDirectory
        }
        next = try cpu.load(descriptor[1], .acquire)
      }
      if next == Self.end(of: frame) || omission == .endMarker { return result }
      result = .copiedAfterAnotherWalk
    }
  }

  /// Takes the write bit out of a leaf; false if the entry is a directory's.
  private func writeProtect(_ cpu: VirtualCPU, _ entry: Location) throws(Abandoned) -> Bool {
    var old = try cpu.load(entry, .relaxed)
    while Descriptor(bits: old).isValid, old & Self.writeBit != 0, isLeaf(old) {
      let result = try cpu.compareExchange(
        entry, expected: old, desired: old & ~Self.writeBit, .acquireRelease)
      if result.exchanged { return true }
      old = result.original
    }
    return !Descriptor(bits: old).isTable
  }
}
