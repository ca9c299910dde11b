// Saving a search from time to time, and resuming a saved one.

import GracewalkSupport

/// A search that can be saved and resumed.
///
/// Such a search conforms to this protocol, and starts with `Budget.begin` instead of judging the
/// first state itself. It is saved when it asks its budget, so all its state must be consistent
/// there.
protocol ResumableSearch: AnyObject {
  /// The steps from the initial state to the current one.
  var path: [Schedule.Step] { get }

  /// Called at each state while the saved path is replayed, before the step is taken.
  func willRetrace(_ step: Schedule.Step)

  /// Writes everything that does not follow from the path.
  func save(to writer: CheckpointWriter)

  /// Reads what `save` wrote. The system is at the end of the path.
  func restore(from reader: CheckpointReader) throws(CheckpointError)
}

/// When and how to save a search.
public struct Checkpoints {
  /// Minimum seconds between two saves; with 0, the search is saved at each reading of the clock.
  public var interval: Double
  /// Saves: calls its argument once, with the writer to write to.
  public var save: ((CheckpointWriter) -> Void) -> Void

  public init(interval: Double, save: @escaping ((CheckpointWriter) -> Void) -> Void) {
    self.interval = interval
    self.save = save
  }
}

/// Saves its search.
final class Checkpointer {
  private let checkpoints: Checkpoints
  private let clock = ContinuousClock()
  private weak var search: (any ResumableSearch)?
  private var system: TransitionSystem?
  private var due: ContinuousClock.Instant
  /// Saving takes at most one second in this many.
  private static let share = 20

  init(_ checkpoints: Checkpoints) {
    self.checkpoints = checkpoints
    due = clock.now + .seconds(checkpoints.interval)
  }

  func watch(_ search: any ResumableSearch, _ system: TransitionSystem) {
    self.search = search
    self.system = system
  }

  func saveIfDue() {
    if clock.now >= due { save() }
  }

  /// Saves the search, unless the system found an error that makes saved results worthless.
  func save() {
    guard let search, let system, system.isFitToSave() else { return }
    let start = clock.now
    checkpoints.save { writer in
      Checkpointer.saveWay(of: search, system, to: writer)
      search.save(to: writer)
    }
    let end = clock.now
    guard checkpoints.interval > 0 else { return }
    due = end + max(.seconds(checkpoints.interval), (end - start) * Checkpointer.share)
  }

  /// Writes the saved part of a system, and how a search has brought it to its present state.
  static func saveWay(
    of search: any ResumableSearch, _ system: TransitionSystem, to writer: CheckpointWriter
  ) {
    system.save(to: writer)
    write(search.path, of: system, to: writer)
  }

  /// Writes the steps and a description of each state on the path, and leaves the system as it is.
  private static func write(
    _ path: [Schedule.Step], of system: TransitionSystem, to writer: CheckpointWriter
  ) {
    for _ in path { system.undo() }
    writer.write(path.count)
    writer.write(system.enabledCPUs())
    writer.write(system.stateKey)
    for step in path {
      writer.write(step.cpu)
      writer.write(step.choice)
      let outcome = system.step(step.cpu, choice: step.choice)
      demand(outcome == .clean, "[internal] a path could not be gone along again")
      writer.write(system.enabledCPUs())
      writer.write(system.stateKey)
    }
  }

  /// Brings a fresh search and a fresh system to the saved state.
  static func restore(
    _ search: any ResumableSearch, _ system: TransitionSystem, from reader: CheckpointReader
  ) throws(CheckpointError) {
    try restoreWay(of: search, system, from: reader)
    try search.restore(from: reader)
    guard reader.left == 0 else { throw .malformed }
    reader.close()
  }

  /// Brings a fresh system to the saved state, step by step.
  static func restoreWay(
    of search: any ResumableSearch, _ system: TransitionSystem, from reader: CheckpointReader
  ) throws(CheckpointError) {
    try system.restore(from: reader)
    let length = try reader.count(ofBytes: 32)
    for depth in 0...length {
      let enabled = try reader.cpus()
      let key = try reader.word()
      guard enabled == system.enabledCPUs(), key == system.stateKey else {
        throw .systemChanged(depth: depth)
      }
      if depth == length { break }
      let cpu = try reader.number(in: 0..<system.cpuCount)
      guard enabled.contains(cpu) else { throw .malformed }
      let choice = try reader.number(in: 0..<system.choiceCount(of: cpu))
      search.willRetrace(Schedule.Step(cpu: cpu, choice: choice))
      guard system.step(cpu, choice: choice) == .clean else {
        throw .systemChanged(depth: depth + 1)
      }
    }
  }
}

extension Statistics {
  func save(to writer: CheckpointWriter) {
    let counts = [
      executions, blocked, truncated, transitions, states, statesCovered, depthMax, collisions,
    ]
    for count in counts { writer.write(count) }
  }

  init(from reader: CheckpointReader) throws(CheckpointError) {
    self.init()
    // So that sums of them are numbers, too.
    let limit = 1 << 60
    executions = try reader.number(in: 0..<limit)
    blocked = try reader.number(in: 0..<limit)
    truncated = try reader.number(in: 0..<limit)
    transitions = try reader.number(in: 0..<limit)
    states = try reader.number(in: 0..<limit)
    statesCovered = try reader.number(in: 0..<limit)
    depthMax = try reader.number(in: 0..<limit)
    collisions = try reader.number(in: 0..<limit)
  }
}

extension CheckpointWriter {
  /// Writes words after their number.
  func write(_ words: some Collection<UInt64>) {
    write(words.count)
    for word in words { write(word) }
  }

  /// Writes the first words of a buffer, after their number.
  func write(_ words: GrowableBuffer<UInt64>, first count: Int) {
    write(count)
    for index in 0..<count { write(words[index]) }
  }
}

extension CheckpointReader {
  func words() throws(CheckpointError) -> [UInt64] {
    var words: [UInt64] = []
    for _ in 0..<(try count()) { words.append(try word()) }
    return words
  }

  /// Reads words into an empty buffer; if `expected` is given, exactly that many.
  func words(into buffer: GrowableBuffer<UInt64>, expected: Int) throws(CheckpointError) {
    guard try count() == expected else { throw .malformed }
    for _ in 0..<expected { buffer.append(try word()) }
  }
}
