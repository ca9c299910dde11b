// Contexts: used while they live, and released once, after everything that belongs to them.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import TestSupport
import Testing

struct ContextTests {
  private func violation(
    of invariant: any Invariant, ownsPages: Bool = false,
    _ body: @escaping @Sendable (VirtualCPU, Context, TablePage) throws -> Void
  ) -> String? {
    let scenario = Scenario()
    let root = scenario.rootTable()
    let context = scenario.context("vm", ownsPages: ownsPages)
    scenario.cpu("cpu", CPUOperation("run") { cpu in try body(cpu, context, root) })
    scenario.require(invariant)
    return states(of: scenario).ending == .violation
      ? { () -> String? in
        let machine = Machine(scenario)
        while let cpu = machine.able.first, machine.step(cpu, choice: 0) == .clean {}
        return machine.violation?.report.message
      }() : nil
  }

  @Test func aLivingContextMayBeUsed() {
    #expect(
      violation(of: TeardownOrder()) { cpu, vm, _ in
        try cpu.use(vm)
        try cpu.release(vm)
      } == nil)
  }

  @Test func aReleasedContextMayNot() {
    #expect(
      violation(of: TeardownOrder()) { cpu, vm, _ in
        try cpu.release(vm)
        try cpu.use(vm)
      } == "cpu uses vm after its release")
  }

  @Test func releasingTwiceIsAUseToo() {
    #expect(
      violation(of: TeardownOrder()) { cpu, vm, _ in
        try cpu.release(vm)
        try cpu.release(vm)
      } == "cpu uses vm after its release")
  }

  @Test func anAddressBesideAContextIsNone() {
    #expect(
      violation(of: TeardownOrder()) { cpu, vm, _ in try cpu.use(contextAt: vm.address | 2) }
        == "cpu uses a wild pointer: no context is at 0x10000000002")
  }

  @Test func pagesMustBeFreedFirst() {
    #expect(
      violation(of: NoPageOutlivesVM(), ownsPages: true) { cpu, vm, _ in try cpu.release(vm) }
        == "cpu releases vm while table page root is still allocated")
    #expect(
      violation(of: NoPageOutlivesVM(), ownsPages: true) { cpu, vm, root in
        try cpu.free(root)
        try cpu.release(vm)
      } == nil)
    #expect(violation(of: NoPageOutlivesVM()) { cpu, vm, _ in try cpu.release(vm) } == nil)
  }

  /// If pages belong to a context, allocating one is a step although no other CPU can reach it.
  @Test(arguments: [false, true])
  func allocatingIsAStepWherePagesBelongToAContext(ownsPages: Bool) {
    let scenario = Scenario()
    _ = scenario.context("vm", ownsPages: ownsPages)
    scenario.cpu(
      "cpu",
      CPUOperation("allocate") { cpu in
        guard let page = try cpu.allocateTable() else { return }
        try cpu.free(page)
      })
    let machine = Machine(scenario)
    machine.finish()
    #expect(machine.depth == (ownsPages ? 2 : 0))
  }
}
