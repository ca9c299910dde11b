// Running one schedule on a fresh machine, with everything a person wants to see written down.

import Exploration
import Machine
import Support

/// Why a schedule could not be run.
public enum RecordingError: Error, Equatable {
  /// A step names a CPU or a choice that does not exist or cannot be taken there.
  case impossibleStep(number: Int, reason: String)
  /// The model cannot be run at all.
  case failed(MachineFailure)
}

/// One execution, recorded.
public struct Recording: Equatable, Sendable {
  /// How the execution ended.
  public enum End: Equatable, Sendable {
    case violated(invariant: String, report: Violation)
    /// No CPU can go on, and nothing is wrong.
    case complete
    /// The schedule ends while CPUs could go on.
    case unfinished
  }

  public var schedule: Schedule
  public var cpus: [String]
  /// Names of the operations, for each CPU.
  public var operations: [[String]]
  public var initialTables: [String]
  public var steps: [RecordedStep]
  /// Positions in `steps` at which a CPU that could have gone on was left.
  public var preemptions: [Int]
  public var end: End

  /// Runs a schedule.
  ///
  /// - Throws: `RecordingError` if the schedule does not fit the scenario.
  public init(_ schedule: Schedule, of scenario: Scenario) throws(RecordingError) {
    let recorder = StepRecorder()
    let machine = Machine(scenario, recorder: recorder)
    if let failure = machine.failure { throw .failed(failure) }
    self.schedule = schedule
    cpus = machine.cpuNames
    initialTables = machine.tableText()
    preemptions = []
    end = .unfinished
    var last: Int?
    for (number, step) in schedule.steps.enumerated() {
      let enabled = machine.enabledCPUs()
      try Recording.validate(step, number, enabled, machine)
      if let last, last != step.cpu, enabled.contains(last) {
        preemptions.append(recorder.steps.count)
      }
      last = step.cpu
      switch machine.step(step.cpu, choice: step.choice) {
      case .clean: continue
      case .violation:
        guard number == schedule.steps.count - 1 else {
          throw .impossibleStep(
            number: number + 1, reason: "the execution is over: an invariant failed before it")
        }
        end = Recording.violated(machine)
      case .halted:
        if let failure = machine.failure { throw .failed(failure) }
      }
    }
    if case .unfinished = end, machine.enabledCPUs().isEmpty {
      end = machine.judgeEnd() == .violation ? Recording.violated(machine) : .complete
    }
    steps = recorder.steps
    operations = machine.cpuNames.indices.map { cpu in
      let count = (recorder.steps.filter { $0.cpu == cpu }.map(\.operation).max() ?? -1) + 1
      return (0..<count).map { machine.name(ofOperation: $0, cpu: cpu) }
    }
  }

  /// Steps that traces number: scheduling points, except the boundaries of operations.
  public var visibleSteps: Int { steps.count { !$0.isLocal && !$0.isBoundary } }

  private static func validate(
    _ step: Schedule.Step, _ number: Int, _ enabled: CPUSet, _ machine: Machine
  ) throws(RecordingError) {
    let position = number + 1
    guard step.cpu < machine.cpuCount else {
      throw .impossibleStep(
        number: position, reason: "there is no CPU \(step.cpu); the last is \(machine.cpuCount - 1)"
      )
    }
    guard enabled.contains(step.cpu) else {
      throw .impossibleStep(
        number: position,
        reason: "\(machine.name(ofCPU: step.cpu)) cannot go on there: it is at "
          + "'\(machine.pendingText(of: step.cpu))'")
    }
    guard step.choice < machine.choiceCount(of: step.cpu) else {
      throw .impossibleStep(
        number: position, reason: "\(machine.name(ofCPU: step.cpu)) has no choice \(step.choice)")
    }
  }

  private static func violated(_ machine: Machine) -> End {
    guard let violation = machine.violation else { return .complete }
    return .violated(
      invariant: machine.scenario.invariants[violation.invariant].id, report: violation.report)
  }
}
