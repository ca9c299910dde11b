// Progress: every operation ends, however long other CPUs run.

import GracewalkMachine

/// No CPU is stuck, and none loops forever: every operation ends.
///
/// A *livelock* is a fair execution that loops forever: every CPU that stays enabled takes steps.
/// Only CPUs that repeat (`VirtualCPU.repeatUntilDone`) can be in one. A CPU that waits in a loop
/// of its own, instead of with `VirtualCPU.wait`, is reported as a spin before this is judged, and
/// the search ends incomplete.
public struct ProgressOfCPUs: QuiescenceInvariant, RepetitionInvariant {
  public init() {}

  public static let id = "progress"
  public var id: String { Self.id }
  public let statement =
    "Every operation ends: no CPU waits, or retries, for something that never happens."
  public let rationale =
    "A deadlock in the fault path hangs the guest; one that waits for a grace period hangs the "
    + "host. A livelock hangs them at full load."
  public let source = "Documentation/locking/lockdep-design.rst (Linux)."
  public let applicability = Applicability.wherever([])
  public let treatsCPUsAlike = true

  public var judgesDeadlocks: Bool { true }

  public func judgeEnd(of machine: Machine) -> Violation? {
    let stuck = machine.stuckCPUs
    guard !stuck.isEmpty else { return nil }
    let who = stuck.map { machine.name(ofCPU: $0) }.joined(separator: " and ")
    return Violation(
      "deadlock: \(who) can never continue",
      details: stuck.map {
        "\(machine.name(ofCPU: $0)) waits at: \(machine.waitingText(of: $0))"
      })
  }

  public func judgeRound(_ round: [RecordedStep], of machine: Machine) -> Violation? {
    let cpus = Set(round.map(\.cpu)).sorted()
    let names = cpus.map { machine.name(ofCPU: $0) }
    let loop = cpus.count == 1 ? "loops" : "loop"
    let waiting = machine.unfinishedCPUs.filter { !cpus.contains($0) }
    return Violation(
      "livelock: \(names.joined(separator: " and ")) \(loop) forever, and no operation ends",
      details: cpus.map { text(of: $0, in: round, machine) }
        + waiting.map { "\(machine.name(ofCPU: $0)) waits at: \(machine.waitingText(of: $0))" })
  }

  /// Longer rounds are shortened in the message; the trace shows them in full.
  private static let stepsMax = 6

  /// The actions of a CPU, and their results, in each round.
  private func text(of cpu: Int, in round: [RecordedStep], _ machine: Machine) -> String {
    let steps = round.filter { $0.cpu == cpu && !$0.isBoundary }
    let operation = machine.name(ofOperation: steps.first?.operation ?? 0, cpu: cpu)
    let texts = steps.prefix(Self.stepsMax).map { step in
      step.outcome.isEmpty ? step.action : "\(step.action): \(step.outcome)"
    }
    let more = steps.count > Self.stepsMax ? "; …" : ""
    return "\(machine.name(ofCPU: cpu)) repeats, in \(operation): "
      + texts.joined(separator: "; ") + more
  }
}
