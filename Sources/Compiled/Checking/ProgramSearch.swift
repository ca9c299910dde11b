// Checks a program: attempts at a search, until one meets nothing that its layout does not know.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

/// The result of checking a program.
package struct ProgramResult {
  package var result: SearchResult
  package var endings = Endings()
  /// The number of executions that differ in what reads read from, if they were counted.
  package var readsFrom = 0
  /// Hashes of memory at the ends of complete executions, if they were collected.
  package var memories: [UInt64] = []
  package var finding: Finding?
  /// The simplest execution that shows the finding, if it was asked for.
  package var schedule: Schedule?
  package var isSimplest = false
  /// How often the search began anew because it had learned something of the program's memory.
  package var attempts = 0
  package var threads = 0
  /// The places at which a thread asked for anything.
  package var reached: Set<Int32> = []
  /// Whether orderings can make a difference: some plain access is to what threads share.
  package var mayRace = false
  /// What must happen, as the program says, and does not.
  package var missing: [String] = []
}

/// A program to be checked.
package final class Program {
  package let image: Image
  package let options: ProgramOptions
  var layout = Layout()
  /// What it was linked from.
  let modules: [IRModule]
  let link: LinkOptions

  package init(
    _ modules: [IRModule], _ options: ProgramOptions, _ link: LinkOptions = LinkOptions()
  ) throws(IRError) {
    image = try Image(modules, link)
    (self.modules, self.link) = (modules, link)
    var options = options
    if image.statements.required.contains(Statements.leak) { options.findsLeaks = true }
    self.options = options
  }

  /// The same program, of whose memory nothing is known yet.
  init(like other: Program) {
    (image, options, modules, link) = (other.image, other.options, other.modules, other.link)
  }

  static let attemptsMax = 500
  /// Random executions before the search, and the steps in each.
  static let probes = 24
  /// The same after something was learned that no random execution had shown.
  static let probesAgain = 8
  private static let probeSteps = 2_000

  /// A fresh machine; throws if the program cannot run at all.
  package func machine(stepsSingly: Bool = false) throws(Finding) -> ProgramMachine {
    var options = options
    options.stepsSingly = stepsSingly
    for _ in 0..<Self.attemptsMax {
      layout.settle()
      let machine = try ProgramMachine(image, layout, options)
      if let excess = layout.excess { throw Finding(.unsupported, excess) }
      if !machine.isBroken, !layout.hasGrown { return machine }
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }

  /// Runs random executions, from which the layout is learned.
  func probe(from first: Int = 0, count: Int = probes) throws(Finding) {
    for seed in first..<first + count {
      let machine = try machine()
      if machine.judgeStart() != .clean { continue }
      var random = SplitMix64(seed: UInt64(seed))
      for _ in 0..<Self.probeSteps {
        let enabled = machine.enabledCPUs()
        if enabled.isEmpty || machine.finding != nil || machine.isBroken { break }
        var left = enabled
        for _ in 0..<Int(random.next() % UInt64(enabled.count)) { _ = left.popLowest() }
        let choice = Int(random.next() % UInt64(machine.choiceCount(of: left.lowest)))
        _ = machine.step(left.lowest, choice: choice)
      }
    }
  }

  /// Runs a search to its end.
  package func search(
    _ options: SearchOptions, by search: (TransitionSystem, SearchOptions) -> SearchResult
  ) throws(Finding) -> ProgramResult {
    try probe()
    for attempt in 1...Self.attemptsMax {
      let machine = try machine()
      if machine.judgeStart() == .violation {
        let result = SearchResult(
          ending: .violation, statistics: Statistics(), schedule: Schedule(), finalStates: [])
        return ProgramResult(
          result: result, finding: machine.finding, schedule: Schedule(), attempts: attempt,
          threads: machine.threadCount)
      }
      let result = search(machine, options)
      if let excess = layout.excess { throw Finding(.unsupported, excess) }
      if result.ending == .halted || layout.hasGrown || machine.isBroken { continue }
      return ProgramResult(
        result: result, endings: machine.endings, readsFrom: machine.readsFrom.count,
        memories: machine.memories.sorted(),
        finding: machine.finding,
        schedule: result.schedule, attempts: attempt, threads: machine.threadCount,
        reached: machine.graph.places,
        mayRace: layout.mayRace, missing: image.statements.missing(machine.graph.places))
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }
}

extension Program {
  /// A machine for the search for the simplest execution, after a search has settled the layout.
  package func systemForMinimiser() -> TransitionSystem {
    do throws(Finding) {
      return try machine()
    } catch { fatalError("[internal] a program that was searched cannot be run: \(error.message)") }
  }
}
