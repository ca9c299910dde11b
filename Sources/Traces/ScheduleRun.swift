// Taking the steps of a schedule one by one, each only if it is possible there.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// An execution under way, and what is to be noted of it besides its steps.
struct ScheduleRun {
  private let schedule: Schedule
  let machine: Machine
  let recorder: StepRecorder
  /// Positions among the recorded steps at which a CPU was left that could have gone on.
  private(set) var preemptions: [Int] = []
  /// Position among them where the part begins that repeats.
  private(set) var loop: Int?
  /// Unfinished until something else is known.
  private(set) var end = Recording.End.unfinished
  private var round: Round?
  /// The CPU that took the latest step.
  private var latest: Int?

  /// A machine on which no step was taken yet, and which may be wrong already.
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
        reason: "\(machine.name(ofCPU: step.cpu)) cannot go on there: it is at "
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

  /// Judges what no CPU can change any more.
  mutating func judgeEnd() throws(RecordingError) {
    guard case .unfinished = end, machine.enabledCPUs().isEmpty else { return }
    switch machine.judgeEnd() {
    case .clean: end = .complete
    case .violation: end = violation
    case .halted: if let failure = machine.failure { throw .failed(failure) }
    }
  }

  private var violation: Recording.End {
    // Without a report nothing is known, least of all that nothing is wrong.
    guard let violation = machine.violation else { return .unfinished }
    return .violated(
      invariant: machine.scenario.invariants[violation.invariant].id, report: violation.report)
  }

  /// Names of the operations that each CPU came to.
  var operations: [[String]] {
    machine.cpuNames.indices.map { cpu in
      let count = (recorder.steps.filter { $0.cpu == cpu }.map(\.operation).max() ?? -1) + 1
      return (0..<count).map { machine.name(ofOperation: $0, cpu: cpu) }
    }
  }

  // MARK: What repeats

  /// How an execution ends that repeats its last steps for ever; nil if it does not repeat any.
  ///
  /// It must be back where the round began, be fair, and take the round again as often as asked.
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
    try goOn(round)
    return end
  }

  /// Rounds that a livelock is followed for.
  private static let roundsMax = 16

  /// Takes the round again and again: code that keeps something from turn to turn leaves it.
  private func goOn(_ round: Round) throws(RecordingError) {
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
