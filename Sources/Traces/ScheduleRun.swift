// Taking the steps of a schedule one by one, each only if it is possible there.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// An execution under way, with the facts recorded besides its steps.
struct ScheduleRun {
  private let schedule: Schedule
  let machine: Machine
  let recorder: StepRecorder
  /// Positions among the recorded steps at which a CPU was preempted.
  private(set) var preemptions: [Int] = []
  /// Position among them at which the repeating part begins.
  private(set) var loop: Int?
  /// Unfinished until something else is known.
  private(set) var end = Recording.End.unfinished
  private var round: Round?
  /// The CPU that took the latest step.
  private var latest: Int?

  /// Starts on a machine in its initial state, in which an invariant may already fail.
  init(
    _ schedule: Schedule, of scenario: Scenario, recordsPictures: Bool
  ) throws(RecordingError) {
    self.schedule = schedule
    recorder = StepRecorder(recordsPictures: recordsPictures)
    machine = Machine(scenario, recorder: recorder)
    if let failure = machine.failure { throw .failed(failure) }
    if machine.judgeStart() == .violation {
      guard schedule.steps.isEmpty else {
        throw .impossibleStep(
          number: 1, reason: "the execution is over: an invariant failed before the first step")
      }
      end = violation
    }
    recorder.update(machine)
  }

  // MARK: Steps

  mutating func takeSteps() throws(RecordingError) {
    for (number, step) in schedule.steps.enumerated() {
      let enabled = machine.enabledCPUs()
      try validate(step, number, enabled)
      if number == schedule.loop {
        loop = recorder.steps.count
        round = Round(machine)
      }
      round?.take(step, enabled)
      notePreemption(by: step.cpu, enabled)
      let outcome = machine.step(step.cpu, choice: step.choice)
      recorder.update(machine)
      switch outcome {
      case .clean: continue
      case .violation:
        guard number == schedule.steps.count - 1 else {
          throw .impossibleStep(
            number: number + 1, reason: "the execution is over: an invariant failed before it")
        }
        end = violation
      case .halted:
        if let failure = machine.failure { throw .failed(failure) }
      }
    }
  }

  private func validate(
    _ step: Schedule.Step, _ number: Int, _ enabled: CPUSet
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
        reason: "\(machine.name(ofCPU: step.cpu)) cannot continue there: it is at "
          + "'\(machine.pendingText(of: step.cpu))'")
    }
    guard step.choice < machine.choiceCount(of: step.cpu) else {
      throw .impossibleStep(
        number: position, reason: "\(machine.name(ofCPU: step.cpu)) has no choice \(step.choice)")
    }
  }

  private mutating func notePreemption(by cpu: Int, _ enabled: CPUSet) {
    if let latest, latest != cpu, enabled.contains(latest), machine.isPreemption(leaving: latest) {
      preemptions.append(recorder.steps.count)
    }
    latest = cpu
  }

  // MARK: The end

  /// Judges the final state.
  mutating func judgeEnd() throws(RecordingError) {
    guard case .unfinished = end, machine.enabledCPUs().isEmpty else { return }
    switch machine.judgeEnd() {
    case .clean: end = .complete
    case .violation: end = violation
    case .halted: if let failure = machine.failure { throw .failed(failure) }
    }
  }

  private var violation: Recording.End {
    // Without a final judgement, the execution does not count as complete.
    guard let violation = machine.violation else { return .unfinished }
    return .violated(
      invariant: machine.scenario.invariants[violation.invariant].id, report: violation.report)
  }

  /// Names of the operations that each CPU reached.
  var operations: [[String]] {
    machine.cpuNames.indices.map { cpu in
      let count = (recorder.steps.filter { $0.cpu == cpu }.map(\.operation).max() ?? -1) + 1
      return (0..<count).map { machine.name(ofOperation: $0, cpu: cpu) }
    }
  }

  // MARK: What repeats

  /// The end of an execution that repeats its last steps forever; nil if it does not repeat any.
  ///
  /// It must end in the state in which the round began, be fair, and be able to repeat the round.
  func endOfRound() throws(RecordingError) -> Recording.End? {
    guard let round, let loop else { return nil }
    try round.close(machine)
    let steps = Array(recorder.steps[loop...])
    var end = Recording.End.unfinished
    for case let invariant as any RepetitionInvariant in machine.scenario.invariants {
      guard let report = invariant.judgeRound(steps, of: machine) else { continue }
      end = .violated(invariant: invariant.id, report: report)
      break
    }
    try repeatRound(round)
    return end
  }

  /// The number of rounds for which a livelock is verified.
  private static let roundsMax = 16

  /// Repeats the round: code that keeps state from turn to turn would leave it.
  private func repeatRound(_ round: Round) throws(RecordingError) {
    for _ in 1..<Self.roundsMax {
      for step in schedule.steps[(schedule.loop ?? 0)...] {
        let isPossible = machine.enabledCPUs().contains(step.cpu)
        if isPossible, machine.step(step.cpu, choice: step.choice) == .clean { continue }
        if let failure = machine.failure { throw .failed(failure) }
        throw .noRepetition(reason: "a later round ends in another way")
      }
      try round.close(machine)
    }
  }
}

/// Checks the part of an execution that should repeat forever.
private struct Round {
  /// The state in which it begins, which must equal the one in which it ends.
  private let key: UInt64
  /// CPUs enabled in all its states so far, and those that took a step.
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

  /// Checks that the machine is in the state in which the round began, and that the round is fair.
  func close(_ machine: Machine) throws(RecordingError) {
    guard machine.stateKey == key else {
      throw .noRepetition(reason: "the state at its end is not the one it began in")
    }
    let left = able.subtracting(stepped)
    guard left.isEmpty else {
      throw .noRepetition(
        reason: "\(machine.name(ofCPU: left.lowest)) stays enabled and never takes a step")
    }
  }
}
