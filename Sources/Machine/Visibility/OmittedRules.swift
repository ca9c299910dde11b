// Rules of weaker memory that tests leave out, to show that each is needed.

/// Parts of the machine for weaker memory that can be left out.
package struct OmittedRules: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  // Footprints under Armv8.

  /// A store that becomes visible changes the order of stores.
  package static let visibility = OmittedRules(rawValue: 1)
  /// A read-modify-write with both orders notes how many stores are visible.
  package static let fullUpdates = OmittedRules(rawValue: 2)
  /// So does the end of a lock, a page or a frame that no pending store delays.
  package static let promptReleases = OmittedRules(rawValue: 4)
  /// Whoever takes a lock for reading leaves what it has seen to the next reader.
  package static let readers = OmittedRules(rawValue: 8)
  /// A read-modify-write with release depends on what all CPUs have pending.
  package static let circles = OmittedRules(rawValue: 16)

  // What steps do.

  /// A CPU that may repeat waits when its buffer is nearly full.
  package static let fullBuffers = OmittedRules(rawValue: 32)
  /// A `DSB` makes sure of the entries that its CPU has stored to, for all walks.
  package static let storedEntries = OmittedRules(rawValue: 64)
  /// An update of an entry by hardware that fails has read the newest entry.
  package static let failedUpdates = OmittedRules(rawValue: 128)
  /// What is pending for a private page is part of what decides which actions are local.
  package static let hiddenLinks = OmittedRules(rawValue: 1024)
  /// Whoever sends an interrupt sees what CPUs have done that have ended.
  package static let endedCPUs = OmittedRules(rawValue: 1 << 23)
  /// An interrupt does not come before stores of its receiver that are before one that is visible.
  package static let earlierStores = OmittedRules(rawValue: 1 << 24)

  // Which stores are independent under Armv8.

  /// What was visible when the first value of a word was stored.
  package static let firstValues = OmittedRules(rawValue: 1 << 20)
  /// What the next holder of a lock, or whoever waits for a grace period, comes to know.
  package static let sharedViews = OmittedRules(rawValue: 1 << 21)
  /// Some CPU can tell which of two stores came first.
  package static let orderedStores = OmittedRules(rawValue: 1 << 25)
  /// Sorting independent stores.
  package static let independence = OmittedRules(rawValue: 1 << 22)

  // Steps that are taken alone in litmus tests.

  /// Others have stores to the word pending, or will store to it.
  package static let storesOfOthers = OmittedRules(rawValue: 1 << 26)
  /// Others will read the word.
  package static let loadsOfOthers = OmittedRules(rawValue: 1 << 27)

  // What an exchange of identical CPUs does under weaker memory.

  /// Each takes the other's buffer, and under Armv8 what the other knows.
  package static let exchangedBuffers = OmittedRules(rawValue: 256)
  /// What is in a buffer names the other CPU, its words, its pages and its callbacks.
  package static let exchangedEntries = OmittedRules(rawValue: 512)
  /// Visible stores that may still be read are to the other's words, and name its pages.
  package static let exchangedStores = OmittedRules(rawValue: 2048)
  /// What a CPU knows is about the other's words and pages.
  package static let exchangedViews = OmittedRules(rawValue: 4096)
  /// What the holders of locks and callbacks have seen is that of the other's.
  package static let exchangedKeys = OmittedRules(rawValue: 8192)
  /// What the code of a CPU may still do, that of an identical one may do; without it, searches
  /// begin again more often.
  package static let exchangedPlaces = OmittedRules(rawValue: 16384)
}
