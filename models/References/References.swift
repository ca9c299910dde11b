// The last reference to an unlinked page is dropped by whoever comes last.

import Gracewalk

/// Dropping a reference and testing whether it was the last must be one step.
public enum References {
  public static let system = ModelSystem("references", "Dropping the last reference", models)

  /// What dropping a reference came to.
  enum Result: UInt64, OperationResult {
    /// Others still hold the page.
    case dropped
    case freed
  }

  static let origin = Origin(
    author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
    subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "If walkers held references to table pages and dropped them on their way back, who would "
      + "free a page that several of them let go of at once?",
    about: [.loadAndStore, .noPut])

  private static let variants: [Variant<Bool>] = [
    .holds("drop-last-reference", "a reference is dropped and tested in one step", true),
    .broken(
      "drop-last-reference-tested-later", "the count is decremented first and read again to test",
      false,
      omits: "testing in the same step", violates: [NoDoubleFree.id]),
  ]

  public static let models = Model.family(
    variants,
    scenario:
      "An unlinked page is held by three vCPUs and by nobody else. Each drops its reference, and "
      + "the last to do so frees the page.",
    origin: origin,
    mustHappen: [ExpectedOutcome("drop", "dropped"), ExpectedOutcome("drop", "freed")]
  ) { _, testsInOneStep in
    let scenario = Scenario()
    let holder = scenario.variable("held page", initial: Descriptor.invalid)
    _ = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.getPage(page)
      try cpu.getPage(page)
      try cpu.store(holder, .table(page), .relaxed)
    }
    scenario.cpus(
      ["vcpu 0", "vcpu 1", "vcpu 2"],
      CPUOperation("drop") { cpu in
        let held = try cpu.load(holder, .relaxed)
        guard let page = cpu.table(at: held) else { return Result.dropped }
        return try drop(cpu, page, inOneStep: testsInOneStep)
      })
    scenario.require(InvariantCatalogue.tables)
    return scenario
  }

  private static func drop(_ cpu: VirtualCPU, _ page: TablePage, inOneStep: Bool) throws -> Result {
    if inOneStep { return try cpu.putPage(page) ? .freed : .dropped }
    _ = try cpu.fetchAdd(page.references, -1, .release)
    guard try cpu.load(page.references, .acquire) == 0 else { return .dropped }
    try cpu.free(page)
    return .freed
  }
}
