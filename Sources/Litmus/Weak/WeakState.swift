// The state of a weak memory machine: visible stores, and what each process knows and has pending.

/// A place in the order in which stores became visible.
///
/// What is at or before it must not be missed: a load may not read a store that is older than one
/// to the same word within its view. Views are joined by taking the later one. The initial values
/// are at 0.
typealias View = UInt16

/// A store that became visible, at a time of its own.
struct VisibleStore: Equatable {
  var value: UInt64
  var time: View
}

/// An entry of a process's buffer, which is in program order.
struct PendingEntry: Equatable {
  enum Kind: UInt8 {
    case store
    /// Stores before it become visible before those behind it (`DMB ST`).
    case barrier
    /// The end of a read-side section, which counts when the stores before it are visible.
    case sectionEnd
  }

  var kind: Kind
  /// The word of a store; the domain of a section's end.
  var number: UInt8 = 0
  var isRelease = false
  /// The store of a read-modify-write: until it is visible, nobody else stores to its word.
  var isLocking = false
  var value: UInt64 = 0
  /// What address and value depend on.
  var view: View = 0
  /// For the store of a read-modify-write, the view of its load.
  var readView: View = 0
  /// What a branch on the value, once forwarded, depends on.
  var pick: View = 0
  /// Grace periods that wait for the end of the section, as a set of processes.
  var waiters: UInt16 = 0

  /// What an entry of no consequence looks like.
  static let none = PendingEntry(kind: .barrier)
}

/// A process's latest visible store to a word: to read it is to be forwarded the store's value.
struct OwnStore: Equatable {
  /// 0 if there is none to remember.
  var time: View = 0
  var view: View = 0
  var readView: View = 0
  var pick: View = 0
}

struct RegisterState: Equatable {
  var value: UInt64 = 0
  /// What the value depends on.
  var view: View = 0
  /// What the choice of the value depends on, which only a branch and an `ISB` behind it order.
  var pick: View = 0
}

/// What the last exclusive load has found.
struct ExclusiveMonitor: Equatable {
  var word: UInt8
  /// The process's pending stores to the word, up to the one that was read; 0 if that was visible.
  var pending: UInt8
  /// The view of the load.
  var view: View
}

/// A process.
struct WeakProcess {
  var counter = 0
  /// It will never do anything again.
  var isStuck = false
  /// How deep its sections of read-copy-update nest.
  var depth: UInt8 = 0
  var registers: [RegisterState]
  /// Per word, the newest store that it has read or written.
  var coherence: [View]
  var own: [OwnStore]
  /// What its loads so far have read.
  var oldReads: View = 0
  /// What its loads from now on must not miss.
  var newReads: View = 0
  /// Its visible stores, and loads whose result is of no use.
  var oldWrites: View = 0
  /// Its visible releases.
  var releases: View = 0
  /// What branches and addresses so far depend on.
  var control: View = 0
  /// Per domain, the view at the last end of a section.
  var sectionEnds: [View]
  var buffer: [PendingEntry] = []
  var monitor: ExclusiveMonitor?
  /// One more than the domain whose grace period it waits for; 0 if for none.
  var gracePeriod: UInt8 = 0
  var graceStart: View = 0
  var graceView: View = 0

  // MARK: Buffer

  var hasPendingStore: Bool { buffer.contains { $0.kind == .store } }
  var hasPendingRelease: Bool { buffer.contains { $0.kind == .store && $0.isRelease } }

  /// The place of the newest pending store to a word.
  func newestPending(_ word: Int) -> Int? {
    buffer.lastIndex { $0.kind == .store && Int($0.number) == word }
  }

  /// True if the first pending store to a word locks it.
  func locks(_ word: Int) -> Bool {
    buffer.first { $0.kind == .store && Int($0.number) == word }?.isLocking ?? false
  }

  func pendingCount(_ word: Int) -> Int {
    buffer.count { $0.kind == .store && Int($0.number) == word }
  }

  /// The join of all that it has read, must not miss, and has written.
  var everything: View { max(oldReads, newReads, oldWrites) }
}

/// A read-side section: of read-copy-update, one per process; of the sleepable kind, one per place.
struct SectionState: Equatable {
  var isOpen = false
  /// Grace periods that wait for its end, as a set of processes.
  var waiters: UInt16 = 0
}

/// All state that steps change.
struct WeakState {
  /// Per word, the visible stores that may still be read, oldest first.
  var words: [[VisibleStore]]
  var processes: [WeakProcess]
  var sections: [SectionState]
  /// Per domain, the join of the starts of all grace periods that have ended.
  var finished: [View]
  /// The time of the store that became visible last.
  var now: View = 0
}
