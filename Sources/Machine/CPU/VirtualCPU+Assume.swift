// Assumptions: executions in which they are not so are not considered.

import GracewalkSupport

extension VirtualCPU {
  /// Goes on only if a condition holds; if not, this execution is not considered.
  ///
  /// The CPU takes no further step. What was wrong before that is a violation as ever, and so is
  /// what others do meanwhile, step by step: that the code of this CPU has looked at its assumption
  /// changes nothing for them. But nothing is judged that is about the end: no leak, no deadlock,
  /// no livelock, since the execution has none. The report says what was cut off, and a check in
  /// which all executions were is not one that holds.
  ///
  /// Use it to leave out what a scenario is not about, and not in place of a `wait`: what only has
  /// to come later is cut off, too.
  public func assume(
    _ condition: Bool, _ text: String, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    if isAbandoned { throw refused() }
    if condition { return }
    let site = SourceSite(file: file, line: line)
    if case .boot = role {
      throw misuse("what the code before the CPUs assumes is not so: \(text.printable)", site)
    }
    if !code.isReplaying {
      machine.coverage.noteCutOff(text.printable, of: index, operation)
    }
    _ = try issue(Action(.cutOff), site)
    throw Abandoned()
  }
}
