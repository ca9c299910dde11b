// Names for parts of the machine's memory, cheap to copy and to capture.

import GracewalkSupport

/// Numbers for scenarios, so that nobody takes a word of one for a word of another.
///
/// A number means nothing but that: handles are compared without it, and no state depends on it.
enum ScenarioNumber {
  /// Of what belongs to every scenario, such as the guest as an owner of frames.
  static let any: UInt32 = 0
  private static let last = Locked(any)

  /// One that no other scenario of this process has.
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
  /// The shape of the table that it is a page of.
  let geometry: Geometry

  var entries: Int { geometry.entries }

  public static func == (a: TablePage, b: TablePage) -> Bool { a.id == b.id && a.base == b.base }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }

  /// One of its entries.
  ///
  /// An entry that the page does not have is an error where somebody accesses it.
  public func entry(_ index: Int) -> Entry {
    guard index >= 0, index < entries else {
      return Entry(cell: 0, lifetime: base, scenario: scenario, index: index)
    }
    return Entry(
      cell: base + Layout.pageHeader + UInt32(index), lifetime: base, scenario: scenario)
  }

  /// The entry that an address has in it, if it is a table of the given level.
  public func entry(
    of address: Int, at level: Int, file: String = #fileID, line: Int = #line
  ) -> Entry {
    entry(geometry.index(of: address, at: level, file: file, line: line))
  }

  /// An entry as nothing but its bits.
  public subscript(index: Int) -> Location { Location(entry(index)) }

  /// The page's reference count.
  public var references: Location { header(Layout.referencesOffset) }

  /// A word for its owner's use, like `page_private` in Linux.
  public var privateWord: Location { header(Layout.privateOffset) }

  /// The word that says how long it lives: stands for the page as a whole.
  var lifetime: Location { header(Layout.lifetimeOffset) }

  private func header(_ offset: UInt32) -> Location {
    Location(cell: base + offset, lifetime: base, scenario: scenario)
  }
}

/// A lock that one CPU holds at a time.
public struct SpinLock: Equatable, Sendable {
  let location: Location
}

/// A lock held by one writer or by any number of readers, like KVM's `mmu_lock`.
public struct ReadWriteLock: Equatable, Sendable {
  let location: Location
}

/// A frame of memory that tables map, and what is known of it.
public struct DataFrame: Equatable, Sendable {
  public let number: Int
  /// The id of its owner.
  public let owner: Location
  /// How many writes by guests have reached it: stands for what it holds.
  public let content: Location
  /// What it held when it was copied last, for code that copies to keep up to date.
  public let copied: Location
}
