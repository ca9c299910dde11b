// Running one schedule on a fresh machine, with everything a person wants to see written down.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// Why a schedule could not be run.
public enum RecordingError: Error, Equatable {
  /// A step names a CPU or a choice that does not exist or cannot be taken there.
  case impossibleStep(number: Int, reason: String)
  /// What is said to repeat for ever does not, or is no fair execution.
  case noRepetition(reason: String)
  /// The model cannot be run at all.
  case failed(MachineFailure)
}

/// One execution, recorded.
public struct Recording: Equatable, Sendable {
  /// How the execution ended.
  public enum End: Equatable, Codable, Sendable {
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
  /// Positions in `steps` at which a CPU was left in the middle of something it could have gone on
  /// with.
  public var preemptions: [Int]
  /// Position in `steps` where the part begins that repeats for ever; nil if none does.
  public var loop: Int?
  public var end: End
  /// What the invariants say that were required.
  public var requirements: [InvariantText]
  /// Words that the invariant that failed asked for; empty if none failed.
  public var inspected: [InspectedWord] = []
  /// Words it saw along with all others of their kind, as in `Machine.pages`.
  public var inspectedAlong: [InspectedWord] = []
  /// The machine before the first step and after each; empty unless asked for.
  public var pictures: [MachinePicture]

  /// Runs a schedule.
  ///
  /// - Parameters:
  ///   - schedule: the steps to take.
  ///   - scenario: a fresh one.
  ///   - recordsPictures: whether to keep what the machine looked like at every moment.
  /// - Throws: `RecordingError` if the schedule does not fit the scenario.
  public init(
    _ schedule: Schedule, of scenario: Scenario, recordsPictures: Bool = false
  ) throws(RecordingError) {
    let recorder = StepRecorder(recordsPictures: recordsPictures)
    Machine.beginReports()
    defer { Machine.endReports() }
    let machine = Machine(scenario, recorder: recorder)
    if let failure = machine.failure { throw .failed(failure) }
    let isViolatedAtOnce = machine.judgeStart() == .violation
    guard !isViolatedAtOnce || schedule.steps.isEmpty else {
      throw .impossibleStep(
        number: 1, reason: "the execution is over: an invariant failed before the first step")
    }
    recorder.update(machine)
    self.schedule = schedule
    cpus = machine.cpuNames
    initialTables = recorder.initialTables
    preemptions = []
    requirements = scenario.invariants.map { InvariantText($0) }
    end = isViolatedAtOnce ? Recording.violated(machine) : .unfinished
    pictures = []
    var last: Int?
    var round: Round?
    for (number, step) in schedule.steps.enumerated() {
      let enabled = machine.enabledCPUs()
      try Recording.validate(step, number, enabled, machine)
      if number == schedule.loop {
        loop = recorder.steps.count
        round = Round(machine)
      }
      round?.take(step, enabled)
      if let last, last != step.cpu, enabled.contains(last),
        machine.isPreemption(leaving: last)
      {
        preemptions.append(recorder.steps.count)
      }
      last = step.cpu
      let outcome = machine.step(step.cpu, choice: step.choice)
      recorder.update(machine)
      switch outcome {
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
      switch machine.judgeEnd() {
      case .clean: end = .complete
      case .violation: end = Recording.violated(machine)
      case .halted: if let failure = machine.failure { throw .failed(failure) }
      }
    }
    if case .violated = end { (inspected, inspectedAlong) = recorder.inspected(in: machine) }
    steps = recorder.steps
    pictures = recorder.pictures
    if let round, let loop {
      try round.close(machine)
      end = Recording.judge(steps[loop...], machine)
    }
    operations = machine.cpuNames.indices.map { cpu in
      let count = (recorder.steps.filter { $0.cpu == cpu }.map(\.operation).max() ?? -1) + 1
      return (0..<count).map { machine.name(ofOperation: $0, cpu: cpu) }
    }
    if let round { try Recording.goOn(schedule, round, machine) }
  }

  /// Rounds that a livelock is followed for.
  private static let roundsMax = 16

  /// Takes the round again and again: code that keeps something from turn to turn leaves it.
  private static func goOn(
    _ schedule: Schedule, _ round: Round, _ machine: Machine
  ) throws(RecordingError) {
    for _ in 1..<roundsMax {
      for step in schedule.steps[(schedule.loop ?? 0)...] {
        let isPossible = machine.enabledCPUs().contains(step.cpu)
        if isPossible, machine.step(step.cpu, choice: step.choice) == .clean { continue }
        if let failure = machine.failure { throw .failed(failure) }
        throw .noRepetition(reason: "a later round ends in another way")
      }
      try round.close(machine)
    }
  }

  /// What a required invariant says; nil if there is none with that id.
  public func requirement(_ id: String) -> InvariantText? { requirements.first { $0.id == id } }

  /// Steps that traces number: scheduling points, except the boundaries of operations.
  public var visibleSteps: Int { steps.count { !$0.isLocal && !$0.isBoundary } }

  /// Those among them that repeat for ever.
  public var stepsOfLoop: Int {
    guard let loop else { return 0 }
    return steps[loop...].count { !$0.isLocal && !$0.isBoundary }
  }

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

  private static func judge(_ round: ArraySlice<RecordedStep>, _ machine: Machine) -> End {
    for case let invariant as any RepetitionInvariant in machine.scenario.invariants {
      if let report = invariant.judgeRound(Array(round), of: machine) {
        return .violated(invariant: invariant.id, report: report)
      }
    }
    return .unfinished
  }

  private static func violated(_ machine: Machine) -> End {
    // Without a report nothing is known, least of all that nothing is wrong.
    guard let violation = machine.violation else { return .unfinished }
    return .violated(
      invariant: machine.scenario.invariants[violation.invariant].id, report: violation.report)
  }
}

/// What is to be found out of the part of an execution that is said to repeat for ever.
private struct Round {
  /// The state it begins in, which must be the one it ends in.
  private let key: UInt64
  /// CPUs that could go on in all its states so far, and those that did.
  private var able: CPUSet
  private var stepped = CPUSet()

  init(_ machine: Machine) {
    key = machine.stateKey
    able = machine.enabledCPUs()
  }

  mutating func take(_ step: Schedule.Step, _ enabled: CPUSet) {
    able = able.intersection(enabled)
    stepped.insert(step.cpu)
  }

  /// Makes sure that the machine is where the round began, and that the round is fair.
  func close(_ machine: Machine) throws(RecordingError) {
    guard machine.stateKey == key else {
      throw .noRepetition(reason: "the state at its end is not the one it began in")
    }
    let left = able.subtracting(stepped)
    guard left.isEmpty else {
      throw .noRepetition(
        reason: "\(machine.name(ofCPU: left.lowest)) could go on all the time and never does")
    }
  }
}
