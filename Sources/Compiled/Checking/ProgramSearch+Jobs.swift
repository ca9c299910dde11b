// The search on several threads: each part of it has a copy of the program.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension Program {
  /// A machine of its own, for one part of a search.
  private struct Copy {
    var program: Program
    var machine: ProgramMachine
  }

  /// Runs a search that makes its systems itself, several of them if it likes.
  ///
  /// Nothing is shared between them: each has the program linked anew, and a copy of what is known
  /// of its memory. If one of them learns something new, the search starts again with that.
  ///
  /// - Parameter search: calls its argument for each system.
  package func search(
    by search: (@escaping () -> TransitionSystem) -> SearchResult
  ) throws(Finding) -> ProgramResult {
    try probe()
    for attempt in 1...Self.attemptsMax {
      let first = try machine()
      if first.judgeStart() == .violation {
        let result = SearchResult(
          ending: .violation, statistics: Statistics(), schedule: Schedule(), finalStates: [])
        return ProgramResult(
          result: result, finding: first.finding, schedule: Schedule(), attempts: attempt,
          threads: first.threadCount)
      }
      let copies = Locked<[Copy]>([])
      let result = search {
        let copy = self.copy()
        copies.withLock { $0.append(copy) }
        return copy.machine
      }
      let all = copies.withLock { $0 }
      if let excess = all.lazy.compactMap(\.program.layout.excess).first {
        throw Finding(.unsupported, excess)
      }
      if let grown = all.first(where: { $0.program.layout.hasGrown || $0.machine.isBroken }) {
        layout = Layout(copying: grown.program.layout)
        continue
      }
      return try self.result(result, all, attempt)
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }

  private func result(
    _ result: SearchResult, _ copies: [Copy], _ attempt: Int
  ) throws(Finding) -> ProgramResult {
    var whole = ProgramResult(result: result, schedule: result.schedule, attempts: attempt)
    for copy in copies {
      let endings = copy.machine.endings
      whole.endings.complete += endings.complete
      whole.endings.assumed += endings.assumed
      whole.endings.spinning += endings.spinning
      whole.endings.deadlocked += endings.deadlocked
      whole.threads = copy.machine.threadCount
      whole.mayRace = whole.mayRace || copy.program.layout.mayRace
      whole.reached.formUnion(copy.machine.graph.places)
    }
    whole.missing = image.statements.missing(whole.reached)
    if result.ending == .violation, let schedule = result.schedule {
      whole.finding = try trace(schedule).finding
    }
    return whole
  }

  private func copy() -> Copy {
    do {
      let program = try Program(modules, options, link)
      program.layout = Layout(copying: layout)
      return Copy(program: program, machine: try program.machine())
    } catch { fatalError("[internal] a program that was linked cannot be linked again: \(error)") }
  }
}
