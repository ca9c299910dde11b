// Properties of a single scenario: a sentence and a closure, given where it is built.

import GracewalkSupport

extension Scenario {
  /// Requires a property of every final state, when all CPUs have finished.
  ///
  /// The statement describes the property; in lower case with hyphens it is the property's id. The
  /// closure may only read the machine, for example `$0.value(of: word)`.
  public func atEnd(
    _ statement: String, file: String = #fileID, line: Int = #line,
    _ holds: @escaping @Sendable (Machine) -> Bool
  ) {
    let site = SourceSite(file: file, line: line)
    require(EndProperty(statement: statement, site: site, holds: holds), file: file, line: line)
  }

  /// Requires a property of every state.
  ///
  /// With `reading`, the closure may look only at the values of these words, and the search reduces
  /// what does not write them. Without it, every state must be visited: nothing is reduced, and the
  /// report says so. Prefer `atEnd`, or `VirtualCPU.assert` if code knows the right moment.
  public func always(
    _ statement: String, reading words: [Word<UInt64>]? = nil, file: String = #fileID,
    line: Int = #line, _ holds: @escaping @Sendable (Machine) -> Bool
  ) {
    let site = SourceSite(file: file, line: line)
    let scope = words.map { StateScope.words($0) } ?? .everything
    let property = StateProperty(statement: statement, site: site, scope: scope, holds: holds)
    require(property, file: file, line: line)
  }
}

/// The common part of both kinds.
private protocol ScenarioProperty: Invariant {
  var site: SourceSite { get }
  var holds: @Sendable (Machine) -> Bool { get }
}

extension ScenarioProperty {
  var id: String {
    statement.lowercased().hyphenated
  }
  var rationale: String { "The scenario says so, in \(site.file)." }
  var source: String { "" }
  var applicability: Applicability { .chosen("the scenario says so") }

  func judge(_ machine: Machine) -> Violation? {
    holds(machine) ? nil : Violation("not so: \(statement)")
  }
}

private struct EndProperty: QuiescenceInvariant, ScenarioProperty {
  let statement: String
  let site: SourceSite
  let holds: @Sendable (Machine) -> Bool

  func judgeEnd(of machine: Machine) -> Violation? { judge(machine) }
}

private struct StateProperty: StateInvariant, ScenarioProperty {
  let statement: String
  let site: SourceSite
  let scope: StateScope
  let holds: @Sendable (Machine) -> Bool

  func judgeState(of machine: Machine) -> Violation? { judge(machine) }
}

extension VirtualCPU {
  /// Ends the execution with a violation of `operations-do-not-throw` unless a condition holds, as
  /// the kernel's `BUG_ON` would stop it.
  public func assert(_ condition: Bool, _ text: String) throws {
    if !condition { throw AssertionFailure(text: text) }
  }
}

private struct AssertionFailure: Error, CustomStringConvertible {
  let text: String
  var description: String { "assertion failed: \(text)" }
}
