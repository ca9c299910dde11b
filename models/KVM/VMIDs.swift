// VMIDs come in generations, and a vCPU sees the new generation before the new VMID.

import Gracewalk

/// The order in which a VM's VMID and its generation are published.
public enum VMIDs {
  public static let system = ModelSystem("vmids", "VMIDs and their generations", models)

  static let origin = Origin(
    author: "Christoffer Dall", list: "Linux fb544d1ca65a", date: "2018-12-11",
    subject: "KVM: arm/arm64: Fix VMID alloc race by reverting to lock-less",
    question:
      "A vCPU that enters the guest compares its VM's generation of VMIDs with the current one, "
      + "without a lock. In which order must VMID and generation be written?",
    about: [.noLock, .noMask, .noInterrupt, .noReread])

  private enum Way { case vmidFirst, generationFirst, locksAndMasks, masksAndLocks }

  private static let variants: [Variant<Way>] = [
    .holds("vmid-before-generation", "the VMID is written, and then its generation", .vmidFirst),
    .holds(
      "vmid-compared-under-lock",
      "a vCPU takes the lock, then masks interrupts, and compares generations", .locksAndMasks),
    .broken(
      "vmid-after-generation", "the generation is written, and then the VMID", .generationFirst,
      omits: "writing the VMID before its generation",
      violates: ["all-vcpus-in-the-guest-run-with-one-vmid"]),
    .broken(
      "vmid-compared-under-lock-masked",
      "a vCPU masks interrupts, then takes the lock, whose holder may wait for its interrupts",
      .masksAndLocks, omits: "taking the lock before interrupts are masked",
      violates: [ProgressOfCPUs.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "VM 1 has a VMID, and no other is left. Two vCPUs of VM 1 enter the guest while one of VM 2 "
      + "needs a VMID, which begins a new generation. The machine has no VMIDs: they are numbers, "
      + "and each vCPU has a word for the one that it runs with. The sender of the interrupts that "
      + "take vCPUs out of the guest puts 0 there.",
    origin: origin,
    mustHappen: ExpectedOutcome.each([
      "enter VM 1 on 0": ["254", "2"], "enter VM 1 on 1": ["254", "2"],
    ])
  ) { _, way in
    let scenario = Scenario()
    let kvm = Words(scenario, way)
    scenario.cpu("vcpu 0", runs: "enter VM 1 on 0") { try kvm.run($0, vcpu: 0, vm: 0) }
    scenario.cpu("vcpu 1", runs: "enter VM 1 on 1") { try kvm.run($0, vcpu: 1, vm: 0) }
    scenario.cpu("vcpu 2", runs: "update VM 2") { try kvm.updateVTTBR($0, 1) }
    scenario.atEnd("All vCPUs in the guest run with one VMID") { end in
      let (a, b) = (end.value(of: kvm.running[0]), end.value(of: kvm.running[1]))
      return a == b || a == 0 || b == 0
    }
    scenario.require(GracePeriodSafety())
    return scenario
  }

  private struct Words {
    let way: Way
    let generation, next: Word<Int>
    let lock: SpinLock
    let vmGeneration, vttbr, running: [Word<Int>]

    init(_ scenario: Scenario, _ way: Way) {
      self.way = way
      generation = scenario.variable("kvm_vmid_gen", initial: 1)
      next = scenario.variable("kvm_next_vmid", initial: 0)
      lock = scenario.spinLock("kvm_vmid_lock")
      vmGeneration = [1, 0].enumerated().map {
        scenario.variable("VM \($0 + 1) vmid_gen", initial: $1)
      }
      vttbr = [254, 0].enumerated().map { scenario.variable("VM \($0 + 1) vttbr", initial: $1) }
      running = (0..<2).map { scenario.variable("vcpu \($0) runs with", initial: 0) }
    }

    func needNewVMIDGen(_ cpu: VirtualCPU, _ vm: Int) throws -> Bool {
      try cpu.load(vmGeneration[vm], .acquire) != cpu.load(generation, .acquire)
    }

    func updateVTTBR(_ cpu: VirtualCPU, _ vm: Int) throws {
      guard try needNewVMIDGen(cpu, vm) else { return }
      try cpu.lock(lock)
      if try needNewVMIDGen(cpu, vm) {
        if try cpu.load(next, .relaxed) == 0 {
          _ = try cpu.fetchAdd(generation, 1, .release)
          try cpu.store(next, 1, .relaxed)
          try forceVMExit(cpu)
        }
        let vmid = try cpu.fetchAdd(next, 1, .relaxed)
        if way == .vmidFirst { try cpu.store(vttbr[vm], vmid, .release) }
        try cpu.store(vmGeneration[vm], try cpu.load(generation, .relaxed), .release)
        if way != .vmidFirst { try cpu.store(vttbr[vm], vmid, .release) }
      }
      try cpu.unlock(lock)
    }

    /// When all have taken an interrupt, none that was in the guest still is.
    func forceVMExit(_ cpu: VirtualCPU) throws {
      try cpu.interruptOthers()
      for word in running { try cpu.store(word, 0, .relaxed) }
    }

    /// `kvm_arch_vcpu_ioctl_run`, up to the guest; the VMID it runs with.
    func run(_ cpu: VirtualCPU, vcpu: Int, vm: Int) throws -> Int {
      // One generation begins here at most, so the second turn is the last.
      for _ in 0..<2 {
        try updateVTTBR(cpu, vm)
        if way == .locksAndMasks { try cpu.lock(lock) }
        try cpu.maskInterrupts()
        if way == .masksAndLocks { try cpu.lock(lock) }
        let mustUpdate = try needNewVMIDGen(cpu, vm)
        if way == .locksAndMasks || way == .masksAndLocks { try cpu.unlock(lock) }
        let vmid = mustUpdate ? 0 : try cpu.load(vttbr[vm], .acquire)
        if !mustUpdate { try cpu.store(running[vcpu], vmid, .relaxed) }
        try cpu.unmaskInterrupts()
        if !mustUpdate { return vmid }
      }
      return 0
    }
  }
}
