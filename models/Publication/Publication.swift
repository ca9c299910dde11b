// Publishing a page table to walks that take no lock: which orderings does that need?

import Gracewalk

/// A table is filled and then linked, while another CPU walks.
public enum Publication {
  public static let system = ModelSystem(
    "publication", "Publishing to walks without locks", models + DirtyMark.models)

  /// When the table is linked.
  enum Moment: Sendable {
    case onceFilled
    case afterGracePeriod
  }

  private static let isFilled = "No walk finds the table empty"
  private static let missed = ["no-walk-finds-the-table-empty"]
  /// What is missing is given for nothing under stronger memory models.
  static let stronger: [MemoryModel: Expectation] = [
    .sequentialConsistency: .holds, .totalStoreOrder: .holds,
  ]

  private static let variants: [Variant<Moment>] = [
    .holds(
      "publish-table", "the link is a release, and a walk follows it by rcu_dereference",
      .onceFilled, under: stronger),
    .broken(
      "publish-table-without-release", "the link is a plain WRITE_ONCE", .onceFilled,
      omits: "the release of the link", violates: missed, under: stronger),
    .broken(
      "publish-table-without-dereference", "a walk reads the link as plain code does", .onceFilled,
      omits: "rcu_dereference", violates: missed, under: stronger),
    .holds(
      "publish-table-after-grace-period",
      "a grace period comes between filling and linking: nothing else has to be ordered",
      .afterGracePeriod, under: stronger),
  ]

  public static let models = Model.family(
    variants,
    scenario: "The root is empty. The mapper allocates a table, writes an entry to it and links "
      + "it; the walker follows the root's entry in a read-side section, without a lock.",
    origin: Origin(
      author: "Xiao Guangrong", list: "linux-kernel", date: "2013-08-29",
      subject: "Re: [PATCH 09/12] KVM: MMU: introduce pte-list lockless walker",
      question:
        "Are rcu_assign_pointer() and rcu_dereference() needed for their ordering, where a walk "
        + "without locks follows what another CPU publishes?",
      about: [.relaxed]),
    mustHappen: ExpectedOutcome.each("look up 0x0", "nothing", "mapped")
  ) { _, moment in
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    scenario.memoryModel = .armv8
    scenario.readsPlainly = true
    let root = scenario.rootTable()
    let empty = scenario.word("empty tables found")
    scenario.cpu("mapper", runs: "map 0x0") { cpu in try map(cpu, root, moment) }
    scenario.cpu("walker", runs: "look up 0x0") { cpu in
      let found = try lookUp(cpu, root, moment)
      if found == .emptyTable { try cpu.store(empty, 1, .relaxed) }
      return found
    }
    scenario.require([
      NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
      GracePeriodSafety(),
    ])
    scenario.atEnd(isFilled) { machine in machine.value(of: empty) == 0 }
    return scenario
  }

  /// What a walk finds.
  private enum Found: UInt64, OperationResult {
    case nothing, mapped, emptyTable
  }

  private static func map(_ cpu: VirtualCPU, _ root: TablePage, _ moment: Moment) throws {
    guard let table = try cpu.allocateTable() else { return }
    try cpu.store(table.entry(0), .page(0), .relaxed)
    if moment == .afterGracePeriod { try cpu.synchronizeRCU() }
    let isPlain = moment == .afterGracePeriod || cpu.omits("the release of the link")
    try cpu.store(root.entry(0), .table(table), isPlain ? .relaxed : .release)
  }

  private static func lookUp(
    _ cpu: VirtualCPU, _ root: TablePage, _ moment: Moment
  ) throws -> Found {
    try cpu.rcuReadLock()
    let isPlain = moment == .afterGracePeriod || cpu.omits("rcu_dereference")
    let link = try isPlain ? cpu.plainLoad(root.entry(0)) : cpu.rcuDereference(root.entry(0))
    var found = Found.nothing
    if let table = cpu.table(at: link) {
      found = try cpu.load(table.entry(0), .relaxed).isValid ? .mapped : .emptyTable
    }
    try cpu.rcuReadUnlock()
    return found
  }
}
