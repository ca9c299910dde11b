// The shape of a page table.

/// The number of levels of a table, and of entries per page.
///
/// Level 0 is the root. An address is a page number in the translated space; its digits in base
/// `entries`, most significant first, are the indices at each level.
public struct Geometry: Equatable, Sendable {
  public let levels: Int
  public let entries: Int
  /// The requested shape, if it is impossible.
  private let refused: Refused?

  private struct Refused: Equatable {
    var levels: Int
    var entries: Int
  }

  /// Bounds set by the machine's memory and by 40-bit addresses.
  static let levelsMax = 8
  static let entriesMax = 512
  private static let addressBitsMax = 40

  /// - Parameters:
  ///   - levels: from 1 to 8.
  ///   - entries: from 2 to 512; no more than 2⁴⁰ addresses in all.
  ///
  /// Other numbers are an error of the scenario that is built with them.
  public init(levels: Int, entries: Int) {
    let isPossible =
      (1...Self.levelsMax).contains(levels) && (2...Self.entriesMax).contains(entries)
      && Self.addressCount(levels, entries) != nil
    self.levels = isPossible ? levels : 1
    self.entries = isPossible ? entries : 2
    refused = isPossible ? nil : Refused(levels: levels, entries: entries)
  }

  private static func addressCount(_ levels: Int, _ entries: Int) -> Int? {
    var count = 1
    for _ in 0..<levels {
      count *= entries
      if count > 1 << addressBitsMax { return nil }
    }
    return count
  }

  /// Why the shape is impossible, or nil.
  var problem: String? {
    refused.map {
      "a geometry of \($0.levels) \($0.levels == 1 ? "level" : "levels") and \($0.entries) "
        + "\($0.entries == 1 ? "entry" : "entries") is impossible: a table has 1 to "
        + "\(Self.levelsMax) levels, 2 to \(Self.entriesMax) entries, and at most 2^40 addresses"
    }
  }

  public var lastLevel: Int { levels - 1 }

  /// Pages mapped by one entry at a level.
  public func span(
    ofEntryAt level: Int, file: String = #fileID, line: Int = #line
  ) -> Int {
    guard level >= 0, level < levels else {
      MisuseSink.note(levelText(level), file, line)
      return 1
    }
    return spanOfEntry(at: level)
  }

  /// The same for a valid level.
  @inline(__always)
  func spanOfEntry(at level: Int) -> Int {
    var span = 1
    for _ in level..<lastLevel { span *= entries }
    return span
  }

  /// Number of addresses.
  public var addressCount: Int { spanOfEntry(at: 0) * entries }

  /// The index of an address's entry in the table at a level.
  ///
  /// The address and the level must be in range.
  public func index(
    of address: Int, at level: Int, file: String = #fileID, line: Int = #line
  ) -> Int {
    guard level >= 0, level < levels else {
      MisuseSink.note(levelText(level), file, line)
      return 0
    }
    guard hasAddress(address) else {
      MisuseSink.note(addressText(address), file, line)
      return 0
    }
    return address / spanOfEntry(at: level) % entries
  }

  /// The addresses that the entry for an address at a level covers, among them that address.
  public func addresses(
    sharingEntryWith address: Int, at level: Int, file: String = #fileID, line: Int = #line
  ) -> Range<Int> {
    _ = index(of: address, at: level, file: file, line: line)
    let span = span(ofEntryAt: level, file: file, line: line)
    let first = hasAddress(address) ? address / span * span : 0
    return first..<(first + span)
  }

  func hasAddress(_ address: Int) -> Bool { address >= 0 && address < addressCount }

  func levelText(_ level: Int) -> String {
    "there is no level \(level): levels go from 0, the root's, to \(lastLevel)"
  }

  func addressText(_ address: Int) -> String {
    "there is no address \(hexadecimal(address)): addresses go from 0x0 to "
      + hexadecimal(addressCount - 1)
  }
}
