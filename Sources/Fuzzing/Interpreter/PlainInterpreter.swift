// All interleavings of a random program, by a slow and obvious method, to test the machine.

import GracewalkInvariants

/// What a random program can do, found without the machine.
///
/// It shares no code with `Machine`, nor with the searches: the state is a plain value, every step
/// of every CPU is a step here (nothing is local), all of them are taken in every state, and states
/// that were met are kept in a set.
struct PlainInterpreter {
  /// A way in which it may be wrong on purpose, to see whether that is found out.
  enum Mistake: String, CaseIterable {
    case exchangesAlways, takesHeldLocks, readersEnterAtOnce, gracePeriodsEndAtOnce
    case callbacksRunAtOnce, barriersWaitForNone, interruptsEndAtOnce, masksDelayNoGracePeriod
    case choosesFirst, waitsForNothing, linksAreNotCounted, freedPagesAreForgotten
    case slabTakesLast, shrinksNothing, pagesOutliveNothing, releasesNothing, triesFail
    case forgetsWhatIsHeld, deadlocksLeak
  }

  /// What an execution ends with: see `outcome`.
  private(set) var outcomes: Set<[UInt64]> = []
  /// The invariants that some execution violates.
  private(set) var violated: Set<String> = []
  /// For each CPU and operation, the results with which it has ended.
  private(set) var results: [Place: Set<UInt64>] = [:]
  private(set) var steps = 0
  /// Whether all states were visited.
  private(set) var isComplete = false

  /// An operation of a CPU.
  struct Place: Hashable {
    var cpu: Int
    var part: Int
  }

  let program: RandomProgram
  let mistake: Mistake?
  /// The program of each CPU.
  let programs: [[[RandomProgram.Step]]]
  private var known: Set<PlainState> = []

  var states: Int { known.count }

  /// Interprets a program; nil if it has something that the interpreter does not know.
  ///
  /// - Parameter statesMax: the number of states after which it gives up.
  init?(_ program: RandomProgram, statesMax: Int, mistake: Mistake? = nil) {
    guard program.isPlain else { return nil }
    self.program = program
    self.mistake = mistake
    programs = zip(program.cpus, program.copies).flatMap { parts, copies in
      Array(repeating: parts, count: copies)
    }
    explore(statesMax)
  }

  private mutating func explore(_ statesMax: Int) {
    var start = initialState
    for cpu in start.cpus.indices { settle(cpu, &start) }
    known.insert(start)
    var open = [start]
    while let state = open.popLast() {
      if known.count > statesMax { return }
      var canContinue = false
      for cpu in state.cpus.indices {
        guard let step = pending(cpu, state), isEnabled(step, of: cpu, in: state) else { continue }
        canContinue = true
        let choices = if case .choose(let count) = step { count } else { 1 }
        for choice in 0..<(mistake == .choosesFirst ? 1 : choices) {
          var next = state
          let result = perform(step, choosing: UInt64(choice), by: cpu, in: &next)
          if step != .startCallback, step != .endCallback {
            next.cpus[cpu].code.results.append(result)
          }
          settle(cpu, &next)
          steps += 1
          if known.insert(next).inserted { open.append(next) }
        }
      }
      if !canContinue { judgeEnd(state) }
    }
    isComplete = true
  }

  /// The state before the first step.
  private var initialState: PlainState {
    let callers = programs.indices.filter { usesCallbacks(programs[$0]) }
    var state = PlainState(
      words: Array(repeating: 0, count: program.wordCount + 2),
      cpus: Array(repeating: PlainState.CPU(), count: programs.count + callers.count))
    state.pages = [PlainState.Page(number: 0)]
    if program.isDeep {
      state.pages[0].entries[0] = PlainAddress.entry(to: 1)
      state.pages.append(PlainState.Page(number: 1, links: 1))
    }
    state.freePages = Array(program.slabRange)
    state.pages += state.freePages.map { PlainState.Page(number: $0) }
    for (index, owner) in callers.enumerated() {
      state.cpus[programs.count + index].queue = index
      state.queues.append(PlainState.Queue(owner: owner))
    }
    for cpu in state.cpus.indices {
      state.cpus[cpu].targets = Array(repeating: 0, count: callers.count)
    }
    return state
  }

  private func usesCallbacks(_ parts: [[RandomProgram.Step]]) -> Bool {
    parts.joined().contains { RandomProgram.callers.contains($0.instruction) }
  }

  // MARK: Code

  /// The step that a CPU asks for; nil if it has ended or was cut off.
  func pending(_ cpu: Int, _ state: PlainState) -> PlainStep? {
    guard state.cpus[cpu].status == .running else { return nil }
    var run = PlainRun(program, state.cpus[cpu].code)
    do throws(PlainStep) {
      try runNext(cpu, state, &run)
      return nil
    } catch {
      return error
    }
  }

  /// Runs what comes next for a CPU: an instruction, the end of a part, or part of a callback.
  private func runNext(
    _ cpu: Int, _ state: PlainState, _ run: inout PlainRun
  ) throws(PlainStep) {
    guard state.cpus[cpu].queue == nil else {
      guard let callback = run.code.callback else { throw .startCallback }
      try run.run(callback)
      throw .endCallback
    }
    let steps = programs[cpu][run.code.part]
    if run.code.step == steps.count {
      try run.releaseAll()
    } else {
      try run.run(steps[run.code.step])
    }
  }

  /// Lets a CPU's code run as far as it gets without a step.
  private mutating func settle(_ cpu: Int, _ state: inout PlainState) {
    guard state.cpus[cpu].queue == nil else { return }
    while state.cpus[cpu].status == .running {
      let parts = programs[cpu]
      let code = state.cpus[cpu].code
      guard code.part < parts.count else {
        state.cpus[cpu].status = .ended
        return
      }
      if code.step < parts[code.part].count, parts[code.part][code.step].isConditional,
        code.seen % 2 == 1
      {
        state.cpus[cpu].code.step += 1
        continue
      }
      var run = PlainRun(program, code)
      do throws(PlainStep) {
        try runNext(cpu, state, &run)
      } catch {
        if error == .cutOff { state.cpus[cpu].status = .cutOff }
        return
      }
      run.code.results = []
      run.code.step += 1
      if run.code.step > parts[code.part].count {
        let result = program.hasSpecification ? run.code.seen % 2 : run.code.seen
        results[Place(cpu: cpu, part: code.part), default: []].insert(result)
        run.code.part += 1
        run.code.step = 0
        run.code.seen = 0
      }
      state.cpus[cpu].code = run.code
    }
  }

  // MARK: Ends

  mutating func violate(_ invariant: String) { violated.insert(invariant) }

  /// True if a CPU has nothing left to do, or waits for a callback to run.
  private func hasEnded(_ cpu: PlainState.CPU) -> Bool {
    cpu.queue != nil ? cpu.code.callback == nil : cpu.status == .ended
  }

  /// True if it only waits for a callback to be queued.
  private func isIdle(_ cpu: PlainState.CPU, _ state: PlainState) -> Bool {
    guard let queue = cpu.queue, cpu.code.callback == nil else { return false }
    return state.queues[queue].waiting.isEmpty
  }

  /// Judges a state in which no CPU can take a step.
  private mutating func judgeEnd(_ state: PlainState) {
    if state.cpus.contains(where: { $0.status == .cutOff }) { return }
    let stuck = state.cpus.indices.filter { cpu in
      state.cpus[cpu].status == .running && !isIdle(state.cpus[cpu], state)
    }
    outcomes.insert(outcome(state, stuck))
    for (number, cpu) in state.cpus.enumerated() where hasEnded(cpu) {
      if cpu.isInSection || cpu.isMasked { violate(GracePeriodSafety.id) }
      let holds = !held(by: number, in: state).isEmpty
      if holds, mistake != .forgetsWhatIsHeld { violate(LocksHeldByReleaser.id) }
    }
    if !stuck.isEmpty, mistake != .deadlocksLeak { return }
    if !state.isReleased, !state.pages[0].isAllocated { violate(NoUseAfterFree.id) }
    var reached: Set<Int> = []
    var open = [0]
    while let page = open.popLast() {
      if reached.insert(page).inserted {
        open += state.pages[state.index(ofPage: page)].entries.compactMap { PlainAddress.table($0) }
      }
    }
    let isLeaked = state.pages.contains { page in
      page.isAllocated && !reached.contains(page.number) && !state.freePages.contains(page.number)
    }
    if isLeaked { violate(NoLeakedTablePage.id) }
  }

  /// The ways in which a CPU holds locks: 0 as a spin lock, 1 for reading, 2 for writing.
  private func held(by cpu: Int, in state: PlainState) -> [UInt64] {
    let spins = state.spinLocks.filter { $0 == cpu } + state.pages.map(\.lock).filter { $0 == cpu }
    let mode: [UInt64] =
      state.readWriteLock.cpus.contains(cpu) ? [state.readWriteLock.isWritten ? 2 : 1] : []
    return spins.map { _ in 0 } + mode
  }

  /// What code can see at the end, as `RandomProgram.wholeOutcome` tells it of a machine.
  private func outcome(_ state: PlainState, _ stuck: [Int]) -> [UInt64] {
    var holds: [UInt64] = []
    for cpu in state.cpus.indices {
      holds += held(by: cpu, in: state).map { $0 << 8 | UInt64(cpu) }
      if state.cpus[cpu].isInSection { holds.append(3 << 8 | UInt64(cpu)) }
      if state.cpus[cpu].isMasked { holds.append(4 << 8 | UInt64(cpu)) }
    }
    let pages = state.pages.flatMap { page -> [UInt64] in
      [UInt64(page.number), page.isAllocated ? 1 : 0] + page.entries
    }
    return RandomProgram.outcome(
      words: state.words, pages: pages, holds: holds, stuck: stuck.map { UInt64($0) })
  }
}
