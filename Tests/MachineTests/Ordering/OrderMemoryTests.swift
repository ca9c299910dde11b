// The memory of an order of stores: rows, copies, and orders as numbers.

import GracewalkMachine
import GracewalkSupport
import Testing

struct OrderMemoryTests {
  // MARK: Rows

  /// A row is compared with an array to which the same is done.
  @Test func rowsAreArrays() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      var row = Row<UInt16>()
      defer { row.deallocate() }
      var array: [UInt16] = []
      for _ in 0..<60 {
        let element = UInt16(random.below(5))
        let index = random.below(array.count + 1)
        switch random.below(8) {
        case 0, 1, 2:
          row.append(element)
          array.append(element)
        case 3:
          row.insert(element, at: index)
          array.insert(element, at: index)
        case 4 where index < array.count:
          row.remove(at: index)
          array.remove(at: index)
        case 5 where index < array.count:
          row[index] += 1
          array[index] += 1
        case 6:
          let count = random.below(array.count - index + 1)
          row.remove(from: index, count: count)
          array.removeSubrange(index..<index + count)
        default:
          row.removeAll { $0 == element }
          array.removeAll { $0 == element }
        }
        #expect(Array(row) == array)
      }
      var copy = row.copy()
      defer { copy.deallocate() }
      copy.append(1)
      #expect(Array(row) == array)
      #expect(Array(copy) == array + [1])
    }
  }

  // MARK: Stores of words

  /// Neighbours that are forgotten are all forgotten, and the stores of others stay theirs.
  @Test func someWordsAreForgotten() {
    var owned = Self.makeOrder()
    for word in 1...6 as ClosedRange<UInt32> {
      let stores = (0...UInt64(word)).map { VisibleStore(value: $0, time: View($0)) }
      owned.order.words.replace(word, with: stores)
    }
    owned.order.words.removeAll { [2, 3, 4, 6].contains($0) }
    #expect(owned.order.words.entries.map(\.word) == [1, 5])
    #expect(owned.order.words[1].map(\.value) == Array(0...1))
    #expect(owned.order.words[3].isEmpty)
    #expect(owned.order.words[5].map(\.value) == Array(0...5))
  }

  // MARK: Orders

  private static func numbers(_ order: StoreOrder) -> [UInt64] {
    var numbers: [UInt64] = []
    order.encode { numbers.append($0) }
    return numbers
  }

  private static func makeOrder() -> OwnedOrder {
    OwnedOrder(StoreOrder(cpus: 2, domains: 3, units: 2))
  }

  /// An order in which everything that may be in one is, sooner or later.
  private static func randomOrder(_ random: inout SplitMix64, steps: Int) -> OwnedOrder {
    var owned = makeOrder()
    change(&owned.order, &random, steps: steps)
    return owned
  }

  private static func change(
    _ order: inout StoreOrder, _ random: inout SplitMix64, steps: Int
  ) {
    for _ in 0..<steps {
      let cpu = random.below(2)
      let word = UInt32(random.below(4) + 1)
      switch random.below(9) {
      case 0, 1: order.cpus[cpu].buffer.append(entry(&random))
      case 2:
        let places = order.flushable(of: cpu)
        if !places.isEmpty { _ = order.flush(places[random.below(places.count)], of: cpu, over: 7) }
      case 3: order.storeAtOnce(random.next(), to: word, over: 7, by: cpu)
      case 4: order.noteLoad(order.now, acquires: random.below(2) == 0, by: cpu)
      case 5:
        order.locks[word] = order.now
        order.callbacks[word].start = order.now
      case 6:
        order.noteEntry(word, by: cpu)
        order.noteRead(word, byUnit: cpu)
        order.walks[cpu].sources[word] = order.now
        order.cpus[cpu].sources[word] = order.now
      case 7:
        order.walks[cpu].issued.append(
          Invalidation(cpu: cpu, word: random.below(2) == 0 ? nil : word, isLocal: true, view: 0))
        if random.below(2) == 0 { order.completeInvalidations(of: cpu) }
      default:
        order.finished[random.below(3)] = order.now
        order.cpus[cpu].gracePeriod = UInt8(random.below(4))
        order.cpus[cpu].graceStart = order.now
        order.cpus[cpu].sectionEnds[random.below(3)] = order.now
        order.cpus[cpu].synchronised = order.now
      }
    }
  }

  private static func entry(_ random: inout SplitMix64) -> PendingEntry {
    let kinds: [PendingEntry.Kind] = [.store, .store, .barrier, .sectionEnd, .effect]
    var entry = PendingEntry(kind: random.pick(kinds), number: UInt32(random.below(3)))
    entry.isRelease = random.below(3) == 0
    entry.isLocking = random.below(5) == 0
    entry.isRecent = random.below(3) == 0
    entry.value = random.next()
    if entry.kind == .effect {
      entry.effect = UInt8(random.below(5))
      (entry.lifetime, entry.operand) = (UInt32(random.below(9)), random.next())
    }
    if entry.kind == .sectionEnd { (entry.waiters, entry.callbacks) = (2, random.next() & 0xFF) }
    return entry
  }

  /// An order that is read again from its numbers has the same numbers, and goes on in the same
  /// way.
  @Test func ordersAreReadFromTheirNumbers() {
    var random = SplitMix64(seed: 2)
    var again = Self.makeOrder()
    for _ in 0..<2_000 {
      var owned = Self.randomOrder(&random, steps: random.below(40))
      _ = owned.order.rankTimes()
      let numbers = Self.numbers(owned.order)
      again.order.decode(numbers)
      #expect(Self.numbers(again.order) == numbers)
      #expect(again.order.now == owned.order.now)
      owned.order.storeAtOnce(1, to: 2, over: 7, by: 0)
      again.order.storeAtOnce(1, to: 2, over: 7, by: 0)
      #expect(Self.numbers(again.order) == Self.numbers(owned.order))
    }
  }

  /// Times must be ranks: else it is not known how many stores became visible.
  @Test func timesThatAreNoRanksAreNotBroughtBack() {
    var (owned, again) = (Self.makeOrder(), Self.makeOrder())
    owned.order.storeAtOnce(1, to: 1, over: 0, by: 0)
    owned.order.words.replace(1, with: [])
    again.order.decode(Self.numbers(owned.order))
    #expect(owned.order.now == 1)
    #expect(again.order.now == 0)
  }

  @Test func aCopyThatIsChangedHasMemoryOfItsOwn() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<100 {
      let first = Self.randomOrder(&random, steps: 30)
      let numbers = Self.numbers(first.order)
      var second = first
      second.order.storeAtOnce(1, to: 2, over: 7, by: 0)
      second.order.cpus[1].buffer.append(PendingEntry(kind: .barrier))
      second.order.walks[1].sources[5] = 1
      #expect(Self.numbers(first.order) == numbers)
      #expect(Self.numbers(second.order) != numbers)
      withExtendedLifetime(first) {}
      withExtendedLifetime(second) {}
    }
  }

  /// Without an owner it has not.
  @Test func plainCopiesShareTheirMemory() {
    var owned = Self.makeOrder()
    var other = owned.order
    other.cpus[0].newReads = 3
    #expect(owned.order.cpus[0].newReads == 3)
    owned.order.cpus[0].newReads = 4
    #expect(other.cpus[0].newReads == 4)
  }
}
