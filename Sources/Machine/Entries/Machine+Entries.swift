// Table entries in the scenario's format: their meaning at a level, and malformed ones.

import GracewalkSupport

extension Machine {
  /// The hardware's interpretation of an entry at a level.
  public func meaning(of entry: Descriptor, at level: Int) -> EntryMeaning {
    let meaning = format.meaning(of: entry, at: level, in: layout.geometry)
    if case .table(let id) = meaning, id >= layout.pageCapacity { return .malformed(.noTable) }
    return meaning
  }

  /// The level of the table that contains a word, if others can reach the table.
  public func level(ofCell cell: UInt32) -> Int? {
    guard let page = layout.entry(at: cell)?.page else { return nil }
    return layout.level(published: memory[layout.page(page).base + Layout.publishedOffset])
  }

  /// The malformation of a word's value at a level, as a clause: "root[0] holds page 0x0, which is
  /// …".
  public func malformationText(ofCell cell: UInt32, at level: Int) -> String {
    let entry = Descriptor(bits: memory[cell])
    let plain = plainText(of: entry, at: level)
    guard case .malformed(let what) = meaning(of: entry, at: level) else { return plain }
    return "\(name(ofCell: cell)) at level \(level) holds \(plain), which \(what.text)"
  }

  /// Reports entries that are neither tables nor mappings where hardware may find them.
  ///
  /// The level is a function of objects in the step's footprint: see `Layout.publishedOffset`.
  func noteMalformed(_ value: UInt64, in cell: UInt32, published: UInt64, by cpu: Int) {
    guard watched.contains(.malformedEntry), hasHardware,
      let level = layout.level(published: published),
      case .malformed = meaning(of: Descriptor(bits: value), at: level)
    else { return }
    report(.malformedEntry, cpu, cell: cell, value: UInt64(level))
  }

  // MARK: Permissions

  /// The result of a permission check.
  enum Permission {
    case granted, refused
    /// The entry must be made dirty first.
    case marksDirty
  }

  /// Bits of a cached entry's third word: permissions that directories on the walk deny.
  static let readsDenied: UInt64 = 1
  static let writesDenied: UInt64 = 2

  /// The permissions that a directory denies to everything below it.
  func denied(by directory: Descriptor) -> UInt64 {
    guard format.hasDirectoryPermissions else { return 0 }
    let reads = format.hasReadPermission && !directory.isReadable ? Machine.readsDenied : 0
    return reads | (directory.isWritable ? 0 : Machine.writesDenied)
  }

  func permission(_ place: CachePlace, isWrite: Bool) -> Permission {
    let leaf = bits(of: place)
    let denied = memory[place.denied]
    guard isWrite else {
      let isReadable = leaf.isReadable || !format.hasReadPermission
      return isReadable && denied & Machine.readsDenied == 0 ? .granted : .refused
    }
    if denied & Machine.writesDenied != 0 { return .refused }
    if leaf.isWritable { return .granted }
    guard leaf.isDirtyModifiable else { return .refused }
    switch format.dirtyRule(features) {
    case .faults: return .refused
    case .isSet: return .marksDirty
    case .isIgnored: return .granted
    }
  }
}

// MARK: For reports

extension Machine {
  /// Records for coverage that an entry of a published page changed.
  @inline(__always)
  func noteChange(from old: UInt64, to new: UInt64, inPagePublished published: UInt64) {
    guard old != new else { return }
    let level = layout.level(published: published)
    coverage.note(
      kind(of: Descriptor(bits: old), at: level), kind(of: Descriptor(bits: new), at: level),
      inPagePublished: published)
  }

  /// The kind of an entry for coverage; without a level it depends only on the bits.
  func kind(of entry: Descriptor, at level: Int?) -> EntryKind {
    guard entry.isValid else { return format.isLocked(entry) ? .locked : .invalid }
    guard let level else { return entry.kind }
    switch meaning(of: entry, at: level) {
    case .notPresent: return .invalid
    case .table: return .table
    case .leaf: return entry.leafKind
    case .malformed: return .malformed
    }
  }

  /// An entry in words, marked if it is malformed at its level.
  public func text(of entry: Descriptor, at level: Int?) -> String {
    let plain = plainText(of: entry, at: level)
    guard let level, case .malformed(let what) = meaning(of: entry, at: level) else {
      return plain
    }
    return "\(plain) (\(what.note))"
  }

  private func plainText(of entry: Descriptor, at level: Int?) -> String {
    if entry == .invalid { return "invalid" }
    if format.isLocked(entry) { return "LOCKED" }
    if !entry.isValid { return format.text(ofInvalid: entry) }
    if let id = linkedPage(by: entry.bits) { return "table \(name(ofPage: id))" }
    guard let frame = entry.dataFrame else { return "0x" + String(entry.bits, radix: 16) }
    var isPage = entry.hasTableBit
    if let level, !format.hasTypeAtLastLevel { isPage = level == layout.geometry.lastLevel }
    let isClean = !entry.isWritable && entry.isDirtyModifiable
    let permission = entry.isWritable ? "" : isClean ? " clean" : " read-only"
    let flag = entry.hasAccessFlag ? "" : " not accessed"
    return "\(isPage ? "page" : "block") \(hexadecimal(frame))\(permission)\(flag)"
  }
}

extension EntryFormat {
  /// The contents of an invalid entry that is neither zero nor locked.
  func text(ofInvalid entry: Descriptor) -> String {
    let bits = "0x" + String(entry.bits, radix: 16)
    guard ownerMask != 0 else { return "not present \(bits)" }
    let owner = (entry.bits & ownerMask) >> UInt64(ownerMask.trailingZeroBitCount)
    let isOwner = entry.bits & ~ownerMask == 0
    return isOwner ? "invalid, owner \(owner)" : "invalid \(bits)"
  }
}
