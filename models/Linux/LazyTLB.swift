// An unmap sends no IPI to a CPU that is just switching to the mm: CVE-2025-37964.

import Gracewalk

/// From when on a CPU that switches to an mm must be sent its flushes.
public enum LazyTLB {
  public static let system = ModelSystem(
    "lazy-tlb", "A CPU that is switching its address space", models)

  static let origin = Origin(
    author: "Dave Hansen, on a report by Stephen Dolan", list: "Linux fea4e317f9e7",
    date: "2025-05-08",
    subject: "x86/mm: Eliminate window where TLB flushes may be inadvertently skipped",
    question:
      "A CPU that switches to an mm flushes what it has missed. From which step of the switch on "
      + "must other CPUs send it their flushes?",
    about: [.noMask, .noInterrupt, .noTLBI])

  /// What comes between the mark and the load of tlb_gen.
  private enum Between: Sendable { case nothing, fullBarrier }

  // On x86 the mark may wait in the store buffer while tlb_gen is read: the IPI is not sent, and
  // the flush is missed. Setting a bit of mm_cpumask is a barrier, but here the bit is set already.
  // Linux 83b0177a6c48, "x86/mm: Fix SMP ordering in switch_mm_irqs_off()" (CVE-2025-40174), orders
  // the two in any case.
  private static let variants: [Variant<Between>] = [
    .holds(
      "switch-mm-gets-flushes",
      "a CPU that is switching is sent flushes, and is marked so before it reads tlb_gen", .nothing,
      under: [.totalStoreOrder: .violates([DonatedPageUnreachable.id])]),
    .holds(
      "switch-mm-orders-mark", "the same with a barrier between the mark and the load of tlb_gen",
      .fullBarrier, under: [.totalStoreOrder: .holds, .armv8: .holds]),
    .broken(
      "switch-mm-without-flushes", "a CPU is sent flushes only if the mm is its loaded_mm",
      .nothing,
      omits: "sending the flush to a CPU that is switching", violates: [DonatedPageUnreachable.id]),
    .broken(
      "switch-mm-marked-late", "a CPU is marked as switching just before it loads CR3",
      .nothing,
      omits: "marking the CPU as switching before it reads tlb_gen",
      violates: [DonatedPageUnreachable.id]),
    .broken(
      "switch-mm-without-generation", "a CPU does not compare tlb_gen when it comes back to an mm",
      .nothing,
      omits: "comparing tlb_gen with what the CPU has seen of it",
      violates: [DonatedPageUnreachable.id]),
  ]

  /// `cpu_tlbstate.loaded_mm`.
  private enum LoadedMM: UInt64, WordValue, CaseIterable { case mm, other, switching }

  static let models = Model.family(
    variants,
    scenario:
      "A thread of CPU 1 reads a page. CPU 1 switches to another mm and back, and the thread reads "
      + "again, while CPU 0 unmaps the page and frees it. An MMU of the machine has one root and "
      + "no PCIDs, so it is the thread that makes no access while the other mm is loaded. What the "
      + "handler of the IPI does, its sender does once CPU 1 has taken an interrupt. mm_cpumask, "
      + "which is cleared lazily, has CPU 1 in it all the time.",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "unmap 0x0": ["true", "false"], "read again 0x0": ["frame 0x0", "translation fault"],
    ]),
    exempt: { _ in
      [
        Exemption(
          NoReuseWhileCached.id,
          "a CPU may keep translations of an mm that is not loaded: it flushes before it uses them")
      ]
    }
  ) { _, between in
    let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .x86)
    let (mm, page) = (scenario.rootTable("mm"), scenario.dataFrames(1)[0])
    let mmGeneration = scenario.variable("mm tlb_gen", initial: 1)
    let cpuGeneration = scenario.variable("cpu 1 tlb_gen", initial: 1)
    let loadedMM = scenario.variable("cpu 1 loaded_mm", initial: LoadedMM.mm)
    scenario.boot { try $0.store(mm.entry(0), .page(0), .relaxed) }
    scenario.cpu(
      "cpu 1", mmu: MMU(mm),
      CPUOperation("read 0x0") { try $0.guestRead(0) },
      CPUOperation("switch_mm to other") { try $0.store(loadedMM, .other, .release) },
      CPUOperation("switch_mm back") { cpu in
        try cpu.maskInterrupts()
        let marksLate = cpu.omits("marking the CPU as switching before it reads tlb_gen")
        if !marksLate { try cpu.store(loadedMM, .switching, .release) }
        if between == .fullBarrier { try cpu.fence(.sequentiallyConsistent) }
        // choose_new_asid
        let next = try cpu.load(mmGeneration, .acquire)
        let isBehind = try cpu.load(cpuGeneration, .relaxed) < next
        let compares = !cpu.omits("comparing tlb_gen with what the CPU has seen of it")
        if marksLate { try cpu.store(loadedMM, .switching, .release) }
        // load_new_mm_cr3
        if isBehind && compares { try cpu.flushTLB(.all.local, of: mm) }
        try cpu.store(cpuGeneration, next, .relaxed)
        try cpu.store(loadedMM, .mm, .release)
        try cpu.unmaskInterrupts()
      },
      CPUOperation("read again 0x0") { try $0.guestRead(0) })
    scenario.cpu("cpu 0", runs: "unmap 0x0") { cpu -> any OperationResult in
      try cpu.store(mm.entry(0), .invalid, .relaxed)
      // inc_mm_tlb_gen
      _ = try cpu.fetchAdd(mmGeneration, 1, .acquireRelease)
      // should_flush_tlb
      let loaded = try cpu.load(loadedMM, .acquire)
      let isSent =
        loaded == .mm
        || loaded == .switching && !cpu.omits("sending the flush to a CPU that is switching")
      if isSent {
        try cpu.interruptOthers()
        // flush_tlb_func
        if try cpu.load(loadedMM, .acquire) == .mm { try cpu.flushTLB(.all, of: mm) }
      }
      try cpu.handOver(page, to: .nobody)
      return isSent
    }
    scenario.require(InvariantCatalogue.pages)
    scenario.require(InvariantCatalogue.hardware.filter { $0.id != NoReuseWhileCached.id })
    scenario.require([DonatedPageUnreachable(), GracePeriodSafety()])
    return scenario
  }
}
