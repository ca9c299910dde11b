// The meaning of the bits of a table entry: a table of rules, chosen by the scenario.

/// How software and hardware interpret table entries: tables, leaves, locked and counted entries.
///
/// All formats share the bit positions of `Descriptor`, so model code makes entries in the same way
/// for all of them; the format defines how hardware interprets them at a level. If a real format
/// spreads a property over several bits, one bit represents it here.
public struct EntryFormat: Equatable, Sendable {
  /// Which entries hold a reference to the table they are in.
  public enum Counting: Equatable, Sendable {
    /// Those that are valid.
    case valid
    /// All that are not zero, annotations of invalid entries included, but not the locked entry.
    case notZero
  }

  /// The effect of an access through an entry without a flag: access flag, or dirty state.
  enum FlagRule: Equatable, Sendable {
    /// It faults, and software must set the flag.
    case faults
    /// Hardware sets the flag first.
    case isSet
    /// The flag is ignored.
    case isIgnored
  }

  /// The rule for access flag and dirty state.
  enum FlagKind: Equatable, Sendable {
    /// FEAT_HAFDBS sets them; without it, accesses fault.
    case byFeature
    /// Hardware always sets them.
    case always
    /// Hardware sets them if enabled, and ignores them otherwise.
    case ifEnabled
  }

  /// Short and stable, in lower case with hyphens.
  public let id: String
  public let name: String
  /// The complete value that marks an entry as locked by software; nil if there is none.
  public var locked: Descriptor?
  /// Which entries count towards the reference count of their table.
  public var counted: Counting
  /// The first level, from 0 at the root, at which an entry may be a block.
  public var firstBlockLevel = 0
  /// The bits of an invalid entry in which software names the page's owner; 0 if there are none.
  let ownerMask: UInt64
  /// Whether the type bit must mean "page" at the last level; otherwise it is ignored there.
  let hasTypeAtLastLevel: Bool
  /// Whether entries that lead to tables hold permissions; all on the walk must grant an access.
  let hasDirectoryPermissions: Bool
  /// Whether there is a read permission; otherwise every valid leaf is readable.
  let hasReadPermission: Bool
  /// Whether a write permission without a read permission is a misconfiguration.
  let needsReadForWrite: Bool
  /// Whether replacing one valid entry by another needs break-before-make.
  let needsBreakBeforeMake: Bool
  /// Whether a fault invalidates the cached entries of its address.
  let faultsInvalidate: Bool
  let flags: FlagKind

  /// Arm's stage 2 (VMSAv8-64) as KVM uses it: the default.
  ///
  /// Locked is KVM's `KVM_INVALID_PTE_LOCKED`, which is written as the whole entry; bits 9:2 of
  /// another invalid entry name an owner (`KVM_INVALID_PTE_OWNER_MASK`). Every nonzero entry is
  /// counted (`stage2_pte_is_counted`); the locked entry's reference was dropped when it was locked
  /// (`stage2_try_break_pte`). Linux 6.2, arch/arm64/kvm/hyp/pgtable.c.
  public static let armStage2 = EntryFormat(
    id: "arm-stage-2", name: "Arm stage 2", locked: .locked, counted: .notZero,
    ownerMask: 0x3FC, hasTypeAtLastLevel: true, hasDirectoryPermissions: false,
    hasReadPermission: true, needsReadForWrite: false, needsBreakBeforeMake: true,
    faultsInvalidate: false, flags: .byFeature)

  /// Arm's stage 1 (VMSAv8-64): software uses invalid entries for swap, migration and the like.
  ///
  /// Permissions in table entries (APTable) are not modelled.
  public static let armStage1 = EntryFormat(
    id: "arm-stage-1", name: "Arm stage 1", locked: nil, counted: .valid,
    ownerMask: 0, hasTypeAtLastLevel: true, hasDirectoryPermissions: false,
    hasReadPermission: true, needsReadForWrite: false, needsBreakBeforeMake: true,
    faultsInvalidate: false, flags: .byFeature)

  /// The paging of x86-64: directories hold permissions, hardware sets accessed and dirty bits.
  ///
  /// A block has PS set; at the last level that bit has another meaning, so both encodings are
  /// pages. `writableClean` stands for an entry that may be written and is not dirty. A fault
  /// invalidates the cached entries of its address (Intel SDM volume 3A, 4.10.4.1).
  public static let x86 = EntryFormat(
    id: "x86", name: "x86", locked: nil, counted: .valid,
    ownerMask: 0, hasTypeAtLastLevel: false, hasDirectoryPermissions: true,
    hasReadPermission: false, needsReadForWrite: false, needsBreakBeforeMake: false,
    faultsInvalidate: true, flags: .always)

  /// Intel's extended page tables: like x86, with a read permission and optional flags.
  ///
  /// Write permission without read permission is a misconfiguration (Intel SDM volume 3C,
  /// 29.3.3.1). Either of the features for access flag and dirty state enables both.
  public static let ept = EntryFormat(
    id: "ept", name: "EPT", locked: nil, counted: .valid,
    ownerMask: 0, hasTypeAtLastLevel: false, hasDirectoryPermissions: true,
    hasReadPermission: true, needsReadForWrite: true, needsBreakBeforeMake: false,
    faultsInvalidate: true, flags: .ifEnabled)

  /// The formats by name.
  public static let all: [EntryFormat] = [armStage2, armStage1, x86, ept]

  // MARK: Software

  /// True if software has locked the entry.
  public func isLocked(_ entry: Descriptor) -> Bool { entry == locked }

  /// True if the entry holds a reference to the table it is in.
  public func isCounted(_ entry: Descriptor) -> Bool {
    switch counted {
    case .valid: entry.isValid
    case .notZero: entry != .invalid && !isLocked(entry)
    }
  }

  // MARK: Hardware

  /// The hardware's interpretation of an entry at a level.
  public func meaning(
    of entry: Descriptor, at level: Int, in geometry: Geometry
  ) -> EntryMeaning {
    guard entry.isValid else { return .notPresent }
    if needsReadForWrite, entry.isWritable, !entry.isReadable { return .malformed(.notReadable) }
    let isLast = level >= geometry.lastLevel
    if isLast {
      if hasTypeAtLastLevel, !entry.hasTableBit { return .malformed(.reserved) }
    } else if entry.hasTableBit {
      return entry.tableID.map { .table(id: $0) } ?? .malformed(.noTable)
    } else if level < firstBlockLevel {
      return .malformed(.reserved)
    }
    guard let frame = entry.dataFrame else {
      return .malformed(entry.pointsToTablePage ? .mapsTable : .noFrame)
    }
    let isAligned = isLast || frame % geometry.span(ofEntryAt: level) == 0
    return isAligned ? .leaf(frame: frame) : .malformed(.misaligned)
  }

  func accessFlagRule(_ features: Features) -> FlagRule {
    switch flags {
    case .byFeature: features.hardwareAccessFlag ? .isSet : .faults
    case .always: .isSet
    case .ifEnabled:
      features.hardwareAccessFlag || features.hardwareDirtyState ? .isSet : .isIgnored
    }
  }

  /// The effect of a write through a clean entry.
  func dirtyRule(_ features: Features) -> FlagRule {
    switch flags {
    case .byFeature: features.hardwareDirtyState ? .isSet : .faults
    case .always, .ifEnabled: accessFlagRule(features)
    }
  }
}

/// The hardware's interpretation of a table entry.
public enum EntryMeaning: Equatable, Sendable {
  /// An access faults.
  case notPresent
  /// A table of the next level, by the id of its page.
  case table(id: Int)
  /// A mapping whose first address leads to a data frame.
  case leaf(frame: Int)
  case malformed(Malformation)
}

/// Why a valid entry is neither a table nor a mapping of data at its level.
public enum Malformation: Equatable, Sendable {
  /// The architecture has no such entry at the level.
  case reserved
  /// A block whose output address is not a multiple of its size.
  case misaligned
  /// It allows writes but no reads, which is a misconfiguration in this format.
  case notReadable
  /// A mapping that leads guests to a table page.
  case mapsTable
  /// A mapping that leads neither to a data frame nor to a table page.
  case noFrame
  /// A pointer to a table page that does not exist.
  case noTable

  /// The problem, as a sentence without its subject.
  public var text: String {
    switch self {
    case .reserved: "is reserved at this level"
    case .misaligned: "has an output address that is not a multiple of its size"
    case .notReadable: "allows writes and no reads, which is a misconfiguration"
    case .mapsTable: "is a mapping at this level, and leads guests to a table page"
    case .noFrame: "is a mapping at this level, and leads to no data frame"
    case .noTable: "is a pointer to a table at this level, and there is no table"
    }
  }

  /// The problem in a few words, shown after the entry.
  var note: String {
    switch self {
    case .reserved: "reserved here"
    case .misaligned: "misaligned"
    case .notReadable: "misconfigured"
    case .mapsTable: "maps a table page here"
    case .noFrame: "maps no frame here"
    case .noTable: "a table pointer here"
    }
  }
}
