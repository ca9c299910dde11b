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

  /// Whether a unit that is told to end saves what it has done, and goes on from there.
  var isResumable: Bool { get }

  /// Whether a result may be kept for later runs: not if a clock or an interrupt ended the work.
  static func isFinal(_ result: Result<Answer, Failure>) -> Bool

  /// Whether the result may depend on a clock, in a way that `isFinal` does not see.
  var isTimed: Bool { get }

  /// Whether more units of this kind come once these are answered, so that jobs wait for them.
  static var comesInRounds: Bool { get }

  /// Names of the files beside an answer that it is worthless without (`WorkFiles`).
  static func files(of answer: Answer) -> [String]
}

extension WorkUnit {
  /// Names the kind of unit in files.
  package static var workName: String { "\(Self.self)" }

  package var isResumable: Bool { false }
  package static func isFinal(_ result: Result<Answer, Failure>) -> Bool { true }
  package var isTimed: Bool { false }
  package static func files(of answer: Answer) -> [String] { [] }
  package static var comesInRounds: Bool { false }
}

/// Files that units read and write besides their answers, each named by its contents.
package protocol WorkFiles: Sendable {
  /// Keeps bytes; returns their name, or nil if they cannot be written.
  func keep(_ bytes: [UInt8]) -> String?
  /// The bytes with a name; nil if they are missing or damaged.
  func bytes(named name: String) -> [UInt8]?
}

/// The environment in which a unit runs.
package struct WorkContext<Progress: Sendable> {
  /// The model with a name.
  private let find: (String) -> Model?
  /// Called with the unit's progress; returns false to end it with the results so far.
  package let watch: (Progress) -> Bool
  /// Its deadline.
  private let end: ContinuousClock.Instant?
  /// The file in which a unit that is told to end may save what it has done; nil for none.
  package let checkpoint: String?
  /// Files that units exchange; nil where there are none.
  package let files: (any WorkFiles)?

  package init(
    end: ContinuousClock.Instant? = nil, checkpoint: String? = nil,
    files: (any WorkFiles)? = nil, watch: @escaping (Progress) -> Bool,
    model find: @escaping (String) -> Model?
  ) {
    self.end = end
    self.checkpoint = checkpoint
    self.files = files
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
  /// Whether no unit after one with this answer is needed.
  package var isLast: @Sendable (Unit.Answer) -> Bool = { _ in false }

  package init() {}
}

/// The result of a unit.
package struct WorkDone<Unit: WorkUnit> {
  /// The index of the unit in the list that was run.
  package let number: Int
  package let result: Result<Unit.Answer, Unit.Failure>
  /// How long it took.
  package let seconds: Double
  /// Whether it was told to end, or its deadline has passed: then it may have ended early.
  package let isCut: Bool

  package init(
    number: Int, result: Result<Unit.Answer, Unit.Failure>, seconds: Double, isCut: Bool = false
  ) {
    self.number = number
    self.result = result
    self.seconds = seconds
    self.isCut = isCut
  }

  /// Whether it may be kept for later runs.
  package func isFinal(for unit: Unit) -> Bool {
    !isCut && !unit.isTimed && Unit.isFinal(result)
  }
}

/// Runs units of work: on threads of this process, or on other machines.
package protocol Executor: Sendable {
  /// The number of units that it can run at once; `Int.max` if it wants them all in one call.
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

  /// Runs a unit on whose answer the next ones depend; nil if its result is unknown.
  func runFirst<Unit: WorkUnit>(
    _ unit: Unit, _ watch: WorkWatch<Unit>
  ) -> Result<Unit.Answer, Unit.Failure>?
}

extension Executor {
  package func runFirst<Unit: WorkUnit>(
    _ unit: Unit, _ watch: WorkWatch<Unit>
  ) -> Result<Unit.Answer, Unit.Failure>? {
    var result: Result<Unit.Answer, Unit.Failure>?
    _ = run([unit], watch) { done in
      result = done.result
      return true
    }
    return result
  }
}
