// The choices that determine an execution, and their one-line text form.

import GracewalkSupport

/// A sequence of steps: the CPU of each, and the choice if it has several.
public struct Schedule: Equatable, Sendable {
  /// One step of a schedule.
  public struct Step: Equatable, Sendable {
    public var cpu: Int
    public var choice: Int

    public init(cpu: Int, choice: Int = 0) {
      self.cpu = cpu
      self.choice = choice
    }
  }

  public var steps: [Step]
  /// The index at which the part that repeats forever begins; nil if there is none.
  public var loop: Int?

  public init(_ steps: [Step] = [], loop: Int? = nil) {
    self.steps = steps
    self.loop = loop
  }

  /// Runs of equal steps, for example `0*4,1,0*2,2:1`: CPU 0 four times, CPU 1 once, CPU 0
  /// twice, then CPU 2 taking choice 1.
  ///
  /// The part that repeats forever is last, in parentheses: `0*4,(1*2,0)`.
  public var text: String {
    guard let loop else { return Schedule.text(of: steps[...]) }
    let stem = loop > 0 ? Schedule.text(of: steps[..<loop]) + "," : ""
    return "\(stem)(\(Schedule.text(of: steps[loop...])))"
  }

  private static func text(of steps: ArraySlice<Step>) -> String {
    var runs: [(step: Step, count: Int)] = []
    for step in steps {
      if let last = runs.last, last.step == step {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((step, 1))
      }
    }
    return runs.map { run in
      let choice = run.step.choice == 0 ? "" : ":\(run.step.choice)"
      return "\(run.step.cpu)\(choice)" + (run.count == 1 ? "" : "*\(run.count)")
    }.joined(separator: ",")
  }

  /// The longest schedule that a text may describe: longer than any execution of the engine.
  public static let maximumLength = 1_000_000

  /// Reads the text form; nil if it is malformed or describes an impossible length.
  ///
  /// An empty text is a schedule without steps.
  public init?(text: String) {
    var steps: [Step] = []
    if text.isEmpty {
      self.init()
      return
    }
    guard let open = text.firstIndex(of: "(") else {
      guard Schedule.read(text[...], into: &steps) else { return nil }
      self.init(steps)
      return
    }
    let stem = text[..<open]
    guard text.last == ")", stem.isEmpty || stem.last == "," else { return nil }
    guard stem.isEmpty || Schedule.read(stem.dropLast(), into: &steps) else { return nil }
    let loop = steps.count
    guard Schedule.read(text[text.index(after: open)...].dropLast(), into: &steps) else {
      return nil
    }
    self.init(steps, loop: loop)
  }

  /// Adds the steps of a text without parentheses; false if it is malformed.
  private static func read(_ text: Substring, into steps: inout [Step]) -> Bool {
    for run in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = run.split(separator: "*", omittingEmptySubsequences: false)
      let head = parts[0].split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, head.count <= 2,
        let cpu = Schedule.number(head[0]), cpu < CPUSet.capacity,
        let choice = head.count == 2 ? Schedule.number(head[1]) : 0,
        let count = parts.count == 2 ? Schedule.number(parts[1]) : 1,
        count > 0, steps.count + count <= Schedule.maximumLength
      else { return false }
      steps.append(contentsOf: repeatElement(Step(cpu: cpu, choice: choice), count: count))
    }
    return true
  }

  /// Digits only, at most seven: `Int.init` would also take a sign.
  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.count <= 7, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
      return nil
    }
    return Int(text)
  }
}

/// Encoded as its text form.
extension Schedule: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let schedule = Schedule(text: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a schedule such as 0*4,1,2:1 is expected")
    }
    self = schedule
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
