// Mistakes that would otherwise pass silently, or crash.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import Testing

private func outcome(
  calls: Bool = false, _ fill: @escaping @Sendable (Scenario, TablePage) -> Void
) -> String {
  let model = Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
    let scenario = Scenario()
    let root = scenario.rootTable()
    scenario.cpu(
      "idle", calls ? called : CPUOperation("look") { cpu in _ = try cpu.load(root[0], .relaxed) })
    fill(scenario, root)
    return scenario
  }
  do { return "\(try model.check().verdict)" } catch {
    return "\(error)".replacing(#/ModelTests/SilentMisuseTests\.swift:\d+: /#, with: "@ ")
  }
}

private let called = CPUOperation("next", call: SpecificationCall(operation: 0, argument: 0)) { _ in
  UInt64(0)
}

/// A handle that code keeps illegally.
private final class Kept: @unchecked Sendable { var cpu: VirtualCPU? }

private struct Unasked: Invariant {
  let id = "unasked", statement = "", rationale = "", source = ""
  let applicability = Applicability.chosen("")
  let kind = InvariantKind.state
}

private struct Deaf: EventInvariant {
  let id = "deaf", statement = "", rationale = "", source = ""
  let applicability = Applicability.chosen("")
  let watches: EventKinds = []
  func judge(_ event: Event, in machine: Machine) -> Violation? { Violation("heard") }
}

private struct Zero: SequentialSpecification {
  let initial: [UInt64] = []
  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]? {
    result == 0 ? state : nil
  }
  func text(of call: SpecificationCall) -> String { "next" }
  func text(ofResult result: UInt64) -> String { "\(result)" }
}

private struct Nameless: Error, CustomStringConvertible { var description: String { " " } }

@Suite struct SilentMisuseTests {
  // MARK: Handles

  @Test func theCallersHandleInACallback() {
    let text = outcome { scenario, root in
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("op") { cpu in try cpu.callRCU { _ in try cpu.store(root[0], 0, .relaxed) } })
    }
    #expect(text.contains("acts on the VirtualCPU 'a', which other code was given"), "\(text)")
    #expect(text.hasPrefix("the model: @ a/rcu in "), "\(text)")
  }

  @Test func anotherThread() {
    let text = outcome { scenario, root in
      scenario.cpu(
        "a",
        CPUOperation("op") { cpu in
          let handle = Kept()
          handle.cpu = cpu
          let thread = Thread { try? handle.cpu?.store(root[0], 0, .relaxed) }
          thread.start()
          while !thread.isFinished { Thread.sleep(forTimeInterval: 0.001) }
          _ = try cpu.load(root[0], .relaxed)
        })
    }
    #expect(text.contains("acts on a VirtualCPU from a thread of its own"), "\(text)")
  }

  @Test func theHandleOfAnotherCPU() {
    let kept = Kept()
    let text = outcome { scenario, root in
      scenario.cpu(
        "a",
        CPUOperation("keep") { cpu in
          kept.cpu = cpu; _ = try cpu.load(root[0], .relaxed)
        })
      scenario.cpu(
        "b",
        CPUOperation("steal") { cpu in
          _ = try cpu.load(root[0], .relaxed)
          try kept.cpu?.store(root[0], 0, .relaxed)
        })
    }
    #expect(text.hasPrefix("the model: @ b in steal: acts on the VirtualCPU 'a'"), "\(text)")
  }

  @Test func theHandleOfBootCode() {
    let kept = Kept()
    let text = outcome { scenario, root in
      scenario.boot { cpu in kept.cpu = cpu }
      scenario.cpu(
        "b",
        CPUOperation("steal") { cpu in
          _ = try cpu.load(root[0], .relaxed)
          try kept.cpu?.store(root[0], 0, .relaxed)
        })
    }
    #expect(text.hasPrefix("the model: @ b in steal: acts on the VirtualCPU 'boot'"), "\(text)")
  }

  // MARK: Never asked

  @Test func invariantsThatNothingWouldAsk() {
    #expect(outcome { scenario, _ in scenario.require(Unasked()) }.contains("would ask the"))
    #expect(
      outcome { scenario, _ in scenario.require(Deaf()) }.contains("it watches no kind of event"))
  }

  @Test func callsThatAreNone() {
    let text = outcome { scenario, _ in scenario.require(OperationsLinearise(to: Zero())) }
    #expect(text.contains("operations-linearise judges calls, and no operation is one"), "\(text)")
    #expect(
      outcome(calls: true) { scenario, _ in scenario.require(OperationsLinearise(to: Zero())) }
        == "holds")
  }

  @Test func choicesThatWouldNotBeExplored() {
    let text = outcome { scenario, _ in scenario.boot { cpu in _ = try cpu.choose(2) } }
    #expect(text.hasPrefix("the model: @ boot: a choice before the CPUs start"), "\(text)")
    #expect(outcome { scenario, _ in scenario.boot { cpu in _ = try cpu.choose(1) } } == "holds")
  }

  // MARK: Pages that are not what they are taken for

  @Test func pagesOfASlab() {
    let walked = outcome { scenario, _ in
      let slab = scenario.slab("pages", pages: 1)
      scenario.cpu("a", mmu: MMU(slab[0]), CPUOperation("op") { try $0.guestRead(0) })
    }
    #expect(
      walked == "the model: @ the MMU of a walks a page that is not a root: see rootTable(_:)")
  }

  @Test func invalidationsBelowTheRoot() {
    let text = outcome { scenario, root in
      scenario.cpu(
        "a", mmu: MMU(root),
        CPUOperation("op") { cpu in
          guard let table = try cpu.allocateTable() else { return }
          try cpu.tlbi(.all, of: table)
        })
    }
    #expect(text.hasSuffix("that MMUs walk, and a.0 is no root"), "\(text)")
  }

  @Test func featuresThatNoneHas() {
    let text = outcome { scenario, _ in scenario.features.breakBeforeMakeLevel = 7 }
    #expect(text == "the model: @ features.breakBeforeMakeLevel is 7: it must be from 0 to 2")
  }

  // MARK: Words

  @Test func errorsWithoutADescription() throws {
    let model = Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
      let scenario = Scenario()
      scenario.cpu("a", CPUOperation("op") { _ in throw Nameless() })
      return scenario
    }
    let trace = try #require(try model.check().counterexample)
    guard case .violated(_, let violation) = trace.recording.end else {
      Issue.record("not violated")
      return
    }
    #expect(violation.message == "a throws an error in op: Nameless")
  }

  @Test func wordsForAShell() {
    #expect("map-0x0/collapse-0x0,free".quotedForShell == "map-0x0/collapse-0x0,free")
    #expect("it's `id` $HOME".quotedForShell == #"'it'\''s `id` $HOME'"#)
    #expect("".quotedForShell == "''")
  }
}
