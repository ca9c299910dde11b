// Identical CPUs that fault on one page while its table may be collapsed, to measure symmetry.

import Gracewalk

/// N identical mappers and a collapser on a two-level table like KVM's, without RCU callbacks.
public enum IdenticalMappers {
  /// - Parameter mappers: at least 2.
  public static func scenario(mappers: Int) -> Scenario {
    let scenario = Scenario()
    let table = Stage2Table(
      scenario, .init(order: .freeAtOnce, locksEntries: true, walkers: .unprotected))
    scenario.cpus((0..<mappers).map { "mapper \($0)" }, table.operation(.map, 0))
    scenario.cpu("collapser", table.operation(.collapse, 0))
    return scenario
  }
}
