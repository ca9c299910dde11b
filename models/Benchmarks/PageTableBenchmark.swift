// One small page-table program on which several other checkers have been measured.

import Gracewalk

/// N mappers and one collapser over a two-level table of plain words, as small as possible with the
/// race: no frames, no grace periods, and every operation gives up instead of retrying.
///
/// Classes for N = 2…6: 172, 172, 1,376, 27,136 and 470,144; GenMC and Nidhugg count the same.
public enum PageTableBenchmark {
  private static let locked: UInt64 = 1
  private static let block: UInt64 = 2
  private static let page: UInt64 = 2
  private static let firstTable: UInt64 = 16

  public static func scenario(mappers: Int) -> Scenario {
    let scenario = Scenario()
    let root = (0..<2).map { scenario.word("root[\($0)]") }
    let leaf = (0..<mappers).map { table in
      (0..<2).map { scenario.word("leaf \(table)[\($0)]") }
    }
    for mapper in 0..<mappers {
      scenario.cpu("mapper \(mapper)", runs: "map \(mapper % 4)") { cpu in
        try map(cpu, mapper, root[(mapper % 4) >> 1], leaf)
      }
    }
    scenario.cpu("collapser", runs: "collapse") { cpu in try collapse(cpu, root[0], leaf) }
    return scenario
  }

  private static func map(
    _ cpu: VirtualCPU, _ mapper: Int, _ slot: Location, _ leaf: [[Location]]
  ) throws {
    var root = try cpu.load(slot, .acquire)
    if root == 0 {
      guard try cpu.compareExchange(slot, expected: 0, desired: locked, .acquire).exchanged else {
        return
      }
      root = firstTable + UInt64(mapper)
      try cpu.store(slot, root, .release)
    }
    guard root >= firstTable else { return }
    let entry = leaf[Int(root - firstTable)][mapper & 1]
    guard try cpu.load(entry, .acquire) == 0,
      try cpu.compareExchange(entry, expected: 0, desired: locked, .acquire).exchanged
    else { return }
    try cpu.store(entry, page, .release)
  }

  private static func collapse(_ cpu: VirtualCPU, _ slot: Location, _ leaf: [[Location]]) throws {
    let root = try cpu.load(slot, .acquire)
    guard root >= firstTable,
      try cpu.compareExchange(slot, expected: root, desired: locked, .acquire).exchanged
    else { return }
    try cpu.store(slot, block, .release)
    for entry in leaf[Int(root - firstTable)] {
      let value = try cpu.load(entry, .acquire)
      if value == locked { continue }
      _ = try cpu.compareExchange(
        entry, expected: value, desired: value == page ? 0 : locked, .acquire)
    }
  }
}
