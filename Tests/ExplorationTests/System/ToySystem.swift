// Random programs over a few words, to test searches on a system that shares no code with the
// machine.

import GracewalkExploration
import GracewalkSupport

/// An instruction of a toy program.
enum ToyInstruction: Equatable {
  /// Reads a word and skips a number of instructions if it has the value.
  case skip(word: Int, value: Int, count: Int)
  /// Loads a word.
  case load(word: Int)
  case store(word: Int, value: Int)
  /// Stores the loaded value.
  case copy(word: Int)
  case add(word: Int)
  /// Writes only if the word has the value that is expected; keeps whether it had.
  case exchange(word: Int, expected: Int, value: Int)
  case lock(Int)
  case unlock(Int)
  /// Waits until a word has a value.
  case wait(word: Int, value: Int)
  /// Keeps 0 or 1.
  case choose
}

/// CPUs with programs over words that have few values.
///
/// States repeat far more often than on the machine, since a state is the present values, not the
/// CPUs' histories.
final class ToySystem: TransitionSystem {
  private struct Change {
    var cpu: Int
    var counter: Int
    var kept: Int
    var object: Int
    var old: Int
  }

  let programs: [[ToyInstruction]]
  private let wordCount: Int
  private let lockCount: Int
  private var counters: [Int]
  private var kept: [Int]
  /// Words, then locks: 0 if free, otherwise the holder plus 1.
  private var values: [Int]
  private var changes: [Change] = []

  init(_ programs: [[ToyInstruction]], wordCount: Int = 3, lockCount: Int = 2) {
    self.programs = programs
    self.wordCount = wordCount
    self.lockCount = lockCount
    counters = Array(repeating: 0, count: programs.count)
    kept = counters
    values = Array(repeating: 0, count: wordCount + lockCount)
    super.init()
  }

  convenience init(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    let (words, values) = (1 + number(3), 2 + number(2))
    func instruction(_ held: inout [Int]) -> ToyInstruction {
      let word = number(words)
      switch number(20) {
      case 0..<4: return .load(word: word)
      case 4..<9: return .store(word: word, value: number(values))
      case 9..<10: return .copy(word: word)
      case 10..<11: return .add(word: word)
      case 11..<13: return .exchange(word: word, expected: number(values), value: number(values))
      case 13..<16: return .skip(word: word, value: number(values), count: 1 + number(2))
      case 16..<17: return .wait(word: word, value: number(values))
      case 17..<18: return .choose
      default:
        if let lock = held.popLast() { return .unlock(lock) }
        held.append(number(2))
        return .lock(held[0])
      }
    }
    let programs = (0..<2 + number(4)).map { _ in
      var held: [Int] = []
      return (0..<1 + number(4)).map { _ in instruction(&held) }
    }
    self.init(programs, wordCount: words)
  }

  private func next(_ cpu: Int) -> ToyInstruction? {
    counters[cpu] < programs[cpu].count ? programs[cpu][counters[cpu]] : nil
  }

  private func lock(_ number: Int) -> Int { wordCount + number }

  override var cpuCount: Int { programs.count }
  override var objectCount: Int { wordCount + lockCount }

  private func isEnabled(_ cpu: Int) -> Bool? {
    switch next(cpu) {
    case nil: nil
    case .lock(let number): values[lock(number)] == 0
    case .wait(let word, let value): values[word] == value
    default: true
    }
  }

  override func enabledCPUs() -> CPUSet {
    (0..<cpuCount).reduce(into: CPUSet()) { if isEnabled($1) == true { $0.insert($1) } }
  }

  override func disabledCPUs() -> CPUSet {
    (0..<cpuCount).reduce(into: CPUSet()) { if isEnabled($1) == false { $0.insert($1) } }
  }

  override func choiceCount(of cpu: Int) -> Int { next(cpu) == .choose ? 2 : 1 }

  override func isBlocking(_ cpu: Int) -> Bool {
    switch next(cpu) {
    case .lock, .wait: true
    default: false
    }
  }

  override func enablers(of cpu: Int) -> CPUSet {
    guard case .lock(let number) = next(cpu), values[lock(number)] > 0 else {
      return CPUSet.first(cpuCount)
    }
    return CPUSet(values[lock(number)] - 1)
  }

  override func hasFixedFootprint(_ cpu: Int) -> Bool {
    switch next(cpu) {
    case .exchange, .unlock: false
    default: true
    }
  }

  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    switch next(cpu) {
    case .skip(let word, _, _), .load(let word): footprint.read(UInt32(word))
    case .store(let word, _), .copy(let word), .add(let word): footprint.write(UInt32(word))
    case .exchange(let word, let expected, _):
      if values[word] == expected {
        footprint.write(UInt32(word))
      } else {
        footprint.read(UInt32(word))
      }
    case .lock(let number): footprint.write(UInt32(lock(number)), .blocks)
    case .unlock(let number):
      if values[lock(number)] == cpu + 1 { footprint.write(UInt32(lock(number)), .releases) }
    case .wait(let word, _): footprint.read(UInt32(word), .blocks)
    case .choose, nil: break
    }
  }

  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    if case .exchange(let word, _, _) = next(cpu) {
      footprint.write(UInt32(word))
    } else {
      addFootprint(of: cpu, to: footprint)
    }
  }

  override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    guard let instruction = next(cpu) else { return .halted }
    var change = Change(
      cpu: cpu, counter: counters[cpu], kept: kept[cpu], object: 0, old: values[0])
    func set(_ object: Int, _ value: Int) {
      change.object = object
      change.old = values[object]
      values[object] = value
    }
    counters[cpu] += 1
    switch instruction {
    case .skip(let word, let value, let count):
      if values[word] == value { counters[cpu] += count }
    case .load(let word): kept[cpu] = values[word]
    case .store(let word, let value): set(word, value)
    case .copy(let word): set(word, kept[cpu])
    case .add(let word): set(word, (values[word] + 1) % 4)
    case .exchange(let word, let expected, let value):
      kept[cpu] = values[word] == expected ? 1 : 0
      if kept[cpu] == 1 { set(word, value) }
    case .lock(let number): set(lock(number), cpu + 1)
    case .unlock(let number):
      // Code that skips taking a lock may still reach its release.
      if values[lock(number)] == cpu + 1 { set(lock(number), 0) }
    case .wait: break
    case .choose: kept[cpu] = choice
    }
    changes.append(change)
    return .clean
  }

  override func undo() {
    let change = changes.removeLast()
    counters[change.cpu] = change.counter
    kept[change.cpu] = change.kept
    values[change.object] = change.old
  }

  override func judgeEnd() -> StepOutcome { .clean }

  override var stateKey: UInt64 {
    var key: UInt64 = 0
    for cpu in 0..<cpuCount {
      let position = min(counters[cpu], programs[cpu].count)
      key = StableHash.extend(key, with: UInt64(position << 8 | kept[cpu]))
    }
    for value in values { key = StableHash.extend(key, with: UInt64(value)) }
    return key
  }
}
