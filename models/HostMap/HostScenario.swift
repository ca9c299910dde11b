// Who does what to the host's table: pages 0 and 1 are one block, and page 1 changes hands.

import Gracewalk

enum HostScenario: Sendable {
  case donate, reclaim
  /// The host also needs its other page, which the hypervisor leaves to its faults.
  case donateAndFault
  /// The same with faults that share the lock and fill the table, and no guest that runs.
  case shareAndDonate, shareAndReclaim

  var text: String {
    switch self {
    case .donate:
      "The host has pages 0 and 1 mapped by a block. The hypervisor donates page 1 to a protected "
        + "guest while one of the host's CPUs reads it, its MMU walks to page 0 speculatively, "
        + "and the guest writes to its page."
    case .donateAndFault:
      "The host has pages 0 and 1 mapped by a block. The hypervisor donates page 1 to a protected "
        + "guest while one of the host's CPUs reads both, and the guest writes to its page."
    case .reclaim:
      "Page 1 is a protected guest's. The guest ends; then the hypervisor gives the page back and "
        + "coalesces pages 0 and 1. Meanwhile one of the host's CPUs reads page 1, and "
        + "its MMU and the guest's walk speculatively."
    case .shareAndDonate:
      "The host has nothing mapped yet. Two of its CPUs read pages 0 and 1 and fault; the "
        + "hypervisor donates page 1 to a protected guest."
    case .shareAndReclaim:
      "Page 1 was a protected guest's, which has ended, and page 0 is not mapped. Two of the "
        + "host's CPUs read pages 0 and 1 and fault; the hypervisor takes page 1 back and "
        + "coalesces."
    }
  }

  /// The page is reached, and out of reach, as it changes hands sooner or later.
  var races: [ExpectedOutcome] {
    let both = ["reached", "refused"]
    var races = both.map { ExpectedOutcome("host reads 0x1", $0) }
    races.append(ExpectedOutcome(startsDonated ? "reclaim 0x1" : "donate 0x1", "done"))
    if self == .donate || self == .donateAndFault {
      races += both.map { ExpectedOutcome("guest writes 0x1", $0) }
    }
    if self == .donateAndFault || sharesLock {
      races.append(ExpectedOutcome("host reads 0x0", "reached"))
    }
    return races
  }

  private var sharesLock: Bool { self == .shareAndDonate || self == .shareAndReclaim }
  private var startsDonated: Bool { self == .reclaim || self == .shareAndReclaim }

  func build(_ resizing: HostTable.Resizing, omitting omission: HostTable.Omission?) -> Scenario {
    let scenario = Scenario()
    let table = HostTable(scenario, sharing: sharesLock, resizing, omitting: omission)
    scenario.boot { cpu in try boot(cpu, table) }
    switch self {
    case .donate, .donateAndFault:
      let isAlone = self == .donate
      scenario.cpu(
        "host cpu 0",
        mmu: MMU(table.root, speculatesOn: isAlone ? [0] : [], owner: table.host),
        (isAlone ? [1] : [1, 0]).map(table.hostReads))
      scenario.cpu("host cpu 1", table.donates(1))
      scenario.cpu("guest vcpu", mmu: MMU(table.guestRoot, owner: table.guest), table.guestWrites)
    case .reclaim:
      let ended = scenario.word("guest has ended")
      scenario.cpu(
        "host cpu 0",
        mmu: MMU(table.root, speculatesOn: [0], times: 1, owner: table.host),
        table.hostReads(1))
      scenario.cpu(
        "host cpu 1",
        CPUOperation("wait for the end of the guest") { cpu in
          try cpu.wait(until: ended, .equals(1))
        },
        table.reclaims(1))
      scenario.cpu(
        "guest vcpu", mmu: MMU(table.guestRoot, speculatesOn: [0], times: 1, owner: table.guest),
        runs: "end"
      ) { cpu in try cpu.store(ended, 1, .release) }
    case .shareAndDonate, .shareAndReclaim:
      for page in 0...1 {
        scenario.cpu(
          "host cpu \(page)", mmu: MMU(table.root, owner: table.host), table.hostReads(page))
      }
      scenario.cpu("host cpu 2", startsDonated ? table.reclaims(1) : table.donates(1))
    }
    require(scenario, table)
    return scenario
  }

  private func require(_ scenario: Scenario, _ table: HostTable) {
    scenario.require(InvariantCatalogue.tables)
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
    scenario.require(
      OperationsLinearise(
        to: HostOwnership(
          pageCount: table.geometry.addressCount, donated: startsDonated ? [1] : [])))
  }

  private func boot(_ cpu: VirtualCPU, _ table: HostTable) throws {
    for frame in table.frames { try cpu.handOver(frame, to: table.host) }
    try link(cpu, try cpu.allocateTable(), at: 0, of: table.guestRoot)
    if startsDonated {
      let pages = try cpu.allocateTable()
      try link(cpu, pages, at: 0, of: table.root)
      guard let pages else { return }
      if self == .reclaim {
        try cpu.store(pages.entry(0), .page(0), .relaxed)
        try cpu.getPage(pages)
      }
      try cpu.store(pages.entry(1), HostTable.owned, .relaxed)
      try cpu.getPage(pages)
      try cpu.handOver(table.frames[1], to: table.guest)
      try table.mapForGuest(cpu, 1)
    }
    if self == .donate || self == .donateAndFault {
      try cpu.store(table.root.entry(0), table.block(over: 1), .relaxed)
      try cpu.getPage(table.root)
    }
  }

  private func link(
    _ cpu: VirtualCPU, _ table: TablePage?, at index: Int, of root: TablePage
  ) throws {
    guard let table else { return }
    try cpu.store(root.entry(index), .table(table), .relaxed)
    try cpu.getPage(root)
  }
}

extension HostTable {
  fileprivate func hostReads(_ page: Int) -> CPUOperation {
    operation(.hostRead, page) { cpu in try hostRead(cpu, page) }
  }

  fileprivate func donates(_ page: Int) -> CPUOperation {
    operation(.donate, page) { cpu in try donate(cpu, page) }
  }

  fileprivate func reclaims(_ page: Int) -> CPUOperation {
    operation(.reclaim, page) { cpu in try reclaim(cpu, page) }
  }

  /// The guest's page 0 is the host's page 1.
  fileprivate var guestWrites: CPUOperation {
    operation(.guestWrite, 1) { cpu in try guestWrite(cpu) }
  }

  private func operation(
    _ call: HostOwnership.Call, _ page: Int,
    _ body: @escaping @Sendable (VirtualCPU) throws -> HostResult
  ) -> CPUOperation {
    let specification = SpecificationCall(operation: call.rawValue, argument: page)
    return CPUOperation("\(call.name) 0x\(page)", call: specification) { cpu in try body(cpu) }
  }
}
