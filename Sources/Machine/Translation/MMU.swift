// The memory management unit of a CPU, as a scenario declares it, and the results of guest
// accesses.

import GracewalkSupport

/// A memory management unit: the table it walks, and its speculative walks and evictions.
///
/// It caches the table entries that its walks read: leaves (the TLB) and pointers to tables (the
/// walk cache). The architecture allows speculative walks at any moment; their number is bounded
/// here, and part of a verdict's scope.
public struct MMU: Equatable, Sendable {
  public var root: TablePage
  /// Addresses to which it may walk speculatively, or whose entries it may evict, at any moment.
  public var addresses: [Int]
  /// How many times it may do so.
  public var times: Int
  /// Whether it may also evict.
  public var evicts: Bool
  /// The owner whose data frames its accesses may reach.
  public var owner: FrameOwner

  /// - Parameters:
  ///   - root: the table at which walks begin; also represents the VMID.
  ///   - addresses: those to which it may walk speculatively.
  ///   - times: how many times per execution.
  ///   - evicts: whether it may also evict an entry instead of walking.
  ///   - owner: the owner whose data frames its accesses may reach.
  public init(
    _ root: TablePage, speculatesOn addresses: [Int] = [], times: Int = 1, evicts: Bool = false,
    owner: FrameOwner = .guest
  ) {
    self.root = root
    self.addresses = addresses
    self.times = addresses.isEmpty ? 0 : times
    self.evicts = evicts
    self.owner = owner
  }
}

/// The owner of a data frame.
public struct FrameOwner: Equatable, Sendable {
  public let id: Int
  public let name: String
  /// The number of the scenario it belongs to, if it belongs to one.
  let scenario: UInt32

  /// `id`: from 0, unique in a scenario; 0 is the guest, 1 nobody.
  public init(id: Int, name: String) {
    self.init(id: id, name: name, scenario: ScenarioNumber.any)
  }

  init(id: Int, name: String, scenario: UInt32) {
    self.id = id
    self.name = name.printable
    self.scenario = scenario
  }

  public static func == (a: FrameOwner, b: FrameOwner) -> Bool {
    a.id == b.id && a.name == b.name
  }

  /// The owner of all frames at the start.
  public static let guest = FrameOwner(id: 0, name: "the guest")
  /// The owner of frames that were returned to the allocator.
  public static let nobody = FrameOwner(id: 1, name: "nobody")
}

/// The result of a guest's access.
public enum GuestAccess: Equatable, Sendable {
  /// It reached the data frame.
  case done(frame: Int)
  /// An entry of the walk is invalid.
  case translationFault
  /// The leaf has no access flag, and hardware does not set it.
  case accessFlagFault
  /// The leaf does not allow it.
  case permissionFault
}

/// The cached entries that an invalidation removes (the TLBI instructions).
public struct TLBInvalidation: Equatable, Sendable {
  /// The first address, or nil for all of the table's (by VMID).
  public var address: Int?
  /// Number of addresses; more than one needs FEAT_TLBIRANGE.
  public var count = 1
  /// Only leaves, not the pointers to tables that lead to them (the -L- forms).
  public var isLastLevelOnly = false
  /// The level of the leaves (the TTL hint); if it is wrong, nothing is guaranteed to be removed.
  public var level: Int?
  /// Only the caches of the CPU that issues it (not the -IS forms).
  public var isLocal = false

  /// All cached entries of a table.
  public static let all = TLBInvalidation()

  /// The entries that translate one address.
  public static func address(_ address: Int) -> TLBInvalidation {
    range(address, count: 1)
  }

  /// The entries that translate a range of addresses.
  public static func range(_ address: Int, count: Int) -> TLBInvalidation {
    var invalidation = TLBInvalidation()
    invalidation.address = address
    invalidation.count = count
    return invalidation
  }

  /// The same for leaves only.
  public var lastLevelOnly: TLBInvalidation {
    var copy = self
    copy.isLastLevelOnly = true
    return copy
  }

  /// The same for leaves of one level.
  public func level(_ level: Int) -> TLBInvalidation {
    var copy = self
    copy.level = level
    return copy
  }

  /// The same on only the issuing CPU.
  public var local: TLBInvalidation {
    var copy = self
    copy.isLocal = true
    return copy
  }
}

extension TLBInvalidation {
  /// The invalidation and the root of its table, as an operand of an action.
  ///
  /// Addresses have 16 bits; a count of 2¹⁶ is encoded as 0.
  func packed(root: Int) -> UInt64 {
    UInt64(root) << 48 | UInt64(count & 0xFFFF) << 32 | UInt64(address ?? 0) << 16
      | UInt64(level.map { $0 + 1 } ?? 0) << 8
      | (address == nil ? 4 : 0) | (isLocal ? 2 : 0) | (isLastLevelOnly ? 1 : 0)
  }

  init(packed: UInt64) {
    address = packed & 4 != 0 ? nil : Int(packed >> 16 & 0xFFFF)
    let some = Int(packed >> 32 & 0xFFFF)
    count = some == 0 ? 1 << 16 : some
    isLastLevelOnly = packed & 1 != 0
    isLocal = packed & 2 != 0
    let hint = Int(packed >> 8 & 0xFF)
    level = hint == 0 ? nil : hint - 1
  }

  /// The id of the root in an operand.
  static func root(packed: UInt64) -> Int { Int(packed >> 48) }

  /// True if it covers entries that translate any of these addresses.
  func covers(_ range: Range<Int>) -> Bool {
    guard let address else { return true }
    return range.overlaps(address..<(address + count))
  }

  /// True if it removes cached leaves of a level.
  func removesLeaf(at level: Int) -> Bool { self.level == nil || self.level == level }

  /// True if it removes cached pointers to tables that were read at a level.
  func removesTable(at level: Int) -> Bool {
    guard !isLastLevelOnly else { return false }
    return self.level.map { level < $0 } ?? true
  }
}
