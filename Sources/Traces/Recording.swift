// Runs one schedule on a fresh machine, and records everything that views show.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// Why a schedule could not be run.
public enum RecordingError: Error, Equatable {
  /// A step names a CPU or a choice that does not exist or cannot be taken there.
  case impossibleStep(number: Int, reason: String)
  /// The part that should repeat forever does not, or is not fair.
  case noRepetition(reason: String)
  /// The model cannot be run at all.
  case failed(MachineFailure)
}

/// One execution, recorded.
public struct Recording: Equatable, Sendable {
  /// How the execution ended.
  public enum End: Equatable, Codable, Sendable {
    case violated(invariant: String, report: Violation)
    /// No CPU can continue, and nothing is wrong.
    case complete
    /// The schedule ends while CPUs could continue.
    case unfinished
  }

  public var schedule: Schedule
  public var cpus: [String]
  /// Names of the operations, for each CPU.
  public var operations: [[String]]
  public var initialTables: [String]
  public var steps: [RecordedStep]
  /// Positions in `steps` at which a CPU was preempted.
  public var preemptions: [Int]
  /// Position in `steps` at which the repeating part begins; nil if there is none.
  public var loop: Int?
  public var end: End
  /// The texts of the required invariants.
  public var requirements: [InvariantText]
  /// Words that the failed invariant read; empty if none failed.
  public var inspected: [InspectedWord] = []
  /// Words that it read only as part of a whole kind, as in `Machine.pages`.
  public var inspectedAlong: [InspectedWord] = []
  /// The machine before the first step and after each; empty unless asked for.
  public var pictures: [MachinePicture]

  /// Runs a schedule.
  ///
  /// - Parameters:
  ///   - schedule: the steps to take.
  ///   - scenario: a fresh one.
  ///   - recordsPictures: whether to keep a picture of the machine at every moment.
  /// - Throws: `RecordingError` if the schedule does not fit the scenario.
  public init(
    _ schedule: Schedule, of scenario: Scenario, recordsPictures: Bool = false
  ) throws(RecordingError) {
    Machine.beginReports()
    defer { Machine.endReports() }
    var run = try ScheduleRun(schedule, of: scenario, recordsPictures: recordsPictures)
    try run.takeSteps()
    try run.judgeEnd()
    self.schedule = schedule
    cpus = run.machine.cpuNames
    operations = run.operations
    initialTables = run.recorder.initialTables
    steps = run.recorder.steps
    preemptions = run.preemptions
    loop = run.loop
    requirements = scenario.invariants.map { InvariantText($0) }
    pictures = run.recorder.pictures
    if case .violated = run.end {
      (inspected, inspectedAlong) = run.recorder.inspected(in: run.machine)
    }
    end = try run.endOfRound() ?? run.end
  }

  /// An execution of something that is not a `Machine`, such as a compiled program.
  ///
  /// - Parameters:
  ///   - cpus: their names; each runs one operation, which has the same name.
  ///   - steps: what they did, in order.
  ///   - preemptions: positions in `steps` at which a CPU was preempted.
  package init(
    _ schedule: Schedule, cpus: [String], operations: [String], steps: [RecordedStep],
    preemptions: [Int], end: End, requirements: [InvariantText]
  ) {
    self.schedule = schedule
    self.cpus = cpus
    self.operations = operations.map { [$0] }
    initialTables = []
    self.steps = steps
    self.preemptions = preemptions
    self.end = end
    self.requirements = requirements
    pictures = Array(repeating: MachinePicture(cpuCount: cpus.count), count: steps.count + 1)
  }

  /// The texts of a required invariant; nil if none has that id.
  public func requirement(_ id: String) -> InvariantText? { requirements.first { $0.id == id } }

  /// Steps that traces number: scheduling points, except the boundaries of operations.
  public var visibleSteps: Int { steps.count { !$0.isLocal && !$0.isBoundary } }

  /// The number of those that repeat forever.
  public var stepsOfLoop: Int {
    guard let loop else { return 0 }
    return steps[loop...].count { !$0.isLocal && !$0.isBoundary }
  }
}
