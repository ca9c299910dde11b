// Hashes that are part of results, so they must be the same in every version and everywhere.

import GracewalkSupport
import Testing

struct StableHashTests {
  @Test(
    "mix(n·γ) is the n-th output of SplitMix64 with seed 0, as published with the algorithm",
    arguments: [
      (0, 0xE220_A839_7B1D_CDAF), (0x9E37_79B9_7F4A_7C15, 0x6E78_9E6A_A1B9_65F4),
      (0x3C6E_F372_FE94_F82A, 0x06C4_5D18_8009_454F),
    ] as [(UInt64, UInt64)])
  func mixIsPinned(value: UInt64, hash: UInt64) {
    #expect(StableHash.mix(value) == hash)
  }

  @Test func extensionIsPinned() {
    #expect(StableHash.extend(0, with: 0) == 0xE220_A839_7B1D_CDAF)
    #expect(StableHash.extend(1, with: 2) == 0xCB76_CBD9_308E_A10F)
    #expect(StableHash.extend(2, with: 1) == 0x5596_6FC1_7E51_34F6)
  }

  @Test func shareIsPinned() {
    #expect(StableHash.share(of: 0, at: 0) == 0xA706_DD2F_4D19_7E6F)
    #expect(StableHash.share(of: 1, at: 2) == 0x49E4_C766_9611_38B6)
    #expect(StableHash.share(of: 2, at: 1) == 0x8E99_9F35_6A0F_AD0D)
  }

  @Test func textIsPinned() {
    #expect(StableHash.of("") == 0x6772_6163_6577_616C)
    #expect(StableHash.of("gracewalk") == 0x3263_58E5_0DCC_DAC4)
    #expect(StableHash.of("walkgrace") == 0x6DA1_E28D_C210_F360)
  }

  @Test func orderMatters() {
    let ab = StableHash.extend(StableHash.extend(7, with: 1), with: 2)
    let ba = StableHash.extend(StableHash.extend(7, with: 2), with: 1)
    #expect(ab != ba)
  }

  @Test func sharesOfSmallNumbersAreDistinct() {
    var shares: Set<UInt64> = []
    for position in 0..<200 as Range<UInt64> {
      for value in 0..<200 as Range<UInt64> {
        shares.insert(StableHash.share(of: value, at: position))
      }
    }
    #expect(shares.count == 40_000)
  }
}
