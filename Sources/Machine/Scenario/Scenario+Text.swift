// How large a scenario is, in words: a verdict is about that and nothing else.

extension Scenario {
  /// The scenario's size in words: what "every interleaving" is said of.
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

  /// What memory management units there are and may do, in words.
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
