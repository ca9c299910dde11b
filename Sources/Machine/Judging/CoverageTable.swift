// The coverage record of one machine: a few words for entries, a list of results, facets.

import GracewalkExploration
import GracewalkSupport

/// The coverage of the steps of one machine since its start.
///
/// It is not part of the state, and never undone. Entry changes are recorded at each write, as a
/// bit in a table; results only when code runs for the first time.
final class CoverageTable {
  /// A bit per old and new kind: four words for each possible value of a page's publication word
  /// (`Layout.publishedOffset`).
  private let changes: GrowableBuffer<UInt64>
  private static let wordsPerLevel = EntryKind.capacity * EntryKind.capacity / 64
  /// Outcomes by CPU and operation number.
  private var outcomes: [[[Coverage.Outcome]]] = []
  /// Whether some execution was cut off by an assumption of the code.
  private(set) var hasAssumptions = false
  /// Whether some execution came to its end.
  private(set) var hasWholeExecution = false
  /// The features that code has used.
  private(set) var facets: Facets = []

  init(levels: Int) {
    let rows = Int(Layout.published(atLevel: levels)) + 1
    changes = GrowableBuffer(repeating: 0, count: rows * Self.wordsPerLevel)
  }

  deinit { changes.deallocate() }

  // MARK: Entries

  private static func place(_ old: EntryKind, _ new: EntryKind) -> (word: Int, bit: UInt64) {
    let pair = Int(old.rawValue) * EntryKind.capacity + Int(new.rawValue)
    return (pair / 64, 1 << UInt64(pair % 64))
  }

  /// Records that an entry of a published page changed.
  @inline(__always)
  func note(_ old: EntryKind, _ new: EntryKind, inPagePublished published: UInt64) {
    let (word, bit) = Self.place(old, new)
    changes[Int(published) * Self.wordsPerLevel + word] |= bit
  }

  /// True if a change was recorded at a level, or for nil, in pages without a level.
  func includes(_ old: EntryKind, _ new: EntryKind, at level: Int?) -> Bool {
    if let level { return includes(old, new, inRow: Layout.published(atLevel: level)) }
    return includes(old, new, inRow: 0)
      || includes(old, new, inRow: Layout.publishedWithoutLevel)
  }

  private func includes(_ old: EntryKind, _ new: EntryKind, inRow row: UInt64) -> Bool {
    let (word, bit) = Self.place(old, new)
    return changes[Int(row) * Self.wordsPerLevel + word] & bit != 0
  }

  /// Clears the changes recorded so far, since those of boot code do not count.
  func forgetChanges() {
    for index in 0..<changes.count { changes[index] = 0 }
  }

  // MARK: Results

  func operationCount(of cpu: Int) -> Int { cpu < outcomes.count ? outcomes[cpu].count : 0 }

  func outcomes(of cpu: Int, _ operation: Int) -> [Coverage.Outcome] {
    operation < operationCount(of: cpu) ? outcomes[cpu][operation] : []
  }

  /// Records an outcome of a CPU's operation.
  func note(_ outcome: Coverage.Outcome, of cpu: Int, _ operation: Int) {
    while outcomes.count <= cpu { outcomes.append([]) }
    while outcomes[cpu].count <= operation { outcomes[cpu].append([]) }
    outcomes[cpu][operation].add([outcome])
  }

  // MARK: Assumptions

  /// Notes that an operation of a CPU goes no further where an assumption is not so.
  func noteCutOff(_ assumption: String, of cpu: Int, _ operation: Int) {
    hasAssumptions = true
    let text = Coverage.Outcome.cutOff + assumption
    note(Coverage.Outcome(code: StableHash.of(text), text: text), of: cpu, operation)
  }

  func noteWholeExecution() { hasWholeExecution = true }

  // MARK: Facets

  /// Records features that code uses; called only when it runs for the first time.
  func note(_ facets: Facets) { self.facets.formUnion(facets) }

  // MARK: Checkpoints

  func save(to writer: CheckpointWriter) {
    for index in 0..<changes.count { writer.write(changes[index]) }
    writer.write(facets.rawValue)
    writer.write(hasAssumptions)
    writer.write(hasWholeExecution)
    writer.write(outcomes.count)
    for operations in outcomes {
      writer.write(operations.count)
      for outcomes in operations {
        writer.write(outcomes.count)
        for outcome in outcomes {
          writer.write(outcome.code)
          writer.write(outcome.text != nil)
          writer.write(outcome.text.map { Array($0.utf8) } ?? [])
        }
      }
    }
  }

  /// Adds what `save` wrote.
  ///
  /// - Parameter cpuCount: the machine's CPUs: a file that names others is refused.
  func restore(from reader: CheckpointReader, cpuCount: Int) throws(CheckpointError) {
    for index in 0..<changes.count { changes[index] |= try reader.word() }
    facets.formUnion(Facets(rawValue: try reader.word()))
    if try reader.flag() { hasAssumptions = true }
    if try reader.flag() { hasWholeExecution = true }
    for cpu in 0..<(try reader.number(in: 0..<cpuCount + 1)) {
      for operation in 0..<(try reader.count()) {
        for _ in 0..<(try reader.count()) {
          let code = try reader.word()
          let hasText = try reader.flag()
          let bytes = try reader.text()
          note(Coverage.Outcome(code: code, text: hasText ? bytes : nil), of: cpu, operation)
        }
      }
    }
  }
}

extension CheckpointWriter {
  /// Writes bytes after their number.
  fileprivate func write(_ bytes: [UInt8]) {
    write(bytes.count)
    bytes.withUnsafeBytes { write($0) }
  }
}

extension CheckpointReader {
  /// Reads text that was written as bytes after their number.
  fileprivate func text() throws(CheckpointError) -> String {
    let count = try count(ofBytes: 1)
    let buffer = GrowableBuffer<UInt8>()
    defer { buffer.deallocate() }
    try bytes(count, into: buffer)
    return String(decoding: buffer.all, as: UTF8.self)
  }
}
