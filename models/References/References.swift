// The last reference to an unlinked page is dropped by whichever CPU comes last.

import Gracewalk

/// Dropping a reference and testing whether it was the last must be one step.
public enum References {
  public static let system = ModelSystem("references", "Dropping the last reference", models)

  enum Result: UInt64, OperationResult {
    /// Others still hold the page.
    case dropped
    case freed
  }

  public static let models = Model.family(
    [
      .holds("drop-last-reference", "a reference is dropped and tested in one step"),
      .broken(
        "drop-last-reference-tested-later", "the count is decremented first and read again to test",
        omits: "testing in the same step", violates: [NoDoubleFree.id]),
    ],
    scenario:
      "An unlinked page is held by three vCPUs and by nobody else. Each drops its reference, and "
      + "the last to do so frees the page.",
    origin: Origin(
      author: "Quentin Perret", list: "linux-arm-kernel", date: "2022-04-22",
      subject: "Re: [RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "If walkers held references to table pages and dropped them on their way back, who would "
        + "free a page that several of them let go of at once?",
      about: [.loadAndStore, .noPut]),
    mustHappen: ExpectedOutcome.each("drop", "dropped", "freed")
  ) { _ in
    let scenario = Scenario()
    let holder = scenario.variable("held page", initial: Descriptor.invalid)
    _ = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      for _ in 1..<3 { try cpu.getPage(page) }
      try cpu.store(holder, .table(page), .relaxed)
    }
    scenario.cpus(
      ["vcpu 0", "vcpu 1", "vcpu 2"],
      CPUOperation("drop") { cpu -> any OperationResult in
        guard let page = cpu.table(at: try cpu.load(holder, .relaxed)) else {
          return Result.dropped
        }
        if !cpu.omits("testing in the same step") {
          return try cpu.putPage(page) ? Result.freed : .dropped
        }
        _ = try cpu.fetchAdd(page.references, -1, .release)
        guard try cpu.load(page.references, .acquire) == 0 else { return Result.dropped }
        try cpu.free(page)
        return Result.freed
      })
    scenario.require(InvariantCatalogue.tables)
    return scenario
  }
}
