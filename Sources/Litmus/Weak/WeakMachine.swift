// Litmus tests under x86-TSO and Armv8, as a transition system whose states are values.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// The processes of a test over memory whose stores become visible in steps of their own.
///
/// Each process is two CPUs of the search: one carries out its instructions, the other makes its
/// pending stores visible. What concerns only one process is done together with the step before it
/// (`settle`), and each state is put into a canonical form, so that equal futures are equal states.
///
/// `Docs/MemoryModels.md` defines the machine.
final class WeakMachine: TransitionSystem {
  let test: LitmusTest
  let model: MemoryModel
  let board: TestBoard
  /// Per process and instruction, what it may still do.
  let uses: [[FutureUse]]
  let hasGracePeriods: Bool
  let hasEntries: Bool
  /// Whether walks that fault come after the accesses before them (FEAT_ETS2).
  let hasETS2: Bool
  /// Per section, the process that enters it, or the one that it belongs to.
  let sectionOwners: [Int]
  /// Per section, its domain; 0 is that of read-copy-update.
  let sectionDomains: [Int]
  /// Words that only taking and releasing locks accesses, as a set: see `Docs/MemoryModels.md`.
  let lockWords: UInt64
  /// Sorts stores of which nobody can tell which came first; nil if they stay as they are.
  let sorter: StoreSorter?
  /// Whether a step that concerns no other process is taken without alternatives.
  private let takesSoleSteps: Bool
  let omittedRules: OmittedRules
  /// The states on the way to the present one, which is the last.
  private var states: [WeakState] = []
  /// The choices of each CPU in each of these states, if they have been asked for.
  private var choices: [[[WeakChoice]]?] = []
  /// Set if a process had more pending stores, or a word more visible ones, than there is room for.
  private(set) var hasMetCap = false

  init(
    _ test: LitmusTest, under model: MemoryModel, _ board: TestBoard,
    _ shortcuts: WeakShortcuts = .all, hasETS2: Bool = false,
    without omittedRules: OmittedRules = []
  ) {
    self.test = test
    hasEntries = test.hasEntries
    self.hasETS2 = hasETS2
    self.omittedRules = omittedRules
    lockWords = shortcuts.contains(.hastenedLocks) && model == .armv8 ? test.lockWords : 0
    // What walks may still find is not known from the code.
    let sorts = shortcuts.contains(.sortedStores) && model == .armv8 && !test.hasEntries
    sorter = sorts ? StoreSorter(without: omittedRules) : nil
    takesSoleSteps =
      shortcuts.contains(.soleSteps) && !test.hasEntries && !test.loops && !test.mayPassOnSections
    self.model = model
    self.board = board
    let processes = test.processes
    hasGracePeriods = processes.contains { process in
      process.instructions.contains { instruction in
        switch instruction {
        case .synchronize, .synchronizeSleepable: true
        default: false
        }
      }
    }
    uses = processes.indices.map { [hasGracePeriods] index in
      var table = FutureUse.table(
        of: processes[index], wordCount: test.words.count, observed: test.observed(of: index))
      if !hasGracePeriods {
        // Nobody asks what was known when a section ended.
        for place in table.indices { table[place].hasSections = false }
      }
      return table
    }
    let enterers = test.sections.indices.map { section in
      processes.firstIndex { process in
        process.instructions.contains { instruction in
          if case .enterSleepable(section, _) = instruction { true } else { false }
        }
      } ?? 0
    }
    sectionOwners = Array(processes.indices) + enterers
    sectionDomains = processes.map { _ in 0 } + test.sections.map { $0.domain + 1 }
    super.init()
    var start = initialState
    settle(&start)
    makeCanonical(&start)
    states.append(start)
    choices.append(nil)
  }

  private var initialState: WeakState {
    let domains = test.domains.count + 1
    var order = StoreOrder(
      cpus: test.processes.count, domains: domains, units: hasEntries ? test.processes.count : 0)
    for (word, declared) in test.words.enumerated() {
      order.words.replace(UInt32(word), with: [VisibleStore(value: declared.initial, time: 0)])
    }
    let noViews = Array(repeating: View(0), count: test.words.count)
    return WeakState(
      order: order,
      processes: test.processes.map { process in
        WeakProcess(
          registers: process.registers.indices.map { register in
            RegisterState(
              value: register < process.initial.count ? process.initial[register] : 0)
          }, valueViews: model == .armv8 && process.addsToWords ? noViews : [])
      },
      sections: Array(repeating: SectionState(), count: sectionOwners.count))
  }

  var processCount: Int { test.processes.count }

  /// Why no machine can be made of a test; nil if one can.
  static func refusal(of test: LitmusTest, under model: MemoryModel) -> String? {
    if test.hasEntries, model != .armv8 {
      return "tests about page tables are for --memory \(MemoryModel.armv8.rawValue)"
    }
    if test.processes.count > 15 { return "more than 15 processes" }
    if test.words.count > 64 { return "more than 64 words" }
    if test.processes.contains(where: { $0.registers.count > 64 }) {
      return "a process with more than 64 registers and intermediate values"
    }
    return nil
  }

  func noteCap() { hasMetCap = true }

  // MARK: Transition system

  override var cpuCount: Int { 2 * processCount }
  override var objectCount: Int { 1 }

  override func enabledCPUs() -> CPUSet {
    var enabled = CPUSet()
    for (cpu, choices) in presentChoices.enumerated() where !choices.isEmpty { enabled.insert(cpu) }
    return enabled
  }

  override func disabledCPUs() -> CPUSet { CPUSet.first(cpuCount).subtracting(enabledCPUs()) }

  override func choiceCount(of cpu: Int) -> Int { presentChoices[cpu].count }

  private var presentChoices: [[WeakChoice]] {
    if let known = choices[choices.count - 1] { return known }
    let found = findChoices(in: states[states.count - 1])
    choices[choices.count - 1] = found
    return found
  }

  private func findChoices(in state: WeakState) -> [[WeakChoice]] {
    if takesSoleSteps, let sole = soleStep(in: state) {
      return (0..<cpuCount).map { $0 == sole.cpu ? sole.choices : [] }
    }
    return (0..<cpuCount).map { cpu in
      cpu < processCount
        ? nextChoices(of: cpu, in: state) : flushes(of: cpu - processCount, in: state)
    }
  }

  override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    let chosen = presentChoices[cpu][choice]
    var state = states[states.count - 1]
    take(chosen, by: cpu % processCount, in: &state)
    settle(&state)
    makeCanonical(&state)
    states.append(state)
    choices.append(nil)
    return .clean
  }

  override func undo() {
    states.removeLast()
    choices.removeLast()
  }

  override func judgeEnd() -> StepOutcome {
    let state = states[states.count - 1]
    let isOver = state.processes.indices.allSatisfy { index in
      let process = state.processes[index]
      return !process.isStuck && !state.order.cpus[index].hasPendingStore
        && process.counter >= test.processes[index].instructions.count
    }
    guard isOver else { return .clean }
    board.add(
      final: test.condition.observables.map { observable in
        switch observable {
        case .register(let process, let register, _):
          state.processes[process].registers[register].value
        case .word(let word, _): state.order.words[UInt32(word)].last?.value ?? 0
        case .fault(let process, _, let instruction, let page, _):
          hasFaulted(process, at: instruction, page, in: state) ? 1 : 0
        }
      })
    return .clean
  }

  override var stateKey: UInt64 {
    var hash: UInt64 = 0
    states[states.count - 1].encode { hash = StableHash.extend(hash, with: $0) }
    return hash
  }

  override func addExactState(to words: GrowableBuffer<UInt64>) {
    states[states.count - 1].encode { words.append($0) }
  }

  override var violatedInvariant: Int { -1 }
}

extension Process {
  /// Whether some read-modify-write stores what depends on what it reads.
  fileprivate var addsToWords: Bool {
    instructions.contains { instruction in
      if case .update(_, let modification, _, _, _) = instruction {
        modification.dependsOnRead
      } else {
        false
      }
    }
  }
}

extension LitmusTest {
  /// The registers of a process that final states show.
  func observed(of process: Int) -> Set<Int> {
    var observed: Set<Int> = []
    for case .register(process, let register, _) in condition.observables {
      observed.insert(register)
    }
    return observed
  }
}
