// Sets of CPUs.

import GracewalkSupport
import Testing

struct CPUSetTests {
  @Test func containsWhatWasInsertedAndNotRemoved() {
    var set = CPUSet()
    set.insert(0)
    set.insert(63)
    set.insert(5)
    set.insert(5)
    #expect(set.count == 3)
    #expect(set.contains(0) && set.contains(5) && set.contains(63))
    #expect(!set.contains(1) && !set.contains(62))
    set.remove(5)
    set.remove(6)
    #expect(set == CPUSet(bits: 1 | 1 << 63))
  }

  @Test func popsInAscendingOrder() {
    var set = CPUSet(bits: 0b1010_0001)
    #expect(set.lowest == 0)
    var order: [Int] = []
    while let cpu = set.popLowest() { order.append(cpu) }
    #expect(order == [0, 5, 7])
    #expect(set.isEmpty)
    #expect(set.popLowest() == nil)
  }

  @Test(arguments: [(0, 0), (1, 1), (3, 0b111), (63, UInt64.max >> 1), (64, UInt64.max)])
  func firstHoldsAllBelowACount(count: Int, bits: UInt64) {
    #expect(CPUSet.first(count).bits == bits)
    #expect(CPUSet.first(count).count == count)
  }

  @Test func combines() {
    let low = CPUSet(bits: 0b0111)
    let high = CPUSet(bits: 0b1100)
    #expect(low.union(high).bits == 0b1111)
    #expect(low.intersection(high).bits == 0b0100)
    #expect(low.subtracting(high).bits == 0b0011)
    #expect(!low.isDisjoint(with: high))
    #expect(CPUSet(1).isDisjoint(with: CPUSet(2)))
  }

  @Test func fitsInAWord() {
    #expect(MemoryLayout<CPUSet>.size == 8)
    #expect(CPUSet.capacity == 64)
  }
}
