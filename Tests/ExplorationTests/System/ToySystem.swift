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
  /// Waits until each of several words has a value; looks at one only once those before are right.
  case waitForAll([ToyCondition])
  /// Keeps 0 or 1.
  case choose
  /// Keeps what the CPU's own word has; which one that is, the system says.
  case look
  /// Writes the CPU's own word.
  case mark(value: Int)
}

struct ToyCondition: Equatable {
  var word: Int
  var value: Int
}

/// CPUs with programs over words that have few values.
///
/// States repeat far more often than on the machine, since a state is the present values, not the
/// CPUs' histories.
class ToySystem: TransitionSystem {
  private struct Change {
    var cpu: Int
    var counter: Int
    var kept: Int
    var object: Int
    var old: Int
    var writes = false
  }

  let programs: [[ToyInstruction]]
  let wordCount: Int
  let lockCount: Int
  private(set) var counters: [Int]
  private(set) var kept: [Int]
  /// Words, then locks (0 if free, else the holder and 1), then words of CPUs' own.
  private(set) var values: [Int]
  private var changes: [Change] = []
  private var recordsReads = false
  /// The words that were read since somebody asked.
  private var reads: [Int] = []

  init(_ programs: [[ToyInstruction]], wordCount: Int = 3, lockCount: Int = 2) {
    self.programs = programs
    self.wordCount = wordCount
    self.lockCount = lockCount
    counters = Array(repeating: 0, count: programs.count)
    kept = counters
    values = Array(repeating: 0, count: wordCount + lockCount + programs.count)
    super.init()
  }

  private func next(_ cpu: Int) -> ToyInstruction? {
    counters[cpu] < programs[cpu].count ? programs[cpu][counters[cpu]] : nil
  }

  private func lock(_ number: Int) -> Int { wordCount + number }

  /// The own word of a CPU; several may share one.
  func ownWord(_ cpu: Int) -> Int { wordCount + lockCount + cpu }

  private func isMet(_ condition: ToyCondition) -> Bool {
    read(condition.word) == condition.value
  }

  func read(_ object: Int) -> Int {
    if recordsReads { reads.append(object) }
    return values[object]
  }

  override var cpuCount: Int { programs.count }
  override var objectCount: Int { values.count }

  private func isEnabled(_ cpu: Int) -> Bool? {
    switch next(cpu) {
    case nil: nil
    case .lock(let number): read(lock(number)) == 0
    case .wait(let word, let value): read(word) == value
    case .waitForAll(let conditions): conditions.allSatisfy { isMet($0) }
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
    case .lock, .wait, .waitForAll: true
    default: false
    }
  }

  /// Of what is waited for together, the last that is not there: any of them is a reason.
  override func enablers(of cpu: Int) -> CPUSet {
    switch next(cpu) {
    case .lock(let number) where read(lock(number)) > 0:
      return CPUSet(read(lock(number)) - 1)
    case .waitForAll(let conditions):
      guard let missing = conditions.last(where: { !isMet($0) }) else { break }
      return (0..<cpuCount).reduce(into: CPUSet()) { writers, other in
        let left = programs[other].dropFirst(counters[other])
        if other != cpu, left.contains(where: { $0.mayWrite(missing.word) }) {
          writers.insert(other)
        }
      }
    default: break
    }
    return CPUSet.first(cpuCount)
  }

  override func hasFixedFootprint(_ cpu: Int) -> Bool {
    switch next(cpu) {
    case .exchange, .unlock, .waitForAll: false
    default: true
    }
  }

  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    switch next(cpu) {
    case .skip(let word, _, _), .load(let word): footprint.read(UInt32(word))
    case .store(let word, _), .copy(let word), .add(let word): footprint.write(UInt32(word))
    case .exchange(let word, let expected, _):
      if read(word) == expected {
        footprint.write(UInt32(word))
      } else {
        footprint.read(UInt32(word))
      }
    case .lock(let number): footprint.write(UInt32(lock(number)), .blocks)
    case .unlock(let number):
      if read(lock(number)) == cpu + 1 { footprint.write(UInt32(lock(number)), .releases) }
    case .wait(let word, _): footprint.read(UInt32(word), .blocks)
    case .waitForAll(let conditions):
      let seen = (conditions.firstIndex { !isMet($0) } ?? conditions.count - 1) + 1
      for condition in conditions.prefix(seen) { footprint.read(UInt32(condition.word), .blocks) }
    case .look: footprint.read(UInt32(ownWord(cpu)))
    case .mark: footprint.write(UInt32(ownWord(cpu)))
    case .choose, nil: break
    }
  }

  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    switch next(cpu) {
    case .exchange(let word, _, _): footprint.write(UInt32(word))
    case .waitForAll(let conditions):
      for condition in conditions { footprint.read(UInt32(condition.word), .blocks) }
    default: addFootprint(of: cpu, to: footprint)
    }
  }

  override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    guard let instruction = next(cpu) else { return .halted }
    var change = Change(
      cpu: cpu, counter: counters[cpu], kept: kept[cpu], object: 0, old: values[0])
    func set(_ object: Int, _ value: Int) {
      change.object = object
      change.old = values[object]
      change.writes = true
      values[object] = value
    }
    counters[cpu] += 1
    switch instruction {
    case .skip(let word, let value, let count):
      if read(word) == value { counters[cpu] += count }
    case .load(let word): kept[cpu] = read(word)
    case .store(let word, let value): set(word, value)
    case .copy(let word): set(word, kept[cpu])
    case .add(let word): set(word, (read(word) + 1) % 4)
    case .exchange(let word, let expected, let value):
      kept[cpu] = read(word) == expected ? 1 : 0
      if kept[cpu] == 1 { set(word, value) }
    case .lock(let number): set(lock(number), cpu + 1)
    case .unlock(let number):
      // Code that skips taking a lock may still reach its release.
      if read(lock(number)) == cpu + 1 { set(lock(number), 0) }
    case .wait, .waitForAll: break
    case .choose: kept[cpu] = choice
    case .look: kept[cpu] = read(ownWord(cpu))
    case .mark(let value): set(ownWord(cpu), value)
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

  // MARK: What is read

  override func startRecordingReads() -> Bool {
    recordsReads = true
    return true
  }

  override func stopRecordingReads() { recordsReads = false }

  override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    for word in reads { words.append(UInt32(word)) }
    reads = []
    return true
  }

  override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    if let change = changes.last, change.writes { words.append(UInt32(change.object)) }
  }

  override var positionsKey: UInt64? {
    let unfinished = (0..<cpuCount).filter { next($0) != nil }
    if unfinished.isEmpty { return nil }
    return unfinished.reduce(0) { key, cpu in
      StableHash.extend(key, with: UInt64(cpu << 16 | counters[cpu] << 8 | kept[cpu]))
    }
  }

  override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    words.reduce(0) { $0 &+ StableHash.share(of: UInt64(values[Int($1)]), at: UInt64($1)) }
  }

  override var stateKey: UInt64 {
    key(of: Array(0..<cpuCount)) { $0 }
  }

  /// The key of the state that has the CPUs in another order.
  ///
  /// - Parameters:
  ///   - order: which CPU is in each place.
  ///   - image: the place of a CPU.
  func key(of order: [Int], image: (Int) -> Int) -> UInt64 {
    var key: UInt64 = 0
    for cpu in order {
      let position = min(counters[cpu], programs[cpu].count)
      key = StableHash.extend(key, with: UInt64(position << 8 | kept[cpu]))
    }
    for word in 0..<wordCount { key = StableHash.extend(key, with: UInt64(values[word])) }
    for lock in wordCount..<wordCount + lockCount {
      let holder = values[lock]
      key = StableHash.extend(key, with: holder == 0 ? 0 : UInt64(image(holder - 1) + 1))
    }
    for cpu in order { key = StableHash.extend(key, with: UInt64(values[ownWord(cpu)])) }
    return key
  }
}

extension ToyInstruction {
  /// True if it may write a word that is no lock, nobody's own, and not for names.
  func mayWrite(_ target: Int) -> Bool {
    switch self {
    case .store(let word, _), .copy(let word), .add(let word), .exchange(let word, _, _):
      word == target
    case .skip, .load, .lock, .unlock, .wait, .waitForAll, .choose, .look, .mark: false
    }
  }
}
