// The simplest counterexample: fewest preemptions, then fewest steps, then first in order.

import GracewalkSupport

/// Searches for the simplest schedule that violates an invariant.
public struct Minimiser {
  /// The simplest schedule found, and whether it is proven to be the simplest.
  public struct Result: Equatable, Sendable {
    public var schedule: Schedule
    public var isProven: Bool
  }

  /// The transitions of a whole minimisation before it settles for its best result.
  ///
  /// It is a count, not a time, so that the result is the same on every machine.
  public static let transitionsMax = 20_000_000
  /// The fixed cost of a bounded search, so that minimisation ends even if searches take no
  /// transitions.
  private static let costOfSearch = 1_000

  private let makeSystem: () -> TransitionSystem
  private let isExact: Bool
  private var transitionsLeft: Int

  /// - Parameters:
  ///   - isExact: whether states are compared in full, so that no hash puts the proof in doubt.
  ///   - transitionsMax: the transitions before it settles for its best result.
  ///   - makeSystem: makes a fresh system; called once per bounded search.
  public init(
    isExact: Bool = false, transitionsMax: Int = Minimiser.transitionsMax,
    makeSystem: @escaping () -> TransitionSystem
  ) {
    self.isExact = isExact
    transitionsLeft = transitionsMax
    self.makeSystem = makeSystem
  }

  /// Raises the preemption bound from zero until there is a violation, then lowers the step bound
  /// until there is none.
  ///
  /// Returns nil if it gave up before finding any.
  ///
  /// A violation before the first step has an empty schedule. Both bounded searches are exact, and
  /// depth-first in CPU order, so the last successful one has found the first schedule in that
  /// order.
  public mutating func minimise() -> Result? {
    if makeSystem().judgeStart() == .violation {
      return Result(schedule: Schedule(), isProven: true)
    }
    var preemptions = 0
    while true {
      switch violation(preemptions: preemptions, depth: Limits.defaultDepth) {
      case .found(let schedule): return shorten(schedule, preemptions: preemptions)
      case .none(let isPruned):
        // A higher bound allows more only if this one excluded something.
        guard isPruned else { return nil }
        preemptions += 1
      case .unknown: return nil
      }
    }
  }

  private mutating func shorten(_ found: Schedule, preemptions: Int) -> Result {
    var best = found
    while true {
      switch violation(preemptions: preemptions, depth: best.steps.count - 1) {
      case .found(let shorter): best = shorter
      case .none:
        // An earlier schedule of the same length is found by bounding to that length.
        if case .found(let first) = violation(
          preemptions: preemptions, depth: best.steps.count)
        {
          best = first
        }
        return Result(schedule: best, isProven: transitionsLeft > 0)
      case .unknown: return Result(schedule: best, isProven: false)
      }
    }
  }

  private enum Answer {
    case found(Schedule)
    /// There is none; `isPruned` if executions with more preemptions were left out.
    case none(isPruned: Bool)
    case unknown
  }

  private mutating func violation(preemptions: Int, depth: Int) -> Answer {
    guard depth > 0 else { return .none(isPruned: false) }
    guard transitionsLeft > 0 else { return .unknown }
    var options = SearchOptions(limits: Limits(preemptions: preemptions, depth: depth))
    options.isExact = isExact
    let allowed = transitionsLeft
    options.watch = { $0.statistics.transitions < allowed }
    let search = ExhaustiveSearch(makeSystem(), options)
    let result = search.run()
    transitionsLeft -= result.statistics.transitions + Minimiser.costOfSearch
    switch result.ending {
    case .violation: return result.schedule.map { .found($0) } ?? .unknown
    case .bounded(.interrupted), .halted: return .unknown
    case .bounded(.preemptions): return .none(isPruned: true)
    default: return .none(isPruned: false)
    }
  }
}
