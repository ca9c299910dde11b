// The size of a scenario in words: the exact scope of a verdict.

extension Scenario {
  /// The scenario's size in words: the scope of "every interleaving".
  public var scope: String {
    let counts = Set(programs.map(\.operations.count)).sorted()
    let most = counts.last ?? 0
    let each =
      counts.count == 1
      ? "\(most) \(most == 1 ? "operation" : "operations") each"
      : "up to \(most) \(most == 1 ? "operation" : "operations") each"
    let cpus = programs.count == 1 ? "1 CPU" : "\(programs.count) CPUs"
    let tables =
      hasTables ? ", \(geometry.levels)-level tables of \(geometry.entries) entries" : ""
    return "\(cpus), \(each)\(tables)\(hardware), \(memoryModel.text)"
  }

  /// The memory management units and their limits, in words.
  private var hardware: String {
    let units = programs.compactMap(\.mmu)
    guard !units.isEmpty else { return "" }
    let speculations = units.map(\.times).reduce(0, +)
    let evicts = units.contains { $0.evicts && $0.times > 0 }
    let one = evicts ? "spontaneous walk or eviction" : "spontaneous walk"
    let many = evicts ? "spontaneous walks or evictions" : "spontaneous walks"
    let spontaneous = speculations == 0 ? "" : ", \(speculations) \(speculations == 1 ? one : many)"
    return
      ", \(units.count) \(units.count == 1 ? "MMU" : "MMUs")\(spontaneous), \(features.summary)"
  }
}
