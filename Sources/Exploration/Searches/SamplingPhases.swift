// Random executions on the side of a long search: they find early what lies far from its path.

import GracewalkSupport

/// Samples executions now and then while a complete search goes on.
///
/// A depth-first search spends its time near the first execution it took; a violation that needs
/// another beginning comes last. So where a search has taken `transitionsMin` steps, and whenever
/// that number has doubled, executions are sampled on a system of their own, for at most a tenth of
/// the steps in all. What a phase looks at follows from its number alone: it is the same in every
/// run, and in a search that goes on from a checkpoint. A search that is shorter is not disturbed.
///
/// Only violations count. Where the system cannot go on, sampling ends, and the search will say so.
public final class SamplingPhases {
  /// Steps of the search before the first phase: a tenth of a second or so.
  public static let transitionsMin = 1 << 17
  /// Samples take one step for so many of the search.
  static let share = 10
  /// Executions of one kind before those of the next.
  private static let executionsPerRound = 32
  /// Steps between two looks at the watcher.
  private static let watchPeriod = 256

  /// A violation that a sample came to.
  public struct Finding: Sendable {
    public let schedule: Schedule
    /// Executions sampled until then, this one included.
    public let executions: Int
  }

  public private(set) var finding: Finding?
  private let depth: Int
  private let makeSystem: () -> TransitionSystem
  private var system: TransitionSystem?
  private var nextPhase = 0
  private var executions = 0
  private var isOver = false
  /// Whether phases before the first look were looked at by the search that was saved.
  private var skipsEarlier: Bool

  /// - Parameters:
  ///   - depth: most steps of an execution.
  ///   - goesOn: whether the search goes on with one that was saved.
  ///   - makeSystem: makes the system, in its initial state, once.
  public init(depth: Int, goesOn: Bool, makeSystem: @escaping () -> TransitionSystem) {
    self.depth = depth
    skipsEarlier = goesOn
    self.makeSystem = makeSystem
  }

  /// Samples if it is time; returns false if something was found, or the watcher wants an end.
  ///
  /// - Parameters:
  ///   - transitions: what the search has taken.
  ///   - seconds: after which to stop at the latest.
  ///   - watch: asked now and then whether to go on.
  public func look(
    after transitions: Int, seconds: Double?, watch: @escaping () -> Bool
  ) -> Bool {
    if skipsEarlier {
      while start(of: nextPhase) < transitions { nextPhase += 1 }
      skipsEarlier = false
    }
    while finding == nil, !isOver, transitions >= start(of: nextPhase) {
      guard sample(phase: nextPhase, seconds, watch) else { return false }
      nextPhase += 1
    }
    return finding == nil
  }

  private func start(of phase: Int) -> Int { Self.transitionsMin << phase }

  /// So many that phases up to this one take at most a tenth of the search.
  private func steps(of phase: Int) -> Int {
    let all = start(of: phase) / Self.share
    return phase == 0 ? all : all - start(of: phase - 1) / Self.share
  }

  /// Returns false if the watcher wants an end.
  private func sample(
    phase: Int, _ seconds: Double?, _ watch: @escaping () -> Bool
  ) -> Bool {
    var left = steps(of: phase)
    var round = 0
    var goesOn = true
    while left >= Self.watchPeriod, finding == nil, !isOver, goesOn {
      left -= run(phase, round, left, seconds) {
        goesOn = goesOn && watch()
        return goesOn
      }
      round += 1
    }
    return goesOn
  }

  /// Samples some executions in one way; returns how many steps they took.
  private func run(
    _ phase: Int, _ round: Int, _ stepsMax: Int, _ seconds: Double?,
    _ watch: @escaping () -> Bool
  ) -> Int {
    let system = self.system ?? makeSystem()
    self.system = system
    var options = SearchOptions()
    options.limits.depth = depth
    options.limits.executions = Self.executionsPerRound
    options.limits.seconds = seconds
    options.seed = StableHash.extend(UInt64(phase), with: UInt64(round))
    options.watchPeriod = Self.watchPeriod
    options.watch = {
      watch() && $0.statistics.transitions + Self.watchPeriod <= stepsMax
    }
    // Few changes find what is simple, many or none at all what is not.
    let sampling: Sampling = round % 2 == 0 ? .priorities(changes: 1 + round / 2 % 4) : .uniform
    let search = SamplingSearch(system, options, sampling: sampling)
    let result = search.run()
    search.unwind()
    executions += result.statistics.executionsBegun
    switch result.ending {
    case .violation:
      finding = result.schedule.map { Finding(schedule: $0, executions: executions) }
    case .bounded(.executions): break
    case .bounded(.interrupted): return stepsMax
    case .halted, .complete, .refused, .bounded: isOver = true
    }
    return result.statistics.transitions
  }
}
