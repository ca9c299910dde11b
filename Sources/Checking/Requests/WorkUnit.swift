// Work that can be done anywhere: a value in, a value out, or an error that is one, too.

import GracewalkExploration
import GracewalkSupport

/// A piece of work as a value.
///
/// It does not depend on the other units that it is given away with, and refers to models by name:
/// so any process that has the same program can do it.
package protocol WorkUnit: Codable, Hashable, Sendable {
  associatedtype Answer: Codable, Sendable
  associatedtype Failure: Error, Codable
  /// What is told of it while it is being done.
  associatedtype Progress: Sendable

  func run(_ context: WorkContext<Progress>) throws(Failure) -> Answer
}

/// What a unit finds where it is done.
package struct WorkContext<Progress: Sendable> {
  /// The model with a name.
  private let find: (String) -> Model?
  /// Sees how far the unit is; returns false to end it with what was found so far.
  package let watch: (Progress) -> Bool
  /// When it is to end, at the latest.
  private let end: ContinuousClock.Instant?

  init(
    end: ContinuousClock.Instant?, watch: @escaping (Progress) -> Bool,
    model find: @escaping (String) -> Model?
  ) {
    self.end = end
    self.watch = watch
    self.find = find
  }

  package func model(named name: String) throws(CheckError) -> Model {
    guard let model = find(name) else {
      throw .badOptions("there is no model '\(name.excerpt())' here")
    }
    return model
  }
}

extension WorkContext<SearchProgress> {
  /// Lets a check be watched, and end in time.
  func supervise(_ options: inout CheckOptions) {
    options.watch = watch
    guard let end else { return }
    // A search that should have ended before it began still begins, and ends at once.
    let left = max((end - .now).inSeconds, 1e-9)
    options.limits.seconds = min(options.limits.seconds ?? left, left)
  }
}

/// How whoever has given work away looks after it; called by any thread.
package struct WorkWatch<Unit: WorkUnit>: Sendable {
  /// When all of it is to end, at the latest.
  package var end: ContinuousClock.Instant?
  /// Asked before a unit is begun whether to begin any more.
  package var isInterrupted: @Sendable () -> Bool = { false }
  /// Told that a unit, by its number, is about to begin; returns what watches it.
  package var begin: @Sendable (Int) -> ((Unit.Progress) -> Bool) = { _ in { _ in true } }

  package init() {}
}

/// What came of a unit.
package struct WorkDone<Unit: WorkUnit> {
  /// The number of the unit among those that were given away.
  package let number: Int
  package let result: Result<Unit.Answer, Unit.Failure>
  /// How long it took.
  package let seconds: Double

  package init(number: Int, result: Result<Unit.Answer, Unit.Failure>, seconds: Double) {
    self.number = number
    self.result = result
    self.seconds = seconds
  }
}

/// What has units done: threads of this process, or other machines.
package protocol Executor: Sendable {
  /// How many units are worth giving it at once.
  var width: Int { get }

  /// Has units done.
  ///
  /// Whichever is done first, what came of them is handed over in their order, one at a time. A
  /// unit that fails is handed over like others; one that was not begun, or of which nothing is
  /// known, is not, nor any after it.
  ///
  /// - Parameter take: returns false if no more are needed; then no more are begun.
  /// - Returns: whether all of them were handed over.
  func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool
}
