// The random generator: a seed names the same random program in every version.

import GracewalkSupport
import Testing

struct SplitMix64Tests {
  @Test func firstValuesArePinned() {
    var random = SplitMix64(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    #expect(random.next() == 0x06C4_5D18_8009_454F)
    #expect(random.next() == 0xF88B_B8A8_724C_81EC)
  }

  @Test func seedsThatWrapAreFine() {
    var random = SplitMix64(seed: .max)
    #expect(random.next() == 0xE4D9_7177_1B65_2C20)
    #expect(random.next() == 0xE99F_F867_DBF6_82C9)
  }

  @Test(arguments: [1, 2, 3, 7, 100])
  func numbersStayBelowTheBoundAndReachAll(bound: Int) {
    var random = SplitMix64(seed: 42)
    var seen: Set<Int> = []
    for _ in 0..<2_000 { seen.insert(random.below(bound)) }
    #expect(seen == Set(0..<bound))
  }

  @Test func picksFromCollectionsWhoseIndicesDoNotStartAtZero() {
    var random = SplitMix64(seed: 1)
    let slice = [10, 20, 30, 40][2...]
    let picked = Set((0..<100).map { _ in random.pick(slice) })
    #expect(picked == [30, 40])
  }
}
