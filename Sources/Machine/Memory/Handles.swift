// Names for parts of the machine's memory, cheap to copy and to capture.

import GracewalkSupport

/// Numbers of scenarios, so that a word of one is not used in another.
///
/// They have no other meaning: comparisons of handles ignore them, and no state depends on them.
enum ScenarioNumber {
  /// The number of objects that belong to every scenario, such as the guest as an owner of frames.
  static let any: UInt32 = 0
  private static let last = Locked(any)

  /// A number that is unique in this process.
  static func next() -> UInt32 {
    last.withLock { number in
      number &+= 1
      if number == any { number = 1 }
      return number
    }
  }
}

/// A page of table entries.
public struct TablePage: Equatable, Hashable, Sendable {
  /// Unique in the machine and the same in every interleaving.
  public let id: Int
  let base: UInt32
  /// The number of the scenario it belongs to.
  let scenario: UInt32
  /// The shape of its table.
  let geometry: Geometry

  var entries: Int { geometry.entries }

  public static func == (a: TablePage, b: TablePage) -> Bool { a.id == b.id && a.base == b.base }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }

  /// One of its entries.
  ///
  /// An index out of range is an error when the entry is accessed.
  public func entry(_ index: Int) -> Entry {
    guard index >= 0, index < entries else {
      return Entry(cell: 0, lifetime: base, scenario: scenario, index: index)
    }
    return Entry(
      cell: base + Layout.pageHeader + UInt32(index), lifetime: base, scenario: scenario)
  }

  /// The entry for an address, in a table of the given level.
  public func entry(
    of address: Int, at level: Int, file: String = #fileID, line: Int = #line
  ) -> Entry {
    entry(geometry.index(of: address, at: level, file: file, line: line))
  }

  /// An entry as an untyped word.
  public subscript(index: Int) -> Location { Location(entry(index)) }

  /// The page's reference count.
  public var references: Location { header(Layout.referencesOffset) }

  /// A word for its owner's use, like `page_private` in Linux.
  public var privateWord: Location { header(Layout.privateOffset) }

  /// A lock of its own, like the page-table lock of Linux (`split_ptlock`): gone with the page.
  public var lock: SpinLock { SpinLock(location: header(Layout.lockOffset)) }

  /// The lifetime word, which also stands for the page as a whole in footprints.
  var lifetime: Location { header(Layout.lifetimeOffset) }

  private func header(_ offset: UInt32) -> Location {
    Location(cell: base + offset, lifetime: base, scenario: scenario)
  }
}

/// A lock that one CPU holds at a time.
public struct SpinLock: Equatable, Sendable {
  package let location: Location
}

/// A lock held by one writer or by any number of readers, like KVM's `mmu_lock`.
public struct ReadWriteLock: Equatable, Sendable {
  let location: Location
}

/// A frame of memory that tables map, with the words that describe it.
public struct DataFrame: Equatable, Sendable {
  public let number: Int
  /// The id of its owner.
  public let owner: Location
  /// The number of guest writes that reached it, which represents its contents.
  public let content: Location
  /// The contents when it was last copied; maintained by code that copies.
  public let copied: Location
}
