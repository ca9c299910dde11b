// Dirty logging: which pages did the guest write since they were copied last?

import Gracewalk

/// A memslot whose pages are write-protected, and marked dirty by the fault of the next write.
///
/// Its pages are addresses 0 and up, address `n` mapped to data frame `n`. The table itself does
/// not change, so nothing here is freed and no walk needs RCU. Faults and the log exclude each
/// other by nothing but the entries, as a handler without `mmu_lock` must (in KVM, as x86's fast
/// page fault does it). Linux 6.2: virt/kvm/kvm_main.c, kvm_get_dirty_log_protect;
/// arch/arm64/kvm/mmu.c, user_mem_abort.
struct DirtyLog: Sendable {
  /// Who notes that a page was written.
  enum Recorder: Sendable {
    /// The handler of the fault, in a word per page.
    case faultHandler
    /// The memory management unit, in the entry: a clean one is made writable (FEAT_HAFDBS).
    case hardware
  }

  /// A step that a broken sibling leaves out.
  enum Omission: Sendable {
    /// Copy pages only once the flush is complete.
    case flushBeforeCopy
    /// Take the mark before the page is copied.
    case clearBeforeCopy
    /// Make the entry writable before the page is marked.
    case writableBeforeMark
    /// Mark the page.
    case mark
    /// Write-protect pages again whose mark was taken.
    case protectAgain
    /// Read and clean an entry in one step.
    case exchange
  }

  let recorder: Recorder
  let flush: Flush
  let omission: Omission?
  let root: TablePage
  let geometry: Geometry
  let frames: [DataFrame]
  /// Per page, not zero if it is marked.
  let dirty: [Word<Bool>]

  /// What tells whether the writes to a page are known.
  func record(of frame: DataFrame) -> NoGuestWriteWithoutDirtyRecord.Frame {
    NoGuestWriteWithoutDirtyRecord.Frame(
      name: "page 0x\(frame.number)", version: frame.content, copied: frame.copied,
      dirty: dirty[frame.number],
      mapping: recorder == .hardware
        ? NoGuestWriteWithoutDirtyRecord.Mapping(
          root: root, address: frame.number, geometry: geometry) : nil)
  }

  // MARK: The thread that keeps the log

  /// Takes the right to write from all pages.
  func enable(_ cpu: VirtualCPU) throws {
    try protectAll(cpu)
    try flush.perform(cpu, 0..<frames.count, of: root)
  }

  /// Makes all entries read-only, or clean.
  func protectAll(_ cpu: VirtualCPU) throws {
    for page in frames.indices { _ = try protect(cpu, page) }
  }

  /// Copies pages.
  func copy(_ cpu: VirtualCPU, _ pages: [Int]) throws {
    for page in pages {
      let content = try cpu.load(frames[page].content, .relaxed)
      try cpu.store(frames[page].copied, content, .relaxed)
    }
  }

  /// Takes the marks, protects the marked pages again and copies them; returns how many there were.
  func harvest(_ cpu: VirtualCPU) throws -> Int {
    let pages = try takeMarks(cpu)
    if pages.isEmpty && recorder == .faultHandler { return 0 }
    if omission == .flushBeforeCopy {
      try copy(cpu, pages)
      try flush.perform(cpu, 0..<frames.count, of: root)
    } else {
      try flush.perform(cpu, 0..<frames.count, of: root)
      try copy(cpu, pages)
    }
    if omission == .clearBeforeCopy {
      for page in pages { try cpu.store(dirty[page], false, .relaxed) }
    }
    return pages.count
  }

  /// Pages that were marked, protected again.
  private func takeMarks(_ cpu: VirtualCPU) throws -> [Int] {
    var pages: [Int] = []
    for page in frames.indices {
      switch recorder {
      case .faultHandler:
        let mark =
          omission == .clearBeforeCopy
          ? try cpu.load(dirty[page], .acquire)
          : try cpu.exchange(dirty[page], false, .acquireRelease)
        guard mark else { continue }
        if omission != .protectAgain { _ = try protect(cpu, page) }
        pages.append(page)
      case .hardware:
        if try protect(cpu, page) { pages.append(page) }
      }
    }
    return pages
  }

  /// Makes an entry read-only, or clean; true if it was writable.
  private func protect(_ cpu: VirtualCPU, _ page: Int) throws -> Bool {
    guard let slot = try leaf(cpu, page) else { return false }
    if recorder == .hardware {
      let clean = Descriptor.page(page).writableClean
      if omission == .exchange {
        let old = try cpu.load(slot, .relaxed)
        // What hardware marks here is lost.
        try cpu.store(slot, clean, .relaxed)
        return old.isWritable
      }
      return try cpu.exchange(slot, clean, .acquireRelease).isWritable
    }
    let old = try cpu.load(slot, .relaxed)
    guard old.isWritable else { return false }
    // Only this thread takes the right to write away, so nobody else changes a writable entry.
    return try cpu.compareExchange(
      slot, expected: old, desired: old.readOnly, .acquireRelease
    ).exchanged
  }

  /// Walks to the entry of a page.
  private func leaf(_ cpu: VirtualCPU, _ page: Int) throws -> Entry? {
    let entry = try cpu.load(root.entry(of: page, at: 0), .acquire)
    guard let table = cpu.table(at: entry) else { return nil }
    return table.entry(of: page, at: 1)
  }

  // MARK: vCPUs

  /// A guest writes to a page, and tries again when a fault was handled.
  func write(_ cpu: VirtualCPU, _ page: Int, tries: Int) throws -> GuestAccess {
    for _ in 1..<tries {
      let access = try cpu.guestWrite(page)
      guard access == .permissionFault else { return access }
      try handleFault(cpu, page)
    }
    return try cpu.guestWrite(page)
  }

  /// Lets the guest write to a page, and notes that it may.
  ///
  /// Where hardware should have done so and cannot, the writable entry is the mark.
  private func handleFault(_ cpu: VirtualCPU, _ page: Int) throws {
    if omission == .writableBeforeMark { try cpu.store(dirty[page], true, .release) }
    if try allowWrites(cpu, page), recorder == .faultHandler {
      if omission != .mark && omission != .writableBeforeMark {
        try cpu.store(dirty[page], true, .release)
      }
    }
    // Only the guest relies on this: it would fault on its cached entry forever.
    try cpu.dsb()
    try cpu.tlbi(.address(page), of: root)
    try cpu.dsb()
  }

  /// Makes an entry writable; false if it was.
  private func allowWrites(_ cpu: VirtualCPU, _ page: Int) throws -> Bool {
    guard let slot = try leaf(cpu, page) else { return false }
    let old = try cpu.load(slot, .acquire)
    guard old.isLeaf, !old.isWritable else { return false }
    return try cpu.compareExchange(
      slot, expected: old, desired: old.writable, .acquireRelease
    ).exchanged
  }
}
