// An executor that runs units on threads of this process.

import Dispatch
import GracewalkExploration
import GracewalkSupport

/// Threads of this process; each takes the next unit when it has finished one.
package struct ThreadExecutor: Executor {
  private let find: @Sendable (String) -> Model?
  private let jobs: Int
  private let files: (any WorkFiles)?

  package var width: Int { jobs }

  /// - Parameters:
  ///   - jobs: the number of threads; with one, units run on the calling thread.
  ///   - files: those that units exchange.
  ///   - find: the model with a name.
  package init(
    jobs: Int = 1, files: (any WorkFiles)? = nil, model find: @escaping @Sendable (String) -> Model?
  ) {
    self.jobs = max(jobs, 1)
    self.files = files
    self.find = find
  }

  /// An executor for some models, and the combinations of their operations.
  package init(_ models: [Model], jobs: Int = 1) {
    self.init(jobs: jobs) { models.model(named: $0) }
  }

  package func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    let threads = min(jobs, units.count)
    guard threads > 1 else {
      for number in units.indices {
        guard !watch.isInterrupted(), take(done(units, number, watch)) else { return false }
      }
      return true
    }
    return withoutActuallyEscaping(take) { take in
      let queue = Locked(WorkQueue(count: units.count, take: take))
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        while !watch.isInterrupted(), let number = queue.withLock({ $0.next() }) {
          let done = done(units, number, watch)
          queue.withLock { $0.add(done) }
        }
      }
      return queue.withLock { $0.isWhole }
    }
  }

  private func done<Unit: WorkUnit>(
    _ units: [Unit], _ number: Int, _ watch: WorkWatch<Unit>
  ) -> WorkDone<Unit> {
    let clock = ContinuousClock()
    let start = clock.now
    let observe = watch.begin(number)
    let isStopped = Locked(false)
    let context = WorkContext<Unit.Progress>(
      end: watch.end, files: files,
      watch: { progress in
        let goesOn = observe(progress)
        if !goesOn { isStopped.withLock { $0 = true } }
        return goesOn
      }, model: find)
    let result = Result { () throws(Unit.Failure) in try units[number].run(context) }
    let end = clock.now
    return WorkDone(
      number: number, result: result, seconds: (end - start).inSeconds,
      isCut: isStopped.withLock { $0 } || watch.end.map { $0 <= end } ?? false)
  }
}

/// Units to start, and results that wait for earlier ones to be delivered.
private struct WorkQueue<Unit: WorkUnit> {
  private let count: Int
  private let take: (WorkDone<Unit>) -> Bool
  private var begun = 0
  private var handedOver = 0
  private var waiting: [Int: WorkDone<Unit>] = [:]
  /// Whether no more are needed.
  private var isOver = false

  init(count: Int, take: @escaping (WorkDone<Unit>) -> Bool) {
    self.count = count
    self.take = take
  }

  var isWhole: Bool { !isOver && handedOver == count }

  mutating func next() -> Int? {
    guard !isOver, begun < count else { return nil }
    defer { begun += 1 }
    return begun
  }

  mutating func add(_ done: WorkDone<Unit>) {
    waiting[done.number] = done
    while !isOver, let next = waiting.removeValue(forKey: handedOver) {
      if take(next) { handedOver += 1 } else { isOver = true }
    }
  }
}
