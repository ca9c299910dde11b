// Work that any process can do: the unit, its answer and its error are all values.

import GracewalkExploration
import GracewalkSupport

/// A piece of work as a value.
///
/// It does not depend on other units, and refers to models by name, so any process with the same
/// program can do it.
package protocol WorkUnit: Codable, Hashable, Sendable {
  associatedtype Answer: Codable, Sendable
  associatedtype Failure: Error, Codable
  /// Its progress reports.
  associatedtype Progress: Sendable

  func run(_ context: WorkContext<Progress>) throws(Failure) -> Answer
}

/// The environment in which a unit runs.
package struct WorkContext<Progress: Sendable> {
  /// The model with a name.
  private let find: (String) -> Model?
  /// Called with the unit's progress; returns false to end it with the results so far.
  package let watch: (Progress) -> Bool
  /// Its deadline.
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
  /// Makes a check report its progress and respect the deadline.
  func supervise(_ options: inout CheckOptions) {
    options.watch = watch
    guard let end else { return }
    // A search whose deadline has passed still starts, and ends at once.
    let left = max((end - .now).inSeconds, 1e-9)
    options.limits.seconds = min(options.limits.seconds ?? left, left)
  }
}

/// How the caller supervises its work; called by any thread.
package struct WorkWatch<Unit: WorkUnit>: Sendable {
  /// The deadline of all units.
  package var end: ContinuousClock.Instant?
  /// Called before each unit: whether to stop starting units.
  package var isInterrupted: @Sendable () -> Bool = { false }
  /// Called with the number of each unit before it starts; returns its observer.
  package var begin: @Sendable (Int) -> ((Unit.Progress) -> Bool) = { _ in { _ in true } }

  package init() {}
}

/// The result of a unit.
package struct WorkDone<Unit: WorkUnit> {
  /// The index of the unit in the list that was run.
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

/// Runs units of work: on threads of this process, or on other machines.
package protocol Executor: Sendable {
  /// The number of units that it can run at once.
  var width: Int { get }

  /// Runs units.
  ///
  /// Results are delivered one at a time, in the order of the units, whichever finishes first. A
  /// failed unit is delivered like any other. A unit that was not started, or whose result is
  /// unknown, is not delivered, nor is any after it.
  ///
  /// - Parameter take: receives each result; returns false to stop starting units.
  /// - Returns: whether all results were delivered.
  func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool
}
