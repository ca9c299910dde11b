// Dirty logging: which pages has the guest written since their last copy?

import Gracewalk

/// A memslot whose pages are write-protected, and marked dirty by the fault of the next write.
///
/// Its pages are addresses 0 and 1, address `n` mapped to data frame `n`. The table itself does not
/// change, so nothing here is freed and no walk needs RCU. Faults and the log synchronise only
/// through the entries, as a handler without `mmu_lock` must (like x86's fast page fault in KVM).
/// Linux 6.2: virt/kvm/kvm_main.c, kvm_get_dirty_log_protect;
/// arch/arm64/kvm/mmu.c, user_mem_abort.
struct DirtyLog: Sendable {
  /// The memory management unit notes that a page was written: it makes the entry of a clean one
  /// writable (FEAT_HAFDBS); else the fault handler does, in a word per page.
  let byHardware: Bool
  let flush: Flush
  let root: TablePage
  private let geometry: Geometry
  private let frames: [DataFrame]
  private let dirty: [Word<Bool>]

  /// Two pages are mapped: writable, or clean where hardware keeps the log.
  init(_ scenario: Scenario, byHardware: Bool, flush: Flush) {
    self.byHardware = byHardware
    self.flush = flush
    scenario.features.hardwareDirtyState = byHardware
    let table = Stage2Table(scenario, .unprotected)
    (root, geometry) = (table.root, table.geometry)
    frames = scenario.dataFrames(2)
    dirty = frames.indices.map { scenario.variable("page 0x\($0) dirty", initial: false) }
    let log = self
    scenario.boot { cpu in
      for page in log.frames.indices { _ = try table.map(cpu, page) }
      if byHardware { try log.protectAll(cpu) }
    }
    scenario.require(InvariantCatalogue.tables + InvariantCatalogue.hardware)
    scenario.require(NoGuestWriteWithoutDirtyRecord(frames: frames.map(record)))
  }

  /// The words that record writes to a page.
  private func record(of frame: DataFrame) -> NoGuestWriteWithoutDirtyRecord.Frame {
    NoGuestWriteWithoutDirtyRecord.Frame(
      name: "page 0x\(frame.number)", version: frame.content, copied: frame.copied,
      dirty: dirty[frame.number],
      mapping: byHardware
        ? NoGuestWriteWithoutDirtyRecord.Mapping(
          root: root, address: frame.number, geometry: geometry) : nil)
  }

  /// Write-protects all pages.
  func enable(_ cpu: VirtualCPU) throws {
    try protectAll(cpu)
    try flush.perform(cpu, 0..<frames.count, of: root)
  }

  private func protectAll(_ cpu: VirtualCPU) throws {
    for page in frames.indices { _ = try protect(cpu, page) }
  }

  func copyAll(_ cpu: VirtualCPU) throws { try copy(cpu, Array(frames.indices)) }

  private func copy(_ cpu: VirtualCPU, _ pages: [Int]) throws {
    for page in pages {
      let content = try cpu.load(frames[page].content, .relaxed)
      try cpu.store(frames[page].copied, content, .relaxed)
    }
  }

  /// Takes the marks, protects the marked pages again and copies them; returns their number.
  func harvest(_ cpu: VirtualCPU) throws -> Int {
    let pages = try frames.indices.filter { try takeMark(cpu, $0) }
    if pages.isEmpty && !byHardware { return 0 }
    let copiesFirst = cpu.omits("waiting for the flush before copying")
    if copiesFirst { try copy(cpu, pages) }
    try flush.perform(cpu, 0..<frames.count, of: root)
    if !copiesFirst { try copy(cpu, pages) }
    if cpu.omits("taking the mark before the page is copied") {
      for page in pages { try cpu.store(dirty[page], false, .relaxed) }
    }
    return pages.count
  }

  /// Protects a page again if it was marked; true if so.
  private func takeMark(_ cpu: VirtualCPU, _ page: Int) throws -> Bool {
    if byHardware { return try protect(cpu, page) }
    let isMarked =
      try cpu.omits("taking the mark before the page is copied")
      ? cpu.load(dirty[page], .acquire) : cpu.exchange(dirty[page], false, .acquireRelease)
    if isMarked, !cpu.omits("write-protecting again what is copied") {
      _ = try protect(cpu, page)
    }
    return isMarked
  }

  /// Makes an entry read-only, or clean; true if it was writable.
  private func protect(_ cpu: VirtualCPU, _ page: Int) throws -> Bool {
    guard let slot = try leaf(cpu, page) else { return false }
    let clean = Descriptor.page(page).writableClean
    if byHardware, !cpu.omits("reading and cleaning an entry in one step") {
      return try cpu.exchange(slot, clean, .acquireRelease).isWritable
    }
    let old = try cpu.load(slot, .relaxed)
    if byHardware {
      // A mark made by hardware at this point is lost.
      try cpu.store(slot, clean, .relaxed)
      return old.isWritable
    }
    // Only this thread write-protects, so no other CPU changes a writable entry.
    return try old.isWritable && cpu.tryCompareExchange(slot, old, old.readOnly, .acquireRelease)
  }

  private func leaf(_ cpu: VirtualCPU, _ page: Int) throws -> Entry? {
    let entry = try cpu.load(root.entry(of: page, at: 0), .acquire)
    return cpu.table(at: entry)?.entry(of: page, at: 1)
  }

  /// A guest writes to a page, and retries after a fault was handled.
  func write(_ page: Int, tries: Int) -> CPUOperation {
    CPUOperation("write 0x\(page)") { cpu -> any OperationResult in
      for _ in 1..<tries {
        let access = try cpu.guestWrite(page)
        guard access == .permissionFault else { return access }
        try handleFault(cpu, page)
      }
      return try cpu.guestWrite(page)
    }
  }

  /// Lets the guest write to a page, and records that.
  ///
  /// If hardware should have done so and cannot, the writable entry is the mark.
  private func handleFault(_ cpu: VirtualCPU, _ page: Int) throws {
    let marksFirst = cpu.omits("making the entry writable before the mark")
    if marksFirst { try cpu.store(dirty[page], true, .release) }
    if try allowWrites(cpu, page), !byHardware, !marksFirst, !cpu.omits("marking the page") {
      try cpu.store(dirty[page], true, .release)
    }
    // Only the guest relies on this: it would fault on its cached entry forever.
    try cpu.flushTLB(.address(page), of: root)
  }

  /// Makes an entry writable; false if it already was.
  private func allowWrites(_ cpu: VirtualCPU, _ page: Int) throws -> Bool {
    guard let slot = try leaf(cpu, page) else { return false }
    let old = try cpu.load(slot, .acquire)
    return try old.isLeaf && !old.isWritable
      && cpu.tryCompareExchange(slot, old, old.writable, .acquireRelease)
  }
}
