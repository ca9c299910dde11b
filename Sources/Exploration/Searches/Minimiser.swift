// The simplest counterexample: fewest preemptions, then fewest steps, then first in order.

import Support

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
  /// Both bounded searches are exact, and depth first in CPU order, so the last one to succeed has
  /// found the first schedule in order.
  public mutating func minimise() -> Result? {
    var preemptions = 0
    while transitionsLeft > 0 {
      let first = violation(preemptions: preemptions, depth: Limits.defaultDepth)
      guard case .found(var best) = first else {
        if case .none = first {
          preemptions += 1
          continue
        }
        break
      }
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
    return nil
  }

  private enum Answer {
    case found(Schedule), none, unknown
  }

  private mutating func violation(preemptions: Int, depth: Int) -> Answer {
    guard depth > 0 else { return .none }
    guard transitionsLeft > 0 else { return .unknown }
    var options = SearchOptions(limits: Limits(preemptions: preemptions, depth: depth))
    options.isExact = isExact
    let allowed = transitionsLeft
    options.watch = { $0.statistics.transitions < allowed }
    let search = ExhaustiveSearch(makeSystem(), options)
    let result = search.run()
    transitionsLeft -= result.statistics.transitions
    switch result.ending {
    case .violation: return result.schedule.map { .found($0) } ?? .unknown
    case .bounded(.interrupted), .halted: return .unknown
    default: return .none
    }
  }
}
