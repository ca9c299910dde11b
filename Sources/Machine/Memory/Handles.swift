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

/// A 64-bit word that several CPUs can reach.
public struct Location: Equatable, Sendable {
  /// 0 for an entry that its page does not have.
  let cell: UInt32
  /// The lifetime word of the page it lies in, or 0 for a named word.
  let lifetime: UInt32
  /// The number of the scenario it belongs to.
  let scenario: UInt32
  /// What was asked for where the page has no such entry.
  let index: Int

  init(cell: UInt32, lifetime: UInt32, scenario: UInt32, index: Int = 0) {
    self.cell = cell
    self.lifetime = lifetime
    self.scenario = scenario
    self.index = index
  }

  public static func == (a: Location, b: Location) -> Bool {
    a.cell == b.cell && a.lifetime == b.lifetime && a.index == b.index
  }
}

/// A page of table entries.
public struct TablePage: Equatable, Hashable, Sendable {
  /// Unique in the machine and the same in every interleaving.
  public let id: Int
  let base: UInt32
  /// The number of the scenario it belongs to.
  let scenario: UInt32
  /// How many entries it has.
  let entries: Int

  public static func == (a: TablePage, b: TablePage) -> Bool { a.id == b.id && a.base == b.base }

  public func hash(into hasher: inout Hasher) { hasher.combine(id) }

  /// The location of an entry; the index must be below the geometry's entries per table.
  ///
  /// An entry that the page does not have is an error where somebody accesses it.
  public subscript(index: Int) -> Location {
    guard index >= 0, index < entries else {
      return Location(cell: 0, lifetime: base, scenario: scenario, index: index)
    }
    return Location(
      cell: base + Layout.pageHeader + UInt32(index), lifetime: base, scenario: scenario)
  }

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
