// A model checker small enough to read in one sitting: Gracewalk's main ideas and nothing else.

/// An action of a CPU on shared memory, whose words have names.
///
/// Other CPUs may run between two actions of one CPU, and nowhere else.
enum Action: Hashable {
  case load(String)
  case store(String, Int)
  case compareExchange(String, expected: Int, desired: Int)
  case finished

  var word: String {
    switch self {
    case .load(let word), .store(let word, _), .compareExchange(let word, _, _): word
    case .finished: ""
    }
  }
  var isLoad: Bool { if case .load = self { true } else { false } }

  /// Two actions commute if they are about different words, or if both only read.
  func commutes(with other: Action) -> Bool { word != other.word || isLoad && other.isLoad }
}

/// Thrown when the code asks for an action to which its history has no answer.
struct Wanted: Error { let action: Action }

/// The CPU that code runs on: it answers from a history, and stops the code where the history ends.
///
/// Code that depends only on these answers behaves the same whenever it has the same history. So it
/// has to run only once for each history, and the history is the CPU's whole state.
struct CPU {
  let history: [Int]
  var position = 0

  private mutating func ask(_ action: Action) throws -> Int {
    guard position < history.count else { throw Wanted(action: action) }
    position += 1
    return history[position - 1]
  }
  mutating func load(_ word: String) throws -> Int { try ask(.load(word)) }
  mutating func store(_ word: String, _ value: Int) throws { _ = try ask(.store(word, value)) }
  mutating func compareExchange(_ word: String, _ expected: Int, _ desired: Int) throws -> Bool {
    try ask(.compareExchange(word, expected: expected, desired: desired)) == expected
  }
}

typealias Memory = [String: Int]

struct State: Hashable {
  var memory: Memory
  var histories: [[Int]]
}

struct Program {
  var cpus: [(name: String, code: (inout CPU) throws -> Void)]
  var memory: Memory
  /// The problem with the final memory, when all CPUs have finished, or nil.
  var problem: (Memory) -> String?
}

/// A depth-first search of every execution that can make a difference.
struct Checker {
  let program: Program
  let reduces: Bool
  private var actions: [[[Int]: Action]]
  /// Each visited state, with the CPUs that were asleep at every visit.
  private var met: [State: Set<Int>] = [:]
  private(set) var steps = 0
  private(set) var trace: [String] = []
  var states: Int { met.count }

  init(_ program: Program, reduces: Bool = true) {
    self.program = program
    self.reduces = reduces
    actions = Array(repeating: [:], count: program.cpus.count)
  }

  /// The problem that some execution ends with, or nil; `trace` then has its steps.
  mutating func check() -> String? {
    let begun = program.cpus.map { _ in [Int]() }
    return explore(State(memory: program.memory, histories: begun), asleep: [])
  }

  /// The next action of a CPU; its code runs only if that is not known yet.
  private mutating func action(of cpu: Int, in state: State) -> Action {
    let history = state.histories[cpu]
    if let known = actions[cpu][history] { return known }
    var asking = CPU(history: history)
    var action = Action.finished
    do { try program.cpus[cpu].code(&asking) } catch { action = (error as! Wanted).action }
    actions[cpu][history] = action
    return action
  }

  private mutating func explore(_ state: State, asleep: Set<Int>) -> String? {
    // Equal states have equal futures. All of this one is known, except the steps of CPUs that were
    // asleep at every visit.
    if let unexplored = met[state], unexplored.isSubset(of: asleep) { return nil }
    met[state] = asleep.intersection(met[state] ?? asleep)
    let next = program.cpus.indices.map { action(of: $0, in: state) }
    if next.allSatisfy({ $0 == .finished }) { return program.problem(state.memory) }
    var asleep = asleep
    for cpu in next.indices where next[cpu] != .finished && !asleep.contains(cpu) {
      var after = state
      let observed = Checker.take(next[cpu], on: &after.memory)
      after.histories[cpu].append(observed)
      steps += 1
      trace.append("\(program.cpus[cpu].name): \(next[cpu]) -> \(observed)")
      // An execution in which a sleeping CPU goes first has been explored. It is the same
      // execution as long as the others' steps commute with the sleeper's.
      let stillAsleep = asleep.filter { next[$0].commutes(with: next[cpu]) }
      if let problem = explore(after, asleep: stillAsleep) { return problem }
      trace.removeLast()
      if reduces { asleep.insert(cpu) }
    }
    return nil
  }

  private static func take(_ action: Action, on memory: inout Memory) -> Int {
    let old = memory[action.word] ?? 0
    switch action {
    case .store(let word, let value): memory[word] = value
    case .compareExchange(let word, let expected, let desired):
      if old == expected { memory[word] = desired }
    case .load, .finished: break
    }
    return old
  }
}
