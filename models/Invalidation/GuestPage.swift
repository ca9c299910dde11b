// A page that guests use while its entry changes.

import Gracewalk

/// Page 0, mapped to frame 0 by the root's first table; frame 1 is spare.
struct GuestPage: Sendable {
  let root: TablePage
  let frames: [DataFrame]

  init(_ scenario: Scenario, _ leaf: Descriptor = .page(0)) {
    let root = scenario.rootTable()
    self.root = root
    frames = scenario.dataFrames(2)
    scenario.boot { cpu in try cpu.mapFirst(root, leaf) }
    scenario.require(
      InvariantCatalogue.tables + InvariantCatalogue.hardware + [DonatedPageUnreachable()])
  }

  /// Adds a vCPU that reads the page, with a speculative walker, and one that writes to it.
  func addGuests(_ scenario: Scenario, walks: Int = 1) {
    let mmu = MMU(root, speculatesOn: [0], times: walks)
    scenario.cpu("vcpu 0", mmu: mmu, runs: "read 0x0") { try $0.guestRead(0) }
    scenario.cpu("vcpu 1", mmu: MMU(root), runs: "write 0x0") { try $0.guestWrite(0) }
  }

  /// The table that the root leads to, which stays.
  func table(_ cpu: VirtualCPU) throws -> TablePage {
    cpu.table(at: try cpu.load(root.entry(0), .acquire)) ?? root
  }
}
