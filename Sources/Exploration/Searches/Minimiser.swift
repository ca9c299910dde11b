// The simplest counterexample: fewest preemptions, then fewest steps, then first in order.

import GracewalkSupport

/// Searches for the simplest schedule that violates an invariant.
public struct Minimiser {
  /// The simplest schedule found, and whether nothing simpler exists.
  public struct Result: Equatable, Sendable {
    public var schedule: Schedule
    public var isProven: Bool
  }

  /// Transitions the whole minimisation may take before it settles for what it has: a number,
  /// not a time, so that the result is the same on every machine.
  public static let transitionsMax = 20_000_000
  /// What a bounded search costs besides its transitions, so that there is an end even of searches
  /// that take none.
  private static let costOfSearch = 1_000

  private let makeSystem: () -> TransitionSystem
  private let isExact: Bool
  private var transitionsLeft = Minimiser.transitionsMax

  /// - Parameters:
  ///   - isExact: whether states are compared in full, so that no hash puts the proof in doubt.
  ///   - makeSystem: makes a fresh system; called once per bounded search.
  public init(isExact: Bool = false, makeSystem: @escaping () -> TransitionSystem) {
    self.isExact = isExact
    self.makeSystem = makeSystem
  }

  /// Raises the preemption bound from zero until a violation exists within it, then lowers the step
  /// bound until none does; nil if it gave up before it found any.
  ///
  /// What is wrong before the first step needs no schedule. Both bounded searches are exact, and
  /// depth first in CPU order, so the last one to succeed has found the first schedule in order.
  public mutating func minimise() -> Result? {
    if makeSystem().judgeStart() == .violation {
      return Result(schedule: Schedule(), isProven: true)
    }
    var preemptions = 0
    while true {
      switch violation(preemptions: preemptions, depth: Limits.defaultDepth) {
      case .found(let schedule): return shorten(schedule, preemptions: preemptions)
      case .none(let isPruned):
        // A higher bound allows more only where this one forbade something.
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
        // Anything of this length that comes earlier in order is found by bounding to it.
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
    /// There is none; whether executions were left out that have more preemptions.
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
