// A cache of table pages, filled before the locks are taken and shared by two vCPUs.

import Gracewalk

/// KVM fills a memory cache per vCPU; this shows why they do not share one.
public enum Memcache {
  public static let system = ModelSystem("memcache", "A cache of table pages", models)

  /// What a fault came to; the cache is empty where the other vCPU has taken the page.
  enum Result: UInt64, OperationResult {
    case installed, cacheIsEmpty
  }

  /// The failure of the kernel's `BUG_ON`.
  struct Bug: Error, CustomStringConvertible {
    var description: String
  }

  public static let models = Model.family(
    [
      .holds("shared-memcache", "a page is taken out of the shared cache by an exchange"),
      .broken(
        "shared-memcache-without-exchange",
        "a page is read out of the shared cache, which is then emptied by a store",
        omits: "the exchange that takes a page out of the cache",
        violates: [NoTableLinkedTwice.id]),
      .broken(
        "shared-memcache-taken-for-own",
        "a vCPU that finds the cache empty hits the BUG_ON of kvm_mmu_memory_cache_alloc(), as if "
          + "it had filled the cache itself",
        omits: "looking whether the cache is empty", violates: [OperationsDoNotThrow.id]),
    ],
    scenario:
      "A cache holds one table page. Two vCPUs fault in different halves of an empty table; each "
      + "takes the page if it is there and installs it.",
    origin: Origin(
      author: "David Matlack", list: "linux", date: "2022-09-07",
      subject: "Re: [PATCH 09/14] KVM: arm64: Free removed stage-2 tables in RCU callback",
      question:
        "The table pages that the patch frees came out of a memory cache, which the code around it "
        + "takes them from. What if vCPUs that fault in parallel took them from one and the same?",
      about: [.loadAndStore]),
    mustHappen: ExpectedOutcome.each("fault 0", "installed", "cacheIsEmpty")
      + ExpectedOutcome.each("fault 1", "installed", "cacheIsEmpty")
  ) { _ in
    let scenario = Scenario()
    let cache = scenario.variable("memcache", initial: Descriptor.invalid)
    let root = scenario.rootTable()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      try cpu.store(cache, .table(page), .relaxed)
    }
    for vcpu in 0..<2 {
      scenario.cpu("vcpu \(vcpu)", runs: "fault \(vcpu)") { cpu -> any OperationResult in
        guard let page = cpu.table(at: try take(cpu, cache)) else {
          if cpu.omits("looking whether the cache is empty") {
            throw Bug(description: "BUG_ON(!page)")
          }
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

  private static func take(_ cpu: VirtualCPU, _ cache: Entry) throws -> Descriptor {
    guard cpu.omits("the exchange that takes a page out of the cache") else {
      return try cpu.exchange(cache, .invalid, .acquireRelease)
    }
    let taken = try cpu.load(cache, .acquire)
    try cpu.store(cache, .invalid, .release)
    return taken
  }
}
