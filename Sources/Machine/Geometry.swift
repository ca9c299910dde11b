// The shape of a page table.

/// How many levels a table has and how many entries each page of it.
///
/// Level 0 is the root. An address is a page number in the translated space; its digits in base
/// `entries`, most significant first, are the indices at each level.
public struct Geometry: Equatable, Sendable {
  public let levels: Int
  public let entries: Int

  /// - Parameters:
  ///   - levels: at least 1.
  ///   - entries: at least 2.
  public init(levels: Int, entries: Int) {
    precondition(levels >= 1 && entries >= 2)
    self.levels = levels
    self.entries = entries
  }

  public var lastLevel: Int { levels - 1 }

  /// Pages mapped by one entry at a level.
  public func span(ofEntryAt level: Int) -> Int {
    (level..<lastLevel).reduce(1) { span, _ in span * entries }
  }

  /// Number of addresses.
  public var addressCount: Int { span(ofEntryAt: 0) * entries }

  /// The index of an address's entry in the table at a level.
  public func index(of address: Int, at level: Int) -> Int {
    address / span(ofEntryAt: level) % entries
  }
}
