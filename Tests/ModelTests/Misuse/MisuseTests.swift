// A mistake in using the API is an error in one line, with the place; never a trap or a verdict.

import Gracewalk
import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine
import Testing

/// The message of a check of a scenario, without places of this file; or its verdict.
private func outcome(
  _ geometry: Geometry = Geometry(levels: 2, entries: 2), requiring: [any Invariant] = [],
  _ change: @escaping @Sendable (Scenario, TablePage) -> Void
) -> String {
  let model = Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
    let scenario = Scenario(geometry: geometry)
    let root = scenario.rootTable()
    change(scenario, root)
    if scenario.programs.isEmpty { scenario.cpu("idle", CPUOperation("nothing") { _ in }) }
    scenario.require(requiring)
    return scenario
  }
  return outcome(of: model)
}

private func outcome(of model: Model, _ options: CheckOptions = CheckOptions()) -> String {
  var options = options
  options.minimises = false
  do { return "\(try model.check(options).verdict)" } catch {
    return "\(error)".replacing(#/ModelTests/MisuseTests\.swift:\d+: /#, with: "@ ")
  }
}

/// The same for one operation of CPU `a`.
private func said(
  _ geometry: Geometry = Geometry(levels: 2, entries: 2), mmu: Bool = false,
  _ body: @escaping @Sendable (VirtualCPU, TablePage) throws -> Void
) -> String {
  outcome(geometry) { scenario, root in
    scenario.cpu("a", mmu: mmu ? MMU(root) : nil, CPUOperation("op") { try body($0, root) })
  }
}

struct MisuseTests {
  // MARK: Indices

  @Test(arguments: [2, -1, Int.max, Int.min, 1 << 32]) func indices(index: Int) {
    let text =
      "the model: @ a in op: root[\(index)] is outside of the table page, whose 2 entries go "
      + "from 0 "
      + "to 1"
    #expect(said { try $0.store($1[index], 0, .relaxed) } == text)
    #expect(said { _ = try $0.load($1[index], .relaxed) } == text)
    #expect(said { _ = try $0.exchange($1[index], 0, .relaxed) } == text)
    #expect(said { _ = try $0.fetchAdd($1[index], 1, .relaxed) } == text)
    #expect(said { try $0.wait(until: $1[index], .equals(0)) } == text)
    let address = "the model: @ a in op: a table page has no entry \(index): entries go from 0 to 1"
    #expect(said { _ = $0.entry(at: $1.address(ofEntry: index)) } == address)
  }

  @Test func thePlaceIsThatOfTheAccess() throws {
    let line = #line + 8
    let model = Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
      let scenario = Scenario()
      let root = scenario.rootTable()
      scenario.cpu(
        "a",
        CPUOperation("op") { cpu in
          let entry = root[2]
          try cpu.store(entry, 0, .relaxed)
        })
      return scenario
    }
    let text =
      "ModelTests/MisuseTests.swift:\(line): a in op: root[2] is outside of the table page, "
      + "whose 2 "
      + "entries go from 0 to 1"
    #expect(throws: CheckError.badModel(text)) { try model.check() }
    #expect(throws: CheckError.badModel(text)) { try model.verify() }
  }

  /// An index out of range that is never used does no harm.
  @Test func anIndexThatIsNotUsed() {
    #expect(said { _ = $1[2] } == "holds")
  }

  @Test func bootCode() {
    let text = outcome { scenario, root in
      scenario.boot { try $0.store(root[2], 0, .relaxed) }
    }
    #expect(
      text
        == "the model: @ boot: root[2] is outside of the table page, whose 2 entries go from 0 to 1"
    )
  }

  // MARK: Addresses

  @Test(arguments: [4, -1, 65_536, Int.max, Int.min]) func addresses(address: Int) {
    let number = (address < 0 ? "-0x" : "0x") + String(address.magnitude, radix: 16)
    let text = "there is no address \(number): addresses go from 0x0 to 0x3"
    #expect(
      said(mmu: true) { cpu, _ in _ = try cpu.guestRead(address) }
        == "the model: @ a in op: \(text)")
    #expect(
      said(mmu: true) { cpu, _ in _ = try cpu.guestWrite(address) }
        == "the model: @ a in op: \(text)")
    #expect(
      said { cpu, root in try cpu.tlbi(.address(address), of: root) }
        == "the model: @ a in op: TLBI: \(text)")
    #expect(
      said { cpu, _ in _ = cpu.geometry.index(of: address, at: 0) }
        == "the model: @ a in op: \(text)")
    let speculated = outcome { scenario, root in
      scenario.cpu("a", mmu: MMU(root, speculatesOn: [0, address]), CPUOperation("op") { _ in })
    }
    #expect(speculated == "the model: @ the MMU of a walks by itself: \(text)")
  }

  @Test func invalidations() {
    #expect(
      said { try $0.tlbi(.address(0).level(2), of: $1) }
        == "the model: @ a in op: TLBI: there is no level 2: levels go from 0, the root's, to 1")
    #expect(
      said { try $0.tlbi(.range(1, count: 4), of: $1) }
        == "the model: @ a in op: TLBI of 4 addresses from 0x1: it takes 1 to 3")
    #expect(
      said { try $0.tlbi(.range(0, count: 2), of: $1) }
        == "the model: @ a in op: TLBI of 2 addresses: the architecture has no invalidation of "
        + "ranges "
        + "(FEAT_TLBIRANGE); look at VirtualCPU.features, or set those of the scenario")
  }

  @Test func levelsAndFrames() {
    #expect(
      said { cpu, _ in _ = cpu.geometry.span(ofEntryAt: 2) }
        == "the model: @ a in op: there is no level 2: levels go from 0, the root's, to 1")
    #expect(
      said { try $0.store($1[0], Descriptor.page(-1).bits, .relaxed) }
        == "the model: @ a in op: there is no data frame -0x1: they go from 0x0 to 0xffffff")
    #expect(
      outcome { scenario, root in _ = Descriptor.block(1 << 40) }
        == "the model: @ there is no data frame 0x10000000000: they go from 0x0 to 0xffffff")
  }

  @Test(arguments: [(0, 2), (2, 1), (9, 2), (5, 512), (-1, -1), (.max, .max)])
  func geometries(levels: Int, entries: Int) {
    #expect(
      outcome(Geometry(levels: levels, entries: entries)) { scenario, _ in
        _ = scenario.dataFrames(1)[0]
      }
        == "the model: @ a geometry of \(levels) levels and \(entries) "
        + "\(entries == 1 ? "entry" : "entries") is impossible: a table "
        + "has 1 to 8 levels, 2 to 512 entries, and at most 2^40 addresses")
  }

  @Test func addressesOfAnMMUAreLimited() {
    #expect(
      said(Geometry(levels: 2, entries: 512), mmu: true) { _, _ in }
        == "the model: @ 2 levels of 512 entries make 262144 addresses; with an MMU there are "
        + "at most "
        + "65536")
    #expect(said(Geometry(levels: 2, entries: 512)) { _, _ in } == "holds")
  }

  // MARK: Counts

  @Test(arguments: [0, -1, 65_537, Int.max]) func choices(count: Int) {
    #expect(
      said { cpu, _ in _ = try cpu.choose(count) }
        == "the model: @ a in op: a choice among \(count): there are 1 to 65536")
  }

  @Test func waitsForImpossibleValues() {
    #expect(
      said { try $0.wait(until: $1[0], .bits(1, equal: 2)) }
        == "the model: @ a in op: a wait for the bits 0x1 to be, or not to be, 0x2: they never are")
    #expect(
      said { try $0.wait(until: $1[0], .bits(0, equal: 0)) }
        == "the model: @ a in op: a wait for the bits 0x0 to be, or not to be, 0x0: they never are")
  }

  @Test func nesting() {
    #expect(
      said { cpu, _ in for _ in 0..<256 { try cpu.rcuReadLock() } }
        == "the model: @ a in op: read-side sections nest more than 255 deep")
    #expect(
      said { cpu, _ in for _ in 0..<256 { try cpu.maskInterrupts() } }
        == "the model: @ a in op: interrupts are masked more than 255 times")
  }

  @Test func slabs() {
    #expect(
      outcome { scenario, _ in _ = scenario.slab("s", pages: 0) }
        == "the model: @ a slab of 0 pages: it has at least one")
    let most =
      "the model: @ at most 16 pages exist from the start, root tables and those of slabs: give "
      + "the scenario room for more with Scenario(capacity:)"
    #expect(outcome { scenario, _ in _ = scenario.slab("s", pages: 16) } == most)
    #expect(
      outcome { scenario, _ in _ = scenario.slab("s", pages: .max) }
        == "the model: @ a slab of \(Int.max) pages: it has at most 64")
    #expect(outcome { scenario, _ in for n in 0..<16 { _ = scenario.rootTable("r\(n)") } } == most)
    #expect(
      outcome { scenario, _ in
        let (one, two) = (scenario.slab("one", pages: 1), scenario.slab("two", pages: 1))
        scenario.cpu("a", CPUOperation("op") { try $0.free(one[0], to: two) })
      } == "the model: @ a in op: one.0 is given back to two, which it did not come from")
    #expect(
      outcome { scenario, _ in
        let slab = scenario.slab("s", pages: 2)
        scenario.cpu("a", CPUOperation("op") { try $0.free(slab[2], to: slab) })
      } == "the model: @ a in op: page 2 of a slab does not exist: its pages go from 0 to 1")
  }

  @Test func frames() {
    #expect(
      outcome { scenario, _ in _ = (scenario.dataFrames(1), scenario.dataFrames(1)) }
        == "the model: @ a scenario declares its data frames once")
    #expect(
      outcome { scenario, _ in _ = scenario.dataFrames(-1) }
        == "the model: @ -1 data frames: there cannot be less than none")
    #expect(
      outcome { scenario, _ in _ = scenario.dataFrames(.max) }
        == "the model: @ \(Int.max) data frames are too many")
    #expect(
      outcome { scenario, _ in
        let frames = scenario.dataFrames(1)
        scenario.cpu(
          "a", CPUOperation("op") { try $0.handOver(frames[0], to: FrameOwner(id: -1, name: "x")) })
      } == "the model: @ a in op: the scenario knows no owner of frames 'x' with the number -1: "
        + "make one with scenario.frameOwner(\"…\")")
    #expect(
      outcome { scenario, _ in
        let frames = scenario.dataFrames(1)
        scenario.cpu(
          "a", CPUOperation("op") { try $0.handOver(frames[0], to: FrameOwner(id: 77, name: "y")) })
      } == "the model: @ a in op: the scenario knows no owner of frames 'y' with the number 77: "
        + "make one with scenario.frameOwner(\"…\")")
  }

  /// Code may write any value to the word of a frame's owner.
  @Test(arguments: [UInt64.max, 1 << 63, 1 << 40])
  func anOwnerThatIsNone(value: UInt64) {
    func verdict(reads: Bool) -> String {
      outcome(requiring: InvariantCatalogue.hardware + [DonatedPageUnreachable()]) {
        scenario, root in
        let frames = scenario.dataFrames(1)
        scenario.boot { cpu in
          try cpu.store(root[0], Descriptor.block(0).bits, .relaxed)
          try cpu.dsb()
        }
        scenario.cpu(
          "a", mmu: MMU(root),
          CPUOperation("op") { cpu in
            try cpu.store(frames[0].owner, value, .relaxed)
            if reads { _ = try cpu.guestRead(0) }
            try cpu.handOver(frames[0], to: .nobody)
          })
      }
    }
    #expect(verdict(reads: false) == "holds")
    #expect(verdict(reads: true) == "violated")
  }

  @Test func tooManyCPUs() {
    #expect(
      outcome { scenario, _ in
        for n in 0..<70 { scenario.cpu("c\(n)", CPUOperation("op") { _ in }) }
      }
        == "the model: @ the scenario has 70 CPUs, callbacks and hardware walkers included; a "
        + "machine "
        + "has at most 62")
    #expect(
      outcome { scenario, root in
        for n in 0..<57 { scenario.cpu("c\(n)", mmu: MMU(root), CPUOperation("op") { _ in }) }
      } == "the model: @ the scenario has 57 MMUs; a machine has at most 56")
  }

  @Test func noCPUs() {
    let model = Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in Scenario()
    }
    #expect(outcome(of: model) == "the model: @ the scenario has no CPU: add one with cpu(_:_:)")
    #expect(
      outcome { scenario, _ in scenario.cpu("a") }
        == "the model: @ no CPU of the scenario has anything to do: give one an operation")
  }

  @Test func specificationCalls() {
    #expect(
      outcome { scenario, _ in
        scenario.cpu(
          "a",
          CPUOperation("op", call: SpecificationCall(operation: 0, argument: 1 << 40)) { _ in 0 })
      }
        == "the model: @ the call of 'op' to a specification has the numbers 0 and "
        + "1099511627776: each "
        + "is one of 32 bits")
    // Negative ones are numbers like any other.
    #expect(
      outcome { scenario, _ in
        scenario.cpu(
          "a", CPUOperation("op", call: SpecificationCall(operation: -1, argument: -2)) { _ in 0 })
      } == "holds")
  }

  /// A table that contains itself: code that follows entries must end.
  @Test func aTableInItself() {
    #expect(
      outcome(requiring: [GracePeriodSafety(), NoLeakedTablePage()]) { scenario, root in
        scenario.boot { try $0.store(root[0], Descriptor.table(root).bits, .relaxed) }
        scenario.cpu("a", CPUOperation("op") { try $0.store(root[0], 0, .relaxed) })
      } == "holds")
  }

  /// Code that is abandoned, but never stops.
  @Test func codeThatCatchesEverything() {
    #expect(
      said { cpu, root in while true { _ = try? cpu.load(root[2], .relaxed) } }
        == "the model: @ a in op: root[2] is outside of the table page, whose 2 entries go from "
        + "0 to 1"
    )
    #expect(
      outcome { scenario, root in
        scenario.boot { cpu in while true { _ = try? cpu.load(root[0], .relaxed) } }
      }
        == "the model: boot takes more than 100000 actions before the CPUs start"
    )
  }
}
