// Numbers of histories: equal if and only if the histories are.

import GracewalkSupport
import Testing

import GracewalkMachine

@Suite struct IdentityTests {
  @Test func sequencesAreNumberedInOrderOfDiscovery() {
    let identities = Identities()
    let one = identities.number(of: Identities.empty, then: 1)
    let oneTwo = identities.number(of: one, then: 2)
    let two = identities.number(of: Identities.empty, then: 2)
    let twoOne = identities.number(of: two, then: 1)
    #expect([one, oneTwo, two, twoOne] == [1, 2, 3, 4])
    #expect(identities.number(of: one, then: 2) == oneTwo)
    #expect(identities.number(of: two, then: 1) == twoOne)
  }

  /// Equal sequences are equal, with and without identities; hashes do not depend on that.
  @Test func chains() {
    let identities = Identities()
    var first = HashedSequence()
    var second = HashedSequence()
    var bare = HashedSequence()
    for value in [7, 0, 7] as [UInt64] {
      first.extend(with: value, identities)
      second.extend(with: value, identities)
      bare.extend(with: value, nil)
    }
    #expect(first.identity == second.identity && first.hash == second.hash)
    #expect(bare.hash == first.hash && bare.identity == Identities.empty)
    second.extend(with: 0, identities)
    #expect(first.identity != second.identity)
  }

  @Test func aKeyIdentifiesOneHistory() {
    let identities = Identities()
    #expect(identities.isOnly(99, for: 1))
    #expect(identities.isOnly(99, for: 1))
    #expect(identities.isOnly(98, for: 2))
    #expect(!identities.isOnly(99, for: 2))
  }
}
