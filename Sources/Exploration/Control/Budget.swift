// The limits of a search, checked at each state: whether it must stop, and whether to save it.

import GracewalkSupport

/// Stops a search at its limits, and saves it when that is due.
///
/// Reads the clock only every few thousand transitions.
final class Budget {
  let limits: Limits
  private let watch: ((SearchProgress) -> Bool)?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  /// Nil if what a search says of its explored part is reported as it is.
  private var forecast: Forecast?
  /// Transitions between two readings of the clock.
  static let period = 4_096
  private let periodMask: Int
  private let checkpointer: Checkpointer?
  private let resume: CheckpointReader?

  /// - Parameter forecasts: whether the explored part is refined by its pace.
  init(_ options: SearchOptions, forecasts: Bool = true) {
    forecast = forecasts ? Forecast() : nil
    limits = options.limits
    watch = options.watch
    start = options.start ?? clock.now
    demand(options.watchPeriod.nonzeroBitCount == 1, "the period is a power of two")
    periodMask = options.watchPeriod - 1
    checkpointer = options.checkpoints.map { Checkpointer($0) }
    resume = options.resume
  }

  /// Starts a search by judging its first state, or resumes a saved one; returns its end, or nil to
  /// continue.
  func begin(
    _ search: any ResumableSearch, _ system: TransitionSystem, _ arrive: () -> Ending?
  ) -> Ending? {
    checkpointer?.watch(search, system)
    if let stop = system.judgeStart().ending { return stop }
    guard let resume else { return arrive() }
    do throws(CheckpointError) {
      try Checkpointer.restore(search, system, from: resume)
      return nil
    } catch {
      return .refused(error)
    }
  }

  /// The bound that is reached, if any; the search is then saved.
  ///
  /// - Parameter explored: the explored part, estimated from the search's stack; called only if the
  ///   search is observed. Nil for a search without an end of its own.
  func exceeded(
    _ statistics: Statistics, depth: Int, bytes: @autoclosure () -> Int = 0,
    explored: @autoclosure () -> Double?
  ) -> Bound? {
    guard let bound = bound(statistics, depth, bytes, explored) else { return nil }
    checkpointer?.save()
    return bound
  }

  @inline(__always)
  private func bound(
    _ statistics: Statistics, _ depth: Int, _ bytes: () -> Int, _ explored: () -> Double?
  ) -> Bound? {
    if let bound = bound(ofCounts: statistics, bytes) { return bound }
    guard statistics.transitions & periodMask == 0 else { return nil }
    return slowlyExceeded(statistics, depth: depth, bytes: bytes(), explored)
  }

  @inline(__always)
  private func bound(ofCounts statistics: Statistics, _ bytes: () -> Int) -> Bound? {
    if let most = limits.memoryBytes, bytes() > most { return .memory }
    if let executions = limits.executions, statistics.executionsBegun >= executions {
      return .executions
    }
    if let states = limits.states, statistics.states >= states { return .states }
    return nil
  }

  /// The bound that is reached, if any; reads the clock whatever the number of transitions.
  func exceededNow(
    _ statistics: Statistics, depth: Int, bytes: Int, explored: @autoclosure () -> Double?
  ) -> Bound? {
    let bound =
      bound(ofCounts: statistics) { bytes }
      ?? slowlyExceeded(statistics, depth: depth, bytes: bytes, explored)
    if bound != nil { checkpointer?.save() }
    return bound
  }

  private func slowlyExceeded(
    _ statistics: Statistics, depth: Int, bytes: Int, _ explored: () -> Double?
  ) -> Bound? {
    guard limits.seconds != nil || watch != nil || checkpointer != nil else { return nil }
    checkpointer?.saveIfDue()
    let seconds = (clock.now - start).inSeconds
    if let limit = limits.seconds, seconds >= limit { return .seconds }
    guard let watch else { return nil }
    var progress = SearchProgress(statistics: statistics, depth: depth, seconds: seconds)
    progress.bytes = bytes
    progress.secondsToBound = limits.seconds.map { $0 - seconds }
    let explored = explored()
    progress.isExact = explored == nil
    progress.fractionDone = [
      forecast == nil
        ? explored : explored.flatMap { forecast?.done($0, after: statistics.transitions) },
      limits.executions.map { Double(statistics.executionsBegun) / Double($0) },
      limits.states.map { Double(statistics.states) / Double($0) },
    ].compactMap(\.self).max()
    return watch(progress) ? nil : .interrupted
  }
}
