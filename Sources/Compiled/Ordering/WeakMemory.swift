// Weaker memory for programs: which stores are visible, what threads know of them, and what is
// pending.

import GracewalkMachine
import GracewalkSupport

/// What a memory model adds to the state of a program.
///
/// The memory of the machine has the newest visible value of every byte. The order of stores has
/// what is older and may still be read, what each thread knows, and what it has pending. Its words
/// are cells. `Docs/MemoryModels.md` says what requests do to it.
final class WeakMemory {
  let model: MemoryModel
  /// The present order of stores; under x86-TSO only its buffers are used.
  var order: StoreOrder {
    get { owned.order }
    _modify {
      hashNow = nil
      yield &owned.order
    }
  }
  private var owned: OwnedOrder
  /// Those of the states on the way to the present one.
  private var earlier: [OwnedOrder] = []
  /// What stores release, by the numbers that they have.
  private(set) var messages = MessageTable()
  /// For each thread, what its next access may do, if that has been asked for.
  var readings: [[WeakReading]?]
  private var hashNow: UInt64?
  /// What the latest step had to do with a store that others see later or have replaced.
  var note: StoreNote?
  /// Stores of each thread so far, in recordings.
  var storeCounts: [Int]

  /// The CPU whose steps make the stores of the first thread visible.
  static let firstDrainer = 32

  init(_ model: MemoryModel, threads: Int, hasGracePeriods: Bool) {
    self.model = model
    owned = OwnedOrder(StoreOrder(cpus: threads, domains: hasGracePeriods ? 1 : 0))
    readings = Array(repeating: nil, count: threads)
    storeCounts = Array(repeating: 0, count: threads)
  }

  var isArm: Bool { model == .armv8 }

  /// Called before each step.
  func begin() {
    earlier.append(owned)
    forgetReadings()
    note = nil
  }

  func undo() {
    owned = earlier.removeLast()
    hashNow = nil
    forgetReadings()
  }

  /// Called when anything has changed.
  func forgetReadings() {
    for thread in readings.indices { readings[thread] = nil }
  }

  /// The number of what a store releases.
  func message(_ clock: [UInt64]) -> UInt32 { messages.number(of: clock) }

  /// What tells apart states that differ in nothing else.
  var hash: UInt64 {
    if let hashNow { return hashNow }
    var hash: UInt64 = 0x6F72_6465_72
    order.encode { hash = StableHash.extend(hash, with: $0) }
    for entry in order.words.entries
    where order.words[entry.word].first?.message == MessageTable.uninitialised {
      hash = StableHash.extend(hash, with: UInt64(entry.word))
    }
    hashNow = hash
    return hash
  }
}

/// What an access may do.
enum WeakReading: Equatable {
  /// It is not ordered by the memory model: the memory is the thread's own, or nothing can race.
  case direct
  /// It puts a store in the buffer.
  case store
  /// It reads the newest pending store of its own thread.
  case own
  /// It reads the visible store at a place of the cell's list.
  case visible(Int)
  /// A read-modify-write reads the newest store, and changes the cell.
  case update
}

/// Vectors of clocks that stores release, by number; 0 is that of what was there at the start.
struct MessageTable {
  /// The message of memory that nobody has written yet.
  static let uninitialised = UInt32.max

  private var vectors: [[UInt64]] = [[]]
  private var numbers: [[UInt64]: UInt32] = [[]: 0]

  mutating func number(of clock: [UInt64]) -> UInt32 {
    if clock.allSatisfy({ $0 == 0 }) { return 0 }
    if let known = numbers[clock] { return known }
    vectors.append(clock)
    numbers[clock] = UInt32(vectors.count - 1)
    return UInt32(vectors.count - 1)
  }

  /// How much of a thread's past a message has.
  func epoch(_ number: UInt32, of thread: Int) -> UInt64 {
    guard number != Self.uninitialised, number > 0 else { return 0 }
    return vectors[Int(number)][thread]
  }
}
