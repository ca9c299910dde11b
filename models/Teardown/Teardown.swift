// A VM is destroyed while callbacks that free unlinked tables may be pending.

import Gracewalk

/// PATCH 09/14 of KVM/arm64's parallel stage-2 faults: the reasons for a barrier at the end.
public enum Teardown {
  public static let system = ModelSystem("teardown", "Callbacks and the end of a VM", models)

  private static let variants: [Variant<VirtualMachine.Choice>] = [
    .holds(
      "teardown-with-barrier",
      "callbacks use the page table's descriptor; it is freed after the barrier, the VM after that",
      .init()),
    .broken(
      "teardown-without-barrier", "nobody waits for the callbacks", .init(barrier: .none),
      omits: "the barrier", violates: [TeardownOrder.id, NoPageOutlivesVM.id]),
    .broken(
      "teardown-barrier-after-release",
      "as in the patch: the descriptor is freed and only then waited for the callbacks that use it",
      .init(barrier: .afterRelease), omits: "waiting before what the callbacks use is freed",
      violates: [TeardownOrder.id]),
    .holds(
      "teardown-barrier-last",
      "the barrier comes after the descriptor is freed, and callbacks use nothing of the VM",
      .init(barrier: .afterRelease, callbackUsesDescriptor: false)),
    .broken(
      "teardown-pages-outlive",
      "callbacks use nothing of the VM, but its pages must be back when it goes: nobody waits",
      .init(barrier: .none, callbackUsesDescriptor: false), omits: "the barrier",
      violates: [NoPageOutlivesVM.id]),
    .holds(
      "teardown-self-sufficient-callback",
      "nobody waits; callbacks use nothing of the VM, and its pages may be freed after it went "
        + "(no-page-outlives-vm is not asked for), as in Linux 6.2",
      .init(barrier: .none, callbackUsesDescriptor: false, countsPages: false)),
    .broken(
      "teardown-unaligned-argument",
      "the callback's argument has a bit set where the level is packed", .init(),
      omits: "an argument with the level's bits free",
      violates: [NoLeakedTablePage.id, NoPageOutlivesVM.id]),
    .broken(
      "teardown-argument-unmasked",
      "the callback takes the whole word for its argument, the level's bits included", .init(),
      omits: "masking the level out of the argument", violates: [TeardownOrder.id]),
    .broken(
      "teardown-level-in-one-bit", "the level is packed into one bit where it needs two", .init(),
      omits: "room for every level", violates: [NoUseAfterFree.id, NoDoubleFree.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "One page is mapped, four levels deep. One vCPU collapses the two lowest levels into a block "
      + "and frees the unlinked subtree in a callback; another faults on an address below it, and "
      + "writes to the mapped page; when both have left, the VM is torn down.",
    origin: Origin(
      author: "David Matlack", list: "linux", date: "2022-09-07",
      subject: "Re: [PATCH 09/14] KVM: arm64: Free removed stage-2 tables in RCU callback",
      question:
        "Why wait for the callbacks that free unlinked tables before the VM goes? Could they not "
        + "just run later?",
      about: [.noBarrier, .callAtOnce]),
    // The fault installs its table before the collapse unlinks what is above it, or is too late.
    mustHappen: ExpectedOutcome.each("fault 0x2", "true", "false"),
    exempt: { choice in
      let reason = "what the model shows is that nothing else needs the barrier"
      return choice.countsPages ? [] : [Exemption(NoPageOutlivesVM.id, reason)]
    }
  ) { _, choice in
    let scenario = Scenario(geometry: Geometry(levels: 4, entries: 2))
    let vm = VirtualMachine(scenario, choice)
    scenario.boot { cpu in try vm.mapFirstPage(cpu) }
    scenario.cpu("collapser", usesCallbacks: true, runs: "collapse 0x0") { cpu in
      try vm.collapse(cpu)
      try vm.leave(cpu)
    }
    scenario.cpu(
      "vcpu",
      CPUOperation("fault 0x2") { cpu in try vm.fault(cpu) },
      CPUOperation("write 0x0") { cpu in
        try vm.writeAsGuest(cpu)
        try vm.leave(cpu)
      })
    scenario.cpu("teardown", runs: "destroy") { cpu in try vm.destroy(cpu) }
    scenario.require([
      NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
      GracePeriodSafety(), TeardownOrder(),
    ])
    if choice.countsPages { scenario.require(NoPageOutlivesVM()) }
    return scenario
  }
}
