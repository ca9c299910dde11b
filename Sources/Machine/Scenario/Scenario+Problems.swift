// Validation of a scenario: mistakes become errors of the check.

import GracewalkSupport

extension Scenario {
  /// The number of CPUs, including those that run callbacks and those of memory management units.
  var cpuCount: Int {
    // With store buffers, each that runs code has another that makes its stores visible.
    let each = memoryModel == .sequentialConsistency ? 1 : 2
    return programs.reduce(0) { count, program in
      count + each + (program.usesCallbacks ? each : 0) + ((program.mmu?.times ?? 0) > 0 ? 1 : 0)
    }
  }

  /// The first mistake that prevents running the scenario, in words; nil if there is none.
  public var firstProblem: String? { problem ?? structuralProblem }

  /// A problem with the scenario as a whole.
  private var structuralProblem: String? {
    if programs.isEmpty { return "\(site.text): the scenario has no CPU: add one with cpu(_:_:)" }
    let isIdle = programs.allSatisfy { $0.operations.isEmpty && ($0.mmu?.times ?? 0) <= 0 }
    if isIdle {
      return "\(site.text): no CPU of the scenario has anything to do: give one an operation"
    }
    let level = features.breakBeforeMakeLevel
    guard (0...2).contains(level) else {
      return "\(site.text): features.breakBeforeMakeLevel is \(level): it must be from 0 to 2"
    }
    return historyProblem ?? machineProblem
  }

  /// Why an invariant about calls would hold vacuously, or nil.
  private var historyProblem: String? {
    if isCombination || programs.contains(where: { $0.operations.contains { $0.call != nil } }) {
      return nil
    }
    let watching = invariants.first {
      ($0 as? any MachineRequirements)?.requirements.contains(.history) == true
    }
    return watching.map {
      "\(site.text): \($0.id) judges calls, and no operation is one: give operations a `call:`"
    }
  }

  /// Checks that an invariant can be judged at all.
  func admit(_ invariant: any Invariant, _ site: SourceSite) {
    let isJudged =
      invariant is any QuiescenceInvariant || invariant is any StateInvariant
      || invariant is any RepetitionInvariant
    if isJudged { return }
    guard let events = invariant as? any EventInvariant else {
      return note(
        "nothing would ask the invariant \(invariant.id): it conforms to none of EventInvariant, "
          + "QuiescenceInvariant and StateInvariant", site)
    }
    if events.watches.isEmpty {
      note("nothing would ask the invariant \(invariant.id): it watches no kind of event", site)
    }
  }

  /// Why a machine cannot be built from the scenario, or nil.
  var machineProblem: String? {
    if let problem { return problem }
    guard cpuCount <= Machine.cpuCountMax else {
      return
        "\(site.text): the scenario has \(cpuCount) CPUs, callbacks and hardware walkers "
        + "included; a machine has "
        + "at most \(Machine.cpuCountMax)"
    }
    let units = programs.count { $0.mmu != nil }
    guard units <= Machine.unitCountMax else {
      return
        "\(site.text): the scenario has \(units) MMUs; a machine has at most "
        + "\(Machine.unitCountMax)"
    }
    guard units == 0 || geometry.addressCount <= Machine.addressCountMax else {
      return
        "\(site.text): \(geometry.levels) levels of \(geometry.entries) entries make "
        + "\(geometry.addressCount) "
        + "addresses; with an MMU there are at most \(Machine.addressCountMax)"
    }
    return nil
  }

  /// Checks that the operations of a CPU have names, and calls that fit in a word.
  func admit(_ operations: [CPUOperation], _ site: SourceSite) {
    for operation in operations {
      if operation.name.allSatisfy(\.isWhitespace) { note("an operation has no name", site) }
      guard let call = operation.call, !call.isPackable else { continue }
      note(
        "the call of '\(operation.name)' to a specification has the numbers \(call.operation) and "
          + "\(call.argument): each is one of 32 bits", site)
    }
  }

  /// Checks that a memory management unit walks a table of this scenario.
  func admit(_ mmu: MMU, of cpu: String, _ site: SourceSite) {
    if mmu.root.scenario != number {
      note("the MMU of \(cpu) walks a table of another scenario", site)
    } else if !rootNames.indices.contains(mmu.root.id) {
      note("the MMU of \(cpu) walks a page that is not a root: see rootTable(_:)", site)
    }
    if let text = ownerProblem(mmu.owner) { note("the MMU of \(cpu): \(text)", site) }
    if mmu.times < 0 {
      note("the MMU of \(cpu) walks \(mmu.times) times by itself: that cannot be less than 0", site)
    }
    for address in mmu.addresses where !geometry.hasAddress(address) {
      note("the MMU of \(cpu) walks by itself: \(geometry.addressText(address))", site)
    }
  }

  /// Why a frame owner cannot be used in this scenario, or nil.
  func ownerProblem(_ owner: FrameOwner) -> String? {
    if owner.scenario != ScenarioNumber.any, owner.scenario != number {
      return "'\(owner.name)' owns frames in another scenario"
    }
    guard ([.guest, .nobody] + frameOwners).contains(owner) else {
      return "the scenario knows no owner of frames '\(owner.name)' with the number \(owner.id): "
        + "make one with scenario.frameOwner(\"…\")"
    }
    return nil
  }

  /// Builds a scenario, and stores in it the first mistake reported meanwhile to the thread's sink.
  package static func noting(_ build: () -> Scenario) -> Scenario {
    var first: (text: String, site: SourceSite)?
    let sink = MisuseSink { text, site in if first == nil { first = (text, site) } }
    let scenario = sink.whileCurrent(build)
    // Such values are parts of the scenario, so a mistake in one comes before all others.
    if let first { scenario.problem = "\(first.site.text): \(first.text)".printable }
    if scenario.isTaken {
      scenario.note("build returns the same scenario again; it must make a new one each time")
    }
    scenario.isTaken = true
    return scenario
  }
}
