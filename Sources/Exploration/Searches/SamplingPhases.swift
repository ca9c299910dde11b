// Random executions during a long search, to find violations far from its path early.

import GracewalkSupport

/// Samples executions from time to time during a complete search.
///
/// A depth-first search stays near its first execution for a long time, and finds a violation that
/// needs another beginning last. So after `transitionsMin` steps, and each time that number has
/// doubled, executions are sampled on a separate system, for at most a tenth of all steps.
/// Invariant: a phase depends only on its number, so it is the same in every run, and in a search
/// resumed from a checkpoint. Shorter searches are not affected.
///
/// Only violations count. If the system cannot continue, sampling ends, and the search will report
/// it.
public final class SamplingPhases {
  /// Steps of the search before the first phase: about a tenth of a second.
  public static let transitionsMin = 1 << 17
  /// The steps of the search per step of sampling.
  static let share = 10
  /// The number of executions of one kind before switching to the next.
  private static let executionsPerRound = 32
  /// Steps between two calls of the observer.
  private static let watchPeriod = 256

  /// A violation that sampling found.
  public struct Finding: Sendable {
    public let schedule: Schedule
    /// Executions sampled so far, including this one.
    public let executions: Int
  }

  public private(set) var finding: Finding?
  private let depth: Int
  private let makeSystem: () -> TransitionSystem
  private var system: TransitionSystem?
  private var nextPhase = 0
  private var executions = 0
  private var isOver = false
  /// Whether earlier phases were run by the search that was saved.
  private var skipsEarlier: Bool

  /// - Parameters:
  ///   - depth: the maximum number of steps of an execution.
  ///   - isResumed: whether the search is resumed from a checkpoint.
  ///   - makeSystem: makes the system, in its initial state, once.
  public init(depth: Int, isResumed: Bool, makeSystem: @escaping () -> TransitionSystem) {
    self.depth = depth
    skipsEarlier = isResumed
    self.makeSystem = makeSystem
  }

  /// Samples if a phase is due; returns false if a violation was found, or the observer asked to
  /// stop.
  ///
  /// - Parameters:
  ///   - transitions: the transitions of the search so far.
  ///   - seconds: the time limit.
  ///   - watch: polled; returns false to stop.
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

  /// Chosen so that all phases up to this one take at most a tenth of the search.
  private func steps(of phase: Int) -> Int {
    let all = start(of: phase) / Self.share
    return phase == 0 ? all : all - start(of: phase - 1) / Self.share
  }

  /// Returns false if the observer asked to stop.
  private func sample(
    phase: Int, _ seconds: Double?, _ watch: @escaping () -> Bool
  ) -> Bool {
    var left = steps(of: phase)
    var round = 0
    var continues = true
    while left >= Self.watchPeriod, finding == nil, !isOver, continues {
      left -= run(phase, round, left, seconds) {
        continues = continues && watch()
        return continues
      }
      round += 1
    }
    return continues
  }

  /// Samples some executions of one kind; returns the number of steps they took.
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
    // Few priority changes find simple violations, many changes or uniform choices find others.
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
