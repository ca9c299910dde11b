// A cache of table pages that is filled before the locks are taken, shared by two vCPUs.

import Gracewalk

/// KVM fills a memory cache per vCPU; this is why it is not one for all.
public enum Memcache {
  public static let system = ModelSystem("memcache", "A cache of table pages", models)

  /// What a fault came to.
  enum Result: UInt64, OperationResult {
    case installed
    /// Somebody else has taken the page.
    case cacheIsEmpty
  }

  static let origin = Origin(
    author: "David Matlack", list: "linux", date: "2022-09-07",
    subject: "Re: [PATCH 09/14] KVM: arm64: Free removed stage-2 tables in RCU callback",
    question:
      "The table pages that the patch frees came out of a memory cache, which the code around it "
      + "takes them from. What if vCPUs that fault in parallel took them from one and the same?",
    about: [.loadAndStore])

  private static let variants: [Variant<Omission?>] = [
    .holds("shared-memcache", "a page is taken out of the shared cache by an exchange"),
    .broken(
      "shared-memcache-without-exchange",
      "a page is read out of the shared cache, which is then " + "emptied by a store", .exchange,
      omits: "the exchange that takes a page out of the cache", violates: [NoTableLinkedTwice.id]),
    .broken(
      "shared-memcache-taken-for-own",
      "a vCPU that finds the cache empty hits the BUG_ON of kvm_mmu_memory_cache_alloc(), as if it "
        + "had filled the cache itself",
      .lookingWhetherEmpty, omits: "looking whether the cache is empty",
      violates: [OperationsDoNotThrow.id]),
  ]

  private enum Omission { case exchange, lookingWhetherEmpty }

  /// What the kernel's `BUG_ON` finds.
  struct Bug: Error, CustomStringConvertible {
    var description: String
  }

  public static let models = Model.family(
    variants,
    scenario:
      "A cache holds one table page. Two vCPUs fault in different halves of an empty table; each "
      + "takes the page if it is there and installs it.",
    origin: origin,
    mustHappen: ["fault 0", "fault 1"].flatMap { fault in
      [ExpectedOutcome(fault, "installed"), ExpectedOutcome(fault, "cacheIsEmpty")]
    }
  ) { _, omitting in
    let scenario = Scenario()
    let cache = scenario.variable("memcache", initial: Descriptor.invalid)
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(cache, .table(page), .relaxed)
    }
    for vcpu in 0..<2 {
      scenario.cpu("vcpu \(vcpu)", runs: "fault \(vcpu)") { cpu -> any OperationResult in
        guard let page = try take(cpu, cache, byExchange: omitting != .exchange) else {
          if omitting == .lookingWhetherEmpty { throw Bug(description: "BUG_ON(!page)") }
          return Result.cacheIsEmpty
        }
        try cpu.getPage(root)
        try cpu.store(root.entry(vcpu), .table(page), .release)
        return Result.installed
      }
    }
    scenario.require(InvariantCatalogue.tables)
    return scenario
  }

  private static func take(
    _ cpu: VirtualCPU, _ cache: Entry, byExchange: Bool
  ) throws -> TablePage? {
    let taken: Descriptor
    if byExchange {
      taken = try cpu.exchange(cache, .invalid, .acquireRelease)
    } else {
      taken = try cpu.load(cache, .acquire)
      try cpu.store(cache, .invalid, .release)
    }
    return cpu.table(at: taken)
  }
}
