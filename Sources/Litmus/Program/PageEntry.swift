// Entries of the page table in tests: a page of memory, and whether it may be reached.

/// The value of a page's entry: the page that it leads to, and whether it is valid.
package struct PageEntry: Equatable, Sendable {
  /// The number of the word that is the page's contents.
  package var page: Int
  package var isValid = true

  // Far from the numbers that tests count with, and from addresses.
  private static let mark: UInt64 = 0xE << 60
  private static let shift: UInt64 = 12

  package init(page: Int) { self.page = page }

  /// Nil for a value that is no entry.
  package init?(bits: UInt64) {
    guard bits & (0xF << 60) == Self.mark else { return nil }
    page = Int((bits & ~(0xF << 60)) >> Self.shift)
    isValid = bits & 1 == 1
  }

  package var bits: UInt64 { Self.mark | UInt64(page) << Self.shift | (isValid ? 1 : 0) }
}

extension LitmusTest {
  /// True if it is about page tables.
  package var hasEntries: Bool { words.contains { $0.entry != nil } }

  func text(of entry: PageEntry) -> String {
    let name = words.indices.contains(entry.page) ? words[entry.page].name : "\(entry.page)"
    return "(oa:PA(\(name))\(entry.isValid ? "" : ", valid:0"))"
  }
}
