// The features that a scenario uses, which decide which invariants apply to it.

/// Features used by the code of a scenario, or declared by it.
public struct Facets: OptionSet, Hashable, Codable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// There are page tables.
  public static let tables = Facets(rawValue: 1 << 0)
  /// Reference counts of table pages are changed.
  public static let references = Facets(rawValue: 1 << 1)
  /// Table entries are locked.
  public static let entryLocks = Facets(rawValue: 1 << 2)
  /// Locks are taken or released.
  public static let locks = Facets(rawValue: 1 << 3)
  /// Read-side sections or masked interrupts keep pages from being freed.
  public static let gracePeriods = Facets(rawValue: 1 << 4)
  /// A memory management unit walks tables.
  public static let hardware = Facets(rawValue: 1 << 5)
  /// Data frames change owner.
  public static let frameOwners = Facets(rawValue: 1 << 6)
  /// Objects with a lifetime are used or released.
  public static let contexts = Facets(rawValue: 1 << 7)
  /// Table pages belong to an object with a lifetime.
  public static let ownedPages = Facets(rawValue: 1 << 8)
  /// Entries that lead to tables hold permissions.
  public static let directoryPermissions = Facets(rawValue: 1 << 9)

  private static let names = [
    "tables", "reference counts", "entry locks", "locks", "grace periods", "hardware walks",
    "owners of data frames", "contexts", "pages of a context", "permissions in directories",
  ]

  /// In words, in a fixed order.
  public var names: [String] {
    Facets.names.indices.filter { rawValue >> UInt64($0) & 1 == 1 }.map { Facets.names[$0] }
  }
}

extension Facets {
  /// The features that a scenario declares.
  init(_ scenario: Scenario) {
    self = []
    if scenario.hasTables { insert(.tables) }
    if scenario.hasHardware { insert(.hardware) }
    if scenario.tracksPages { insert(.ownedPages) }
  }

  /// The features that an action uses.
  init(_ action: Action, _ format: EntryFormat) {
    self = []
    switch action.kind {
    case .lock: insert(.locks)
    case .grace, .callback: insert(.gracePeriods)
    case .access(.load):
      // A dereference claims that a section protects the object it reads.
      if action.isDereference { insert(.gracePeriods) }
    case .handOver: insert(.frameOwners)
    case .context: insert(.contexts)
    case .access(.fetchAdd), .access(.incrementUnlessZero):
      let isCount = action.cell == action.lifetime + Layout.referencesOffset
      if action.lifetime != 0 && isCount { insert(.references) }
    case .access(.store), .access(.exchange): insert(entry: action.stored, in: action, format)
    case .access(.compareExchange): insert(entry: action.desired, in: action, format)
    case .access(.wait), .access(.drain), .access(.update), .finished, .cutOff, .threw, .fence,
      .page, .slab, .choose, .history, .hardware,
      .claim:
      break
    }
  }

  private mutating func insert(
    entry bits: UInt64, in action: Action, _ format: EntryFormat
  ) {
    guard action.lifetime != 0, action.cell >= action.lifetime + Layout.pageHeader else { return }
    let entry = Descriptor(bits: bits)
    if format.isLocked(entry) { insert(.entryLocks) }
    if entry.isTable && entry.isWritable { insert(.directoryPermissions) }
  }
}
