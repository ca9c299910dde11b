// The order in which stores become visible, and what each CPU knows of it and has pending.

/// A place in the order in which stores became visible.
///
/// What is at or before it must not be missed: a load may not read a store that is older than one
/// to the same word within its view. Views are joined by taking the later one. What was there at
/// the start is at 0.
package typealias View = UInt16

/// A store that became visible, at a time of its own.
package struct VisibleStore: BitwiseCopyable, Equatable, Sendable {
  package var value: UInt64
  package var time: View
  /// What a host says of the store, which is no part of the order.
  package var message: UInt32 = 0

  package init(value: UInt64, time: View, message: UInt32 = 0) {
    self.value = value
    self.time = time
    self.message = message
  }
}

/// An entry of a CPU's buffer, which is in program order.
package struct PendingEntry: BitwiseCopyable, Equatable, Sendable {
  package enum Kind: UInt8, BitwiseCopyable, Sendable {
    case store
    /// Stores before it become visible before those behind it (`DMB ST`).
    case barrier
    /// The end of a read-side section, which counts when the stores before it are visible.
    case sectionEnd
    /// Something else that others notice when all stores before it are visible.
    case effect
  }

  package var kind: Kind
  /// The word of a store; the domain of a section's end.
  package var number: UInt32 = 0
  package var isRelease = false
  /// The store of a read-modify-write: until it is visible, nobody else stores to its word.
  package var isLocking = false
  /// It is to memory that nobody else can reach yet.
  package var isHidden = false
  /// Its CPU has taken no step since: what reaches it from outside may come before.
  package var isRecent = false
  package var value: UInt64 = 0
  /// What a host says of the store, which is no part of the order.
  package var message: UInt32 = 0
  /// What address and value depend on.
  package var view: View = 0
  /// For the store of a read-modify-write, the view of its load.
  package var readView: View = 0
  /// What a branch on the value, once forwarded, depends on.
  package var pick: View = 0
  /// Grace periods that wait for the end of the section, as a set of CPUs, and of callbacks.
  package var waiters: UInt64 = 0
  package var callbacks: UInt64 = 0
  /// What an effect is, and its operands.
  package var effect: UInt8 = 0
  package var lifetime: UInt32 = 0
  package var operand: UInt64 = 0
  /// By what its address was translated.
  package var translation: Translation?

  package init(kind: Kind, number: UInt32 = 0) {
    self.kind = kind
    self.number = number
  }

  /// True if what comes behind may have to wait for it.
  package var isAwaited: Bool { (kind == .store || kind == .effect) && !isHidden }
}

/// A CPU's latest visible store to a word: to read it is to be forwarded the store's value.
package struct OwnStore: BitwiseCopyable, Equatable, Sendable {
  /// 0 if there is none to remember.
  package var time: View = 0
  package var view: View = 0
  package var readView: View = 0
  package var pick: View = 0

  package init(time: View = 0, view: View = 0, readView: View = 0, pick: View = 0) {
    self.time = time
    self.view = view
    self.readView = readView
    self.pick = pick
  }
}

/// What a CPU knows of the order of stores, and its own that are pending.
package struct CPUViews: BitwiseCopyable, Sendable {
  /// Per word, the newest store that it has read or written.
  package var coherence = WordMap<View>(otherwise: 0)
  package var own = WordMap<OwnStore>(otherwise: OwnStore())
  /// What its loads so far have read.
  package var oldReads: View = 0
  /// What its loads from now on must not miss.
  package var newReads: View = 0
  /// Its visible stores, and loads whose result is of no use.
  package var oldWrites: View = 0
  /// Its visible releases.
  package var releases: View = 0
  /// What branches and addresses so far depend on.
  package var control: View = 0
  /// Per object, the view of the load that gave its address.
  package var sources = WordMap<View>(otherwise: 0)
  /// Per table entry, its latest visible store that walks may still miss; with hardware walks.
  package var entries = WordMap<View>(otherwise: 0)
  /// Per domain, the view at the last end of a section.
  package var sectionEnds: Row<View>
  package var buffer = Row<PendingEntry>()
  /// One more than the domain whose grace period it waits for; 0 if for none.
  package var gracePeriod: UInt8 = 0
  package var graceStart: View = 0
  package var graceView: View = 0
  /// What was known when its last callback ended.
  package var callbackEnd: View = 0
  /// What came before its last `DSB`, where that makes a difference: with hardware walks.
  package var synchronised: View = 0

  package init(domains: Int) { sectionEnds = Row(repeating: 0, count: domains) }

  func copy() -> CPUViews {
    var views = self
    views.coherence = coherence.copy()
    views.own = own.copy()
    views.sources = sources.copy()
    views.entries = entries.copy()
    views.sectionEnds = sectionEnds.copy()
    views.buffer = buffer.copy()
    return views
  }

  mutating func deallocate() {
    coherence.deallocate()
    own.deallocate()
    sources.deallocate()
    entries.deallocate()
    sectionEnds.deallocate()
    buffer.deallocate()
  }

  /// Forgets all but what was known at the ends of sections.
  package mutating func forgetAllButSections() {
    buffer.removeAll()
    forgetViews()
    entries.removeAll()
    (gracePeriod, callbackEnd) = (0, 0)
  }

  package var hasPendingStore: Bool { buffer.contains { $0.isAwaited } }

  package var hasPendingRelease: Bool { buffer.contains { $0.isRelease && $0.isAwaited } }

  /// True if a store is pending that others may come to see.
  package var hasVisiblePending: Bool { buffer.contains { $0.kind == .store && !$0.isHidden } }

  package var hasHidden: Bool { buffer.contains { $0.isHidden } }

  package var hasRecent: Bool { buffer.contains { $0.isRecent } }

  /// The number of pending entries, without those that nobody else could tell of.
  package var pendingCount: Int { buffer.count { !$0.isHidden } }

  /// The place of the first of these.
  package var firstPending: Int? { buffer.firstIndex { !$0.isHidden } }

  /// The place of the newest pending store to a word.
  package func newestPending(_ word: UInt32) -> Int? {
    buffer.lastIndex { $0.number == word && $0.kind == .store }
  }

  /// True if the first pending store to a word locks it.
  package func locks(_ word: UInt32) -> Bool {
    buffer.first { $0.number == word && $0.kind == .store }?.isLocking ?? false
  }

  /// Lets loads from now on not miss what is within a view.
  package mutating func see(_ view: View) { if view > newReads { newReads = view } }

  package func pendingCount(_ word: UInt32) -> Int {
    buffer.count { $0.kind == .store && $0.number == word }
  }

  /// The join of all that it has read, must not miss, and has written.
  package var everything: View { max(oldReads, newReads, oldWrites) }
}

/// A grace period that a callback waits for.
package struct CallbackViews: BitwiseCopyable, Equatable, Sendable {
  package var start: View = 0
  package var view: View = 0
}

/// The order in which stores become visible, with all that CPUs know of it.
///
/// It follows Armv8, which is other-multi-copy atomic: a store becomes visible to all other CPUs at
/// once, so all visible stores have one order. A load may read an older store than the newest one,
/// as long as nothing that it must not miss comes in between. `Docs/MemoryModels.md` defines it.
///
/// A copy refers to the same memory, as those of `Row` do: `OwnedOrder` is one that is a value.
package struct StoreOrder: BitwiseCopyable, Sendable {
  /// Per word, the visible stores that may still be read, oldest first; none for a word whose one
  /// value nobody may miss.
  package var words = StoreLists()
  package var cpus: Row<CPUViews>
  /// Per domain, the join of the starts of all grace periods that have ended.
  package var finished: Row<View>
  /// Per lock, the view of its last release.
  package var locks = WordMap<View>(otherwise: 0)
  package var callbacks = WordMap<CallbackViews>(otherwise: CallbackViews())
  /// What the walks of each memory management unit know.
  package var walks: Row<WalkViews>
  /// Invalidations that are complete.
  package var invalidations = Row<Invalidation>()
  /// The time of the store that became visible last.
  package var now: View = 0
  /// Set if a CPU had more pending stores, or a word more visible ones, than there is room for.
  package var hasMetCap = false

  /// The maximum number of pending entries of a CPU, and of readable stores to a word.
  package static let entriesMax = 24

  /// The same where CPUs may repeat, and so have any number of them: then they have to wait.
  package static let repeatedEntriesMax = 10
  /// The values of a word that may still be read there.
  package static let repeatedValuesMax = 6

  package init(cpus: Int, domains: Int, units: Int = 0) {
    walks = Row(repeating: WalkViews(), count: units)
    self.cpus = Row()
    for _ in 0..<cpus { self.cpus.append(CPUViews(domains: domains)) }
    finished = Row(repeating: 0, count: domains)
  }

  func copy() -> StoreOrder {
    var order = self
    order.words = words.copy()
    order.cpus = cpus.copy()
    for cpu in cpus.indices { order.cpus[cpu] = cpus[cpu].copy() }
    order.finished = finished.copy()
    order.locks = locks.copy()
    order.callbacks = callbacks.copy()
    order.walks = walks.copy()
    for unit in walks.indices { order.walks[unit] = walks[unit].copy() }
    order.invalidations = invalidations.copy()
    return order
  }

  mutating func deallocate() {
    words.deallocate()
    for cpu in cpus.indices { cpus[cpu].deallocate() }
    cpus.deallocate()
    finished.deallocate()
    locks.deallocate()
    callbacks.deallocate()
    for unit in walks.indices { walks[unit].deallocate() }
    walks.deallocate()
    invalidations.deallocate()
  }
}

/// An order of stores as a value: a copy that is changed has memory of its own.
package struct OwnedOrder {
  private final class Box {
    var order: StoreOrder

    init(_ order: StoreOrder) { self.order = order }

    deinit { order.deallocate() }
  }

  private var box: Box

  /// - Parameter order: one that nobody else changes or deallocates.
  package init(_ order: StoreOrder) { box = Box(order) }

  /// To be read only as long as the value is there and stays as it is.
  package var order: StoreOrder {
    get { box.order }
    _modify {
      if !isKnownUniquelyReferenced(&box) { box = Box(box.order.copy()) }
      yield &box.order
    }
  }
}
