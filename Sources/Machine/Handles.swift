// Names for parts of the machine's memory, cheap to copy and to capture.

/// A 64-bit word that several CPUs can reach.
public struct Location: Equatable, Sendable {
  let cell: UInt32
  /// The lifetime word of the page it lies in, or 0 for a named word.
  let lifetime: UInt32
}

/// A page of table entries.
public struct TablePage: Equatable, Hashable, Sendable {
  /// Unique in the machine and the same in every interleaving.
  public let id: Int
  let base: UInt32

  /// The location of an entry; the index must be below the geometry's entries per table.
  public subscript(index: Int) -> Location {
    Location(cell: base + Layout.pageHeader + UInt32(index), lifetime: base)
  }

  /// The page's reference count.
  public var references: Location {
    Location(cell: base + Layout.referencesOffset, lifetime: base)
  }

  /// A word for its owner's use, like `page_private` in Linux.
  public var privateWord: Location {
    Location(cell: base + Layout.privateOffset, lifetime: base)
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
