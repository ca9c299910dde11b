// Checks a program: attempts at a search, until one meets nothing that its layout does not know.

import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

/// The result of checking a program.
package struct ProgramResult {
  package var result: SearchResult
  package var endings = Endings()
  /// The number of executions that differ in what reads read from, if they were counted.
  package var readsFrom = 0
  /// Hashes of memory at the ends of complete executions, if they were collected.
  package var memories: [UInt64] = []
  /// Outcomes of executions, if they were collected, in order.
  package var outcomes: [[UInt64]] = []
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
  static let probes = 64
  /// The same after something was learned that no random execution had shown.
  static let probesAgain = 8
  /// How many of them in a row may show nothing new.
  private static let dullProbes = 8
  private static let probeSteps = 2_000

  /// A fresh machine; throws if the program cannot run at all.
  package func machine(stepsSingly: Bool = false) throws(Finding) -> ProgramMachine {
    try machine(stepsSingly: stepsSingly, reusing: nil)
  }

  /// What threads do, for several machines, one after the other.
  private func graph() -> ThreadGraph {
    ThreadGraph(
      Interpreter(
        image, unroll: options.unroll, choices: options.choices,
        tracksDependencies: options.memoryModel == .armv8),
      mergesStates: options.mergesStates)
  }

  private func machine(
    stepsSingly: Bool = false, reusing graph: ThreadGraph?
  ) throws(Finding) -> ProgramMachine {
    var options = options
    options.stepsSingly = stepsSingly
    for _ in 0..<Self.attemptsMax {
      layout.settle()
      let machine = try ProgramMachine(image, layout, options, graph ?? self.graph())
      if let excess = layout.excess { throw Finding(.unsupported, excess) }
      if !machine.isBroken, !layout.hasGrown { return machine }
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }

  /// Runs random executions, from which the layout is learned.
  ///
  /// They end when several in a row have shown nothing new.
  func probe(from first: Int = 0, count: Int = probes) throws(Finding) {
    let graph = graph()
    var dull = 0
    for seed in first..<first + count where dull < Self.dullProbes {
      let machine = try machine(reusing: graph)
      defer { dull = layout.hasGrown || machine.isBroken ? 0 : dull + 1 }
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
    let graph = graph()
    for attempt in 1...Self.attemptsMax {
      let machine = try machine(reusing: graph)
      if machine.judgeStart() == .violation {
        let result = SearchResult(
          ending: .violation, statistics: Statistics(), schedule: Schedule(), finalStates: [])
        return ProgramResult(
          result: result, finding: machine.finding, schedule: Schedule(), attempts: attempt,
          threads: machine.threadCount)
      }
      let result = search(machine, options)
      if let excess = layout.excess { throw Finding(.unsupported, excess) }
      if result.ending == .halted || layout.hasGrown || machine.isBroken {
        layout.generalise()
        continue
      }
      return ProgramResult(
        result: result, endings: machine.endings, readsFrom: machine.readsFrom.count,
        memories: machine.memories.sorted(),
        outcomes: machine.outcomes.sorted { $0.lexicographicallyPrecedes($1) },
        finding: machine.finding,
        schedule: result.schedule, attempts: attempt, threads: machine.threadCount,
        reached: machine.graph.places,
        mayRace: layout.mayRace, missing: image.statements.missing(machine.graph.places))
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }
}

extension Program {
  /// Searches for the simplest execution that shows a finding, after a search has found one.
  ///
  /// If that learns something of the program's memory, it starts again. Which steps are local has
  /// changed then, and a schedule fits only the layout that it was found with. So this learns in a
  /// layout of its own, which becomes the program's if there is a result.
  package func simplest() -> Minimiser.Result? {
    let trial = Program(like: self)
    trial.layout = Layout(copying: layout)
    var hasGrown = false
    var minimiser = Minimiser {
      hasGrown = hasGrown || trial.layout.hasGrown
      return trial.systemForMinimiser()
    }
    for _ in 0..<Self.attemptsMax {
      hasGrown = false
      let result = minimiser.minimise()
      if trial.layout.excess != nil { return nil }
      guard hasGrown || trial.layout.hasGrown else {
        if result != nil { layout = trial.layout }
        return result
      }
      trial.layout.generalise()
      trial.layout.settle()
    }
    return nil
  }

  private func systemForMinimiser() -> TransitionSystem {
    do throws(Finding) {
      return try machine()
    } catch { fatalError("[internal] a program that was searched cannot be run: \(error.message)") }
  }
}
