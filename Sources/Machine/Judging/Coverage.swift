// The coverage of a search: results of operations, changes of entries, and features used.

/// The kinds of table entries that coverage distinguishes.
public enum EntryKind: UInt8, CaseIterable, Codable, Sendable {
  case invalid, locked, table
  case writable, readOnly
  /// The same with a clear access flag.
  case writableNotAccessed, readOnlyNotAccessed
  /// Valid, but neither a table nor a mapping of data at its level.
  case malformed
  /// Not writable, but hardware may make it so.
  case clean, cleanNotAccessed

  /// The number of kinds that a coverage table has room for.
  static let capacity = 16

  /// Its name in reports and traces; `leaf` is the word for a mapping at the level: block or page.
  public func text(leaf: String) -> String {
    switch self {
    case .invalid: "invalid"
    case .locked: "locked"
    case .table: "table"
    case .writable: leaf
    case .readOnly: "\(leaf) read-only"
    case .clean: "\(leaf) clean"
    case .writableNotAccessed: "\(leaf) not accessed"
    case .readOnlyNotAccessed: "\(leaf) read-only not accessed"
    case .cleanNotAccessed: "\(leaf) clean not accessed"
    case .malformed: "malformed"
    }
  }
}

extension Descriptor {
  /// The kind according to the bits alone, regardless of level and format.
  public var kind: EntryKind {
    guard isValid else { return isLocked ? .locked : .invalid }
    if isTable { return .table }
    return isLeaf ? leafKind : .malformed
  }

  var leafKind: EntryKind {
    if isWritable { return hasAccessFlag ? .writable : .writableNotAccessed }
    if isDirtyModifiable { return hasAccessFlag ? .clean : .cleanNotAccessed }
    return hasAccessFlag ? .readOnly : .readOnlyNotAccessed
  }
}

/// The coverage of executions.
///
/// Equivalent executions have the same coverage, and states are merged only if the same things can
/// still happen. So the coverage of a complete search does not depend on the search or the number
/// of threads.
public struct Coverage: Equatable, Codable, Sendable {
  /// A way in which an operation ended.
  public struct Outcome: Equatable, Codable, Sendable {
    /// The code of the result; results with one code are one outcome.
    public var code: UInt64
    /// Nil if the operation returns nothing.
    public var text: String?

    public init(code: UInt64, text: String?) {
      self.code = code
      self.text = text
    }

    /// How the text begins of an operation that an assumption cuts off.
    static let cutOff = "cut off: "
  }

  /// An operation of a CPU, or of CPUs that are identical, and how it ended.
  public struct Operation: Equatable, Codable, Sendable {
    /// The CPUs that run it: several names for identical CPUs, whose outcomes are combined.
    public var cpus: [String]
    public var name: String
    /// Ordered by code; empty if it never ended.
    public var outcomes: [Outcome]

    public init(cpus: [String], name: String, outcomes: [Outcome]) {
      self.cpus = cpus
      self.name = name
      self.outcomes = outcomes
    }
  }

  /// A change of an entry from one value to another.
  public struct Change: Equatable, Codable, Sendable {
    public var old: EntryKind
    public var new: EntryKind

    public init(old: EntryKind, new: EntryKind) {
      self.old = old
      self.new = new
    }
  }

  /// The changes of entries at one level of the tables.
  public struct Level: Equatable, Codable, Sendable {
    /// The level, 0 at the root.
    ///
    /// Nil for pages that were not in a tree when others could first reach them, and for writes to
    /// a page before that.
    public var number: Int?
    public var changes: [Change]

    public init(number: Int?, changes: [Change]) {
      self.number = number
      self.changes = changes
    }
  }

  /// Operations in the order of CPUs, then of programs.
  public var operations: [Operation]
  /// Levels at which an entry changed, the root first.
  public var levels: [Level]
  /// The features that the scenario uses.
  public var facets: Facets
  /// Whether assumptions of the code cut executions off, and whether they did so with all of them.
  public var assumptions = Assumptions.none

  public enum Assumptions: String, Codable, Sendable {
    case none
    case cutOffSome, cutOffAll
  }

  /// True if an operation with a name ended with a result at least once.
  public func includes(_ operation: String, _ result: String) -> Bool {
    operations.contains { item in
      item.name == operation && item.outcomes.contains { $0.text == result }
    }
  }
}

extension Coverage {
  /// The combined coverage of machines of one scenario.
  public init(of machines: [Machine]) {
    operations = []
    levels = []
    facets = []
    guard let first = machines.first else { return }
    let tables = machines.map(\.coverage)
    if tables.contains(where: \.hasAssumptions) {
      assumptions = tables.contains(where: \.hasWholeExecution) ? .cutOffSome : .cutOffAll
    }
    facets = tables.reduce(into: Facets(first.scenario)) { $0.formUnion($1.facets) }
    for group in first.groupsOfCPUs {
      let known = tables.flatMap { table in group.map { table.operationCount(of: $0) } }.max() ?? 0
      for operation in 0..<max(known, first.programLength(of: group[0])) {
        var outcomes: [Outcome] = []
        for table in tables {
          for cpu in group { outcomes.add(table.outcomes(of: cpu, operation)) }
        }
        operations.append(
          Operation(
            cpus: group.map { first.name(ofCPU: $0) },
            name: first.name(ofOperation: operation, cpu: group[0]), outcomes: outcomes))
      }
    }
    for level in Array(0...first.layout.geometry.levels) + [nil] {
      let changes = EntryKind.allCases.flatMap { old in
        EntryKind.allCases.compactMap { new in
          let isMet = tables.contains { $0.includes(old, new, at: level) }
          return isMet ? Change(old: old, new: new) : nil
        }
      }
      if !changes.isEmpty { levels.append(Level(number: level, changes: changes)) }
    }
  }
}

extension [Coverage.Outcome] {
  /// Adds outcomes that are not there yet, in the order of their codes.
  mutating func add(_ others: [Coverage.Outcome]) {
    for other in others where !contains(where: { $0.code == other.code }) {
      insert(other, at: firstIndex { $0.code > other.code } ?? count)
    }
  }
}

extension Machine {
  /// All CPUs, identical ones together, in the order of the first of each group.
  fileprivate var groupsOfCPUs: [[Int]] {
    var groups = scenario.identicalCPUs
    groups += scenario.identicalCPUs.map { group in group.compactMap { callbackCPUs[$0] } }
    groups.removeAll(where: \.isEmpty)
    let grouped = Set(groups.joined())
    groups += (0..<cpuCount).filter { !grouped.contains($0) }.map { [$0] }
    return groups.sorted { $0[0] < $1[0] }
  }

  /// The number of operations in a CPU's program; callbacks are not known in advance.
  fileprivate func programLength(of cpu: Int) -> Int {
    cpu < scenario.programs.count ? scenario.programs[cpu].operations.count : 0
  }
}
