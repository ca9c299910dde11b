// A saved check: the facts that identify it, and the state of its search.

import GracewalkExploration
import GracewalkMachine

/// A saved check, read from its file.
///
/// The file begins with lines of text: `gracewalk checkpoint 13`, then the facts of the check, as
/// `key: value`, then an empty line. The state of the search follows in binary, then a checksum of
/// everything. It can be resumed from only once.
public final class Checkpoint {
  public let path: String
  /// The facts that identify the check.
  let facts: [CheckFact]
  let reader: CheckpointReader

  package static let version = 14
  static let magic = "gracewalk checkpoint "
  /// A file with a longer text before the empty line is not a checkpoint.
  private static let textMax = 1 << 20

  /// What to do about a file that is refused.
  private static let nameAnother = "name a file that --checkpoint has written"
  fileprivate static let beginAgain = "begin again without --resume"

  /// Reads a file.
  ///
  /// - Throws: `CheckError.badCheckpoint` if it cannot be read, is something else or is damaged.
  public init(path: String) throws(CheckError) {
    self.path = path
    let bytes: [UInt8]
    switch CheckpointFile.contents(of: path) {
    case .success(let read): bytes = read
    case .failure(let error):
      throw .badCheckpoint("cannot read '\(path)': \(error.reason); \(Self.nameAnother)")
    }
    let magic = Array(Checkpoint.magic.utf8)
    guard bytes.starts(with: magic) else {
      throw .badCheckpoint("'\(path)' is not a checkpoint; \(Self.nameAnother)")
    }
    let rest = bytes[magic.count...].prefix(Checkpoint.textMax)
    let line = rest.prefix(20)
    let version = String(decoding: line.prefix { $0 != 10 }, as: UTF8.self)
    let isDamaged = "'\(path)' is damaged or was cut short; \(Self.beginAgain)"
    guard version == "\(Checkpoint.version)" else {
      // A number without the end of its line may have been cut short.
      let isNumber = Int(version) != nil && line.contains(10)
      throw .badCheckpoint(
        isNumber
          ? "'\(path)' has format \(version), and this version reads format "
            + "\(Checkpoint.version); resume it with the version that saved it, or begin again "
            + "without --resume"
          : isDamaged)
    }
    guard let end = rest.indices.dropFirst().first(where: { rest[$0] == 10 && rest[$0 - 1] == 10 }),
      let reader = CheckpointReader(bytes, from: end + 1)
    else { throw .badCheckpoint(isDamaged) }
    let lines = String(decoding: bytes[..<(end - 1)], as: UTF8.self).split(separator: "\n")
    facts = lines.dropFirst().map { CheckFact(line: $0) }
    self.reader = reader
  }
}

/// One fact about a check that its search depends on.
struct CheckFact: Equatable {
  var key: String
  var value: String

  init(_ key: String, _ value: String) {
    self.key = key
    self.value = String(value.map { $0.isNewline ? " " : $0 })
  }

  init(line: Substring) {
    let colon = line.firstIndex(of: ":") ?? line.endIndex
    key = String(line[..<colon])
    value = String(line[colon...].dropFirst(2))
  }

  var line: String { "\(key): \(value)\n" }
}

/// Everything needed to save a check and to resume it.
package struct CheckpointSession {
  private let facts: [CheckFact]
  private let name: String
  private let options: CheckOptions
  /// Whether the saved search has been abandoned, so that the next one begins at the first state.
  var beginsAgain = false

  /// Nil if the check is neither saved nor resumed.
  ///
  /// - Throws: `CheckError.badCheckpoint` if the checkpoint is of another check.
  init?(
    _ options: CheckOptions, _ plan: SearchPlan, _ model: Model
  ) throws(CheckError) {
    guard options.checkpoints != nil || options.resume != nil else { return nil }
    self.options = options
    name = model.name
    let scenario = model.freshScenario(options.scenario)
    let parameters = model.values(options.parameters).values
    facts =
      [
        CheckFact("model", model.name),
        CheckFact("parameters", parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " ")),
        CheckFact("invariants", scenario.invariants.map(\.id).joined(separator: " ")),
        CheckFact("memory", scenario.memoryModel.name),
        CheckFact("features", scenario.features.text),
        CheckFact("without", options.without?.text ?? "nothing"),
        CheckFact("search", plan.text),
        CheckFact("states", plan.isExact ? "compared in full" : "compared by hash"),
        CheckFact("depth", "\(plan.limits.depth)"),
        CheckFact("preemptions", plan.limits.preemptions.map { "\($0)" } ?? "any"),
        CheckFact("behaviour", String(Machine(scenario).behaviour, radix: 16)),
        CheckFact("units", "\(plan.units)"),
        CheckFact("unit-length", plan.unitLength.map { "\($0)" } ?? "growing"),
      ]
    try compare()
  }

  /// The same for a check of a program.
  ///
  /// - Parameter facts: by key; of a key that ends in `hash` only the fact that it differs is said.
  package init?(
    _ options: CheckOptions, ofProgram name: String, facts: [(key: String, value: String)]
  ) throws(CheckError) {
    guard options.checkpoints != nil || options.resume != nil else { return nil }
    self.options = options
    self.name = name
    self.facts = [CheckFact("program", name)] + facts.map { CheckFact($0.key, $0.value) }
    try compare()
  }

  /// What a file means that says nothing about it: only a search in units says so.
  private static let unsaid = [CheckFact("units", "1"), CheckFact("unit-length", "growing")]

  /// Throws if the check to be resumed is another one.
  private func compare() throws(CheckError) {
    guard let saved = options.resume else { return }
    var said = saved.facts
    for fact in Self.unsaid where facts.contains(where: { $0.key == fact.key }) {
      if !said.contains(where: { $0.key == fact.key }) { said.append(fact) }
    }
    for (fact, old) in zip(facts, said) where fact != old {
      if fact.key == old.key, fact.key.hasSuffix("hash") {
        throw .badCheckpoint(
          "'\(saved.path)' is out of date: \(fact.key.dropLast(5)) has changed since; check "
            + "\(name) again without --resume")
      }
      guard fact.key != "behaviour" else { throw error(.systemChanged(depth: 0)) }
      let found = (fact.key == old.key ? "" : "\(old.key) ") + "'\(old.value)'"
      throw .badCheckpoint(
        "'\(saved.path)' is of another check: expected \(fact.key) '\(fact.value)', found "
          + "\(found); ask for the check that was saved, or \(Checkpoint.beginAgain)")
    }
    guard facts.count == said.count else { throw error(.malformed) }
  }

  /// Reads what the saved check had learned of its code.
  func restore(
    _ foresight: Foresight?, _ makeMachine: () -> Machine
  ) throws(CheckpointError) {
    guard let foresight, let saved = options.resume else { return }
    try foresight.restore(from: saved.reader, makeMachine)
  }

  /// Sets the options with which a search is saved or resumed.
  ///
  /// - Parameter foresight: what the check has learned of its code; it is saved, too.
  package func prepare(_ search: inout SearchOptions, _ foresight: Foresight? = nil) {
    search.resume = beginsAgain ? nil : options.resume?.reader
    guard let file = options.checkpoints else { return }
    search.checkpoints = Checkpoints(interval: options.checkpointInterval) { body in
      file.replace { writer in
        writer.write("\(Checkpoint.magic)\(Checkpoint.version)\n")
        for fact in facts where !Self.unsaid.contains(fact) { writer.write(fact.line) }
        writer.write("\n")
        foresight?.save(to: writer)
        body(writer)
      }
    }
  }

  /// The error for a search that could not be resumed.
  package func error(_ error: CheckpointError) -> CheckError {
    let file = "'\(options.resume?.path ?? "")'"
    switch error {
    case .malformed:
      return .badCheckpoint(
        "\(file) is damaged: what it says makes no sense; \(Checkpoint.beginAgain)")
    case .systemChanged:
      return .badCheckpoint(
        "\(file) is out of date: the model's code has changed since; \(Checkpoint.beginAgain)")
    }
  }
}
