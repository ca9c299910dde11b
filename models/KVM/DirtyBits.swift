// The TDP MMU cleans an entry while hardware makes it dirty, and loses the dirty bit.

import Gracewalk

/// What a lock held for writing is worth against hardware.
public enum DirtyBits {
  public static let system = ModelSystem(
    "dirty-bits", "Dirty bits, and a lock that hardware does not take", models)

  static let origin = Origin(
    author: "Sean Christopherson", list: "Linux ba3a6120a4e7", date: "2022-04-23",
    subject: "KVM: x86/mmu: Use atomic XCHG to write TDP MMU SPTEs with volatile bits",
    question:
      "mmu_lock is held for writing, so nobody else writes entries. May dirty bits be collected by "
      + "a read and a write?",
    about: [.noWriteLock, .loadAndStore, .noTLBI])

  private static let variants: [Variant<Bool>] = [
    .holds("dirty-bit-by-exchange", "the clean entry is written by an exchange", true),
    .broken(
      "dirty-bit-by-store", "the entry is read, and the clean one is stored", false,
      omits: "the exchange", violates: [NoGuestWriteWithoutDirtyRecord.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "A page is mapped, clean; hardware keeps the dirty bit. A vCPU writes twice, and the host "
      + "collects the dirty bit into a bitmap, and copies the page if it was dirty.",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "clear_dirty 0x0": ["true", "false"], "copy 0x0": ["true", "false"],
    ])
  ) { _, atomically in
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .ept)
    scenario.features.hardwareDirtyState = true
    let (root, page) = (scenario.rootTable(), scenario.dataFrames(1)[0])
    let mmuLock = scenario.readWriteLock("mmu_lock")
    let bitmap = scenario.variable("dirty bitmap", initial: false)
    let clean = Descriptor.page(0).writableClean
    scenario.boot { try $0.store(root.entry(0), clean, .relaxed) }
    let write = CPUOperation("write 0x0") { try $0.guestWrite(0) }
    scenario.cpu("vcpu", mmu: MMU(root), write, write)
    scenario.cpu(
      "host",
      CPUOperation("clear_dirty 0x0") { cpu -> any OperationResult in
        try cpu.writeLock(mmuLock)
        let old: Descriptor
        if atomically {
          old = try cpu.exchange(root.entry(0), clean, .acquireRelease)
        } else {
          old = try cpu.load(root.entry(0), .acquire)
          try cpu.store(root.entry(0), clean, .release)
        }
        // Writable means dirty: hardware has made it so.
        if old.isWritable {
          try cpu.store(bitmap, true, .relaxed)
          try cpu.flushTLB(.address(0), of: root)
        }
        try cpu.writeUnlock(mmuLock)
        return old.isWritable
      },
      CPUOperation("copy 0x0") { cpu -> any OperationResult in
        let isDirty = try cpu.exchange(bitmap, false, .acquireRelease)
        if isDirty { try cpu.store(page.copied, try cpu.load(page.content, .relaxed), .relaxed) }
        return isDirty
      })
    scenario.require(InvariantCatalogue.pages + InvariantCatalogue.hardware)
    scenario.require(
      NoGuestWriteWithoutDirtyRecord(frames: [
        .init(
          name: "page 0x0", version: page.content, copied: page.copied, dirty: bitmap,
          mapping: .init(root: root, address: 0, geometry: scenario.geometry))
      ]))
    return scenario
  }
}
