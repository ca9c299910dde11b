// A fault relies on what it has read of a VMA, while an MMU notifier invalidates the range.

import Gracewalk

/// When `mmu_invalidate_seq` must be read, and what must be compared.
public enum MMUNotifier {
  public static let system = ModelSystem("mmu-notifier", "Faults against MMU notifiers", models)

  static let origin = Origin(
    author: "David Matlack", list: "Linux 13ec9308a857", date: "2023-03-13",
    subject: "KVM: arm64: Retry fault if vma_lookup() results become invalid",
    question:
      "user_mem_abort() takes the size of a mapping from the VMA, drops mmap_lock, and reads "
      + "mmu_invalidate_seq then. Is the size still right if that number has not changed?",
    about: [.noReadLock, .noWriteLock, .noReread])

  private enum Way {
    case readsUnderLock, readsFirst, readsAfterUnlock, withoutInProgress, withoutComparing
  }

  private static let variants: [Variant<Way>] = [
    .holds(
      "mmu-seq-under-mmap-lock", "the sequence number is read before mmap_lock is dropped",
      .readsUnderLock),
    .holds(
      "mmu-seq-before-lookup", "the sequence number is read before the VMA is", .readsFirst),
    .broken(
      "mmu-seq-after-mmap-unlock", "the sequence number is read after mmap_lock is dropped",
      .readsAfterUnlock, omits: "reading the sequence number before mmap_lock is dropped",
      violates: [DonatedPageUnreachable.id]),
    .broken(
      "mmu-seq-without-in-progress", "the fault compares only the sequence number",
      .withoutInProgress, omits: "looking whether an invalidation is in progress",
      violates: [DonatedPageUnreachable.id]),
    .broken(
      "mmu-seq-without-comparing", "the fault looks only for an invalidation in progress",
      .withoutComparing, omits: "comparing the sequence number",
      violates: [DonatedPageUnreachable.id]),
  ]

  private enum Fault: UInt64, OperationResult { case mapped, retry }

  static let models = Model.family(
    variants,
    scenario:
      "A VMA has two pages, and allows for a block. A vCPU faults on the first page, and then "
      + "reads the second, while the host shrinks the VMA to one page and frees the other.",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "user_mem_abort 0x0": ["mapped", "retry"], "read 0x1": ["frame 0x1", "translation fault"],
    ])
  ) { _, way in
    let scenario = Scenario()
    let (root, pages) = (scenario.rootTable("stage 2"), scenario.dataFrames(2))
    let mmapLock = scenario.readWriteLock("mmap_lock")
    let mmuLock = scenario.readWriteLock("mmu_lock")
    let vmaPages = scenario.variable("pages of the VMA", initial: 2)
    let seq = scenario.variable("mmu_invalidate_seq", initial: 0)
    let inProgress = scenario.variable("mmu_invalidate_in_progress", initial: false)
    let userMemAbort = CPUOperation("user_mem_abort 0x0") { cpu -> any OperationResult in
      var mmuSeq = way == .readsFirst ? try cpu.load(seq, .acquire) : 0
      try cpu.readLock(mmapLock)
      let size = try cpu.load(vmaPages, .relaxed)
      if way != .readsFirst, way != .readsAfterUnlock { mmuSeq = try cpu.load(seq, .acquire) }
      try cpu.readUnlock(mmapLock)
      if way == .readsAfterUnlock { mmuSeq = try cpu.load(seq, .acquire) }
      try cpu.readLock(mmuLock)
      // mmu_invalidate_retry
      var mustRetry = way != .withoutInProgress ? try cpu.load(inProgress, .acquire) : false
      if !mustRetry, way != .withoutComparing { mustRetry = try cpu.load(seq, .relaxed) != mmuSeq }
      if !mustRetry, size == 2 {
        try cpu.store(root.entry(0), .block(0), .release)
      } else if !mustRetry, let table = try cpu.allocateTable() {
        try cpu.store(table.entry(0), .page(0), .relaxed)
        try cpu.store(root.entry(0), .table(table), .release)
      }
      try cpu.readUnlock(mmuLock)
      return mustRetry ? Fault.retry : .mapped
    }
    scenario.cpu(
      "vcpu", mmu: MMU(root), userMemAbort, CPUOperation("read 0x1") { try $0.guestRead(1) })
    scenario.cpu("host", runs: "shrink VMA") { cpu in
      try cpu.writeLock(mmapLock)
      // kvm_mmu_notifier_invalidate_range_start
      try cpu.writeLock(mmuLock)
      try cpu.store(inProgress, true, .relaxed)
      let old = try cpu.exchange(root.entry(0), .invalid, .relaxed)
      if old.isValid { try cpu.flushTLB(.all, of: root) }
      if let table = cpu.table(at: old) { try cpu.free(table) }
      try cpu.writeUnlock(mmuLock)
      try cpu.store(vmaPages, 1, .relaxed)
      try cpu.handOver(pages[1], to: .nobody)
      // kvm_mmu_notifier_invalidate_range_end
      try cpu.writeLock(mmuLock)
      _ = try cpu.fetchAdd(seq, 1, .release)
      try cpu.store(inProgress, false, .release)
      try cpu.writeUnlock(mmuLock)
      try cpu.writeUnlock(mmapLock)
    }
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
    return scenario
  }
}
