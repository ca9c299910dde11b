// A recording as a value in a file: decoding rejects anything that could make a view trap.

import GracewalkExploration
import GracewalkMachine

/// Pictures are not stored; running the schedule on the model makes them again.
extension Recording: Codable {
  private enum CodingKeys: CodingKey {
    case schedule, cpus, operations, initialTables, steps, preemptions, loop, end, requirements
    case inspected, inspectedAlong
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schedule = try container.decode(Schedule.self, forKey: .schedule)
    cpus = try container.decode([String].self, forKey: .cpus)
    operations = try container.decode([[String]].self, forKey: .operations)
    initialTables = try container.decode([String].self, forKey: .initialTables)
    steps = try container.decode([RecordedStep].self, forKey: .steps)
    preemptions = try container.decode([Int].self, forKey: .preemptions)
    loop = try container.decodeIfPresent(Int.self, forKey: .loop)
    end = try container.decode(End.self, forKey: .end)
    requirements = try container.decode([InvariantText].self, forKey: .requirements)
    inspected = try container.decode([InspectedWord].self, forKey: .inspected)
    inspectedAlong = try container.decode([InspectedWord].self, forKey: .inspectedAlong)
    pictures = []
    if let problem {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: container.codingPath, debugDescription: problem))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schedule, forKey: .schedule)
    try container.encode(cpus, forKey: .cpus)
    try container.encode(operations, forKey: .operations)
    try container.encode(initialTables, forKey: .initialTables)
    try container.encode(steps, forKey: .steps)
    try container.encode(preemptions, forKey: .preemptions)
    try container.encodeIfPresent(loop, forKey: .loop)
    try container.encode(end, forKey: .end)
    try container.encode(requirements, forKey: .requirements)
    try container.encode(inspected, forKey: .inspected)
    try container.encode(inspectedAlong, forKey: .inspectedAlong)
  }

  /// The first inconsistency; nil for every recording of a machine.
  private var problem: String? {
    if operations.count != cpus.count { return "operations of \(operations.count) CPUs" }
    let isNamed = { (step: RecordedStep) in
      self.cpus.indices.contains(step.cpu)
        && self.operations[step.cpu].indices.contains(step.operation)
    }
    if let number = steps.firstIndex(where: { !isNamed($0) }) {
      return "step \(number) is of an operation that is not there"
    }
    if schedule.steps.contains(where: { !cpus.indices.contains($0.cpu) }) {
      return "the schedule has a CPU that is not there"
    }
    if (loop == nil) != (schedule.loop == nil) || !(0...steps.count).contains(loop ?? 0) {
      return "the part that repeats is not there"
    }
    if preemptions.contains(where: { !steps.indices.dropFirst().contains($0) }) {
      return "a preemption is before no step"
    }
    if (inspected + inspectedAlong).contains(where: { !steps.indices.contains($0.step) }) {
      return "a word was written by no step"
    }
    return nil
  }
}
