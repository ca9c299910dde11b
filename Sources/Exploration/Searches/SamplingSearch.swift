// Samples executions of systems that are too big to explore: uniformly, or by priorities.

import GracewalkSupport

/// How to choose among enabled CPUs.
public enum Sampling: Equatable, Sendable {
  /// Each enabled CPU with equal probability, at every step.
  case uniform
  /// Probabilistic concurrency testing with a number of priority changes.
  ///
  /// See Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with probabilistic
  /// guarantees of finding bugs", ASPLOS 2010: with `d − 1` changes, one execution finds a bug that
  /// needs `d` ordering constraints among `n` CPUs and `k` steps with probability at least
  /// 1/(n·k^(d−1)).
  case priorities(changes: Int)
}

/// Runs executions chosen by a seeded generator until a limit is reached or a violation is found.
///
/// It never proves that a model holds: even after all its executions, its ending is `bounded`.
public final class SamplingSearch: ResumableSearch {
  private let system: TransitionSystem
  private let options: SearchOptions
  private let budget: Budget
  private let sampling: Sampling
  private var random: SplitMix64
  private var statistics = Statistics()
  private var steps: [Schedule.Step] = []
  private var priorities: [Int] = []
  private var changePoints: [Int] = []
  /// Executions that are run unless the limits say otherwise.
  public static let standardExecutions = 100_000

  public init(
    _ system: TransitionSystem, _ options: SearchOptions, sampling: Sampling
  ) {
    self.system = system
    self.sampling = sampling
    var bounded = options
    if options.limits.executions == nil && options.limits.seconds == nil {
      bounded.limits.executions = SamplingSearch.standardExecutions
    }
    self.options = bounded
    budget = Budget(bounded)
    random = SplitMix64(seed: options.seed)
  }

  /// Samples until a violation is found or a limit is reached.
  ///
  /// Call it once.
  public func run() -> SearchResult {
    if let stop = budget.begin(self, system, { nil }) { return result(stop) }
    var transitions = -1
    while true {
      // If executions take no steps, counting steps never triggers the next reading of the clock.
      let isIdle = statistics.transitions == transitions
      transitions = statistics.transitions
      let bound =
        isIdle
        ? budget.exceededNow(statistics, depth: 0, bytes: 0, explored: nil)
        : budget.exceeded(statistics, depth: 0, explored: nil)
      if let bound { return result(.bounded(bound)) }
      let stop = runOnce()
      statistics.depthMax = max(statistics.depthMax, steps.count)
      if let stop { return result(stop) }
      unwind()
    }
  }

  /// Brings the system back to its initial state.
  func unwind() {
    while !steps.isEmpty {
      system.undo()
      steps.removeLast()
    }
  }

  /// One execution, or the rest of a saved one; returns the end of the search, or nil to continue.
  private func runOnce() -> Ending? {
    if steps.isEmpty { drawPriorities() }
    while steps.count < budget.limits.depth {
      let enabled = system.enabledCPUs()
      if enabled.isEmpty {
        statistics.executions += 1
        return system.judgeEnd().ending
      }
      let cpu = choose(among: enabled)
      let choice = random.below(system.choiceCount(of: cpu))
      steps.append(Schedule.Step(cpu: cpu, choice: choice))
      statistics.transitions += 1
      if let stop = system.step(cpu, choice: choice).ending {
        if stop == .violation { statistics.executions += 1 }
        return stop
      }
      if let bound = budget.exceeded(statistics, depth: steps.count, explored: nil),
        bound != .executions
      {
        return .bounded(bound)
      }
    }
    statistics.truncated += 1
    return nil
  }

  /// Distinct priorities for the CPUs, and the steps at which the running CPU's is lowered.
  private func drawPriorities() {
    guard case .priorities(let changes) = sampling else { return }
    priorities = Array(0..<system.cpuCount).map { $0 + changes + 1 }
    for index in stride(from: priorities.count - 1, to: 0, by: -1) {
      priorities.swapAt(index, random.below(index + 1))
    }
    let horizon = max(statistics.depthMax, system.cpuCount * 4)
    changePoints = (0..<changes).map { _ in random.below(horizon) }
  }

  private func choose(among enabled: CPUSet) -> Int {
    var left = enabled
    guard case .priorities = sampling else {
      for _ in 0..<random.below(enabled.count) { _ = left.popLowest() }
      return left.lowest
    }
    var best = left.lowest
    while let cpu = left.popLowest() {
      if priorities[cpu] > priorities[best] { best = cpu }
    }
    for (index, point) in changePoints.enumerated() where point == steps.count {
      priorities[best] = index
    }
    return best
  }

  // MARK: Checkpoints

  var path: [Schedule.Step] { steps }

  func willRetrace(_ step: Schedule.Step) { steps.append(step) }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(random.state)
    writer.write(priorities.map { UInt64($0) })
    writer.write(changePoints.map { UInt64($0) })
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    random = SplitMix64(seed: try reader.word())
    priorities = try reader.words().map { Int(truncatingIfNeeded: $0) }
    changePoints = try reader.words().map { Int(truncatingIfNeeded: $0) }
    let isDrawn = sampling != .uniform && !steps.isEmpty
    guard priorities.isEmpty ? !isDrawn : priorities.count == system.cpuCount else {
      throw .malformed
    }
  }

  private func result(_ ending: Ending) -> SearchResult {
    var schedule: Schedule?
    if ending == .violation || ending == .halted { schedule = Schedule(steps) }
    return SearchResult(ending: ending, statistics: statistics, schedule: schedule)
  }
}
