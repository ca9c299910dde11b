// A 64-bit table entry, laid out like an Arm stage-2 descriptor in every format.

/// A page-table entry.
///
/// The bit positions are the same in every format; their meaning at a level, and which entries are
/// locked or counted, depend on the scenario's `EntryFormat`. The positions are those of the Arm
/// ARM (VMSAv8-64, stage-2 descriptors): 0 valid, 1 table or page, 6 readable, 7 writable, 10
/// access flag, 47:12 output address, 51 dirty bit modifier. nT, which is bit 16 of a block there,
/// is bit 55 here, since frames have small numbers.
public struct Descriptor: Hashable, Sendable {
  public var bits: UInt64

  public init(bits: UInt64) { self.bits = bits }

  public static let invalid = Descriptor(bits: 0)
  /// The complete value of an entry during break-before-make (`KVM_INVALID_PTE_LOCKED`).
  public static let locked = Descriptor(bits: 1 << 10)

  /// Set in every valid entry.
  public static let validBit: UInt64 = 1 << 0
  static let tableBit: UInt64 = 1 << 1
  static let readBit: UInt64 = 1 << 6
  /// Set in an entry that lets writes through, as S2AP has it.
  public static let writeBit: UInt64 = 1 << 7
  public static let accessFlag: UInt64 = 1 << 10
  static let noConflictBit: UInt64 = 1 << 55
  static let dirtyModifierBit: UInt64 = 1 << 51
  private static let softwareShift: UInt64 = 52
  private static let softwareMask: UInt64 = 7 << softwareShift
  static let addressMask: UInt64 = 0x0000_FFFF_FFFF_F000

  /// Frames of data pages start here; smaller ones, from 1, are table pages.
  public static let firstDataFrame = AddressSpace.firstFrame

  static let framesMax = AddressSpace.framesMax

  /// Points to a table of the next level.
  public static func table(
    _ page: TablePage, file: String = #fileID, line: Int = #line
  ) -> Descriptor {
    MisuseSink.check(page, file, line)
    return Descriptor(bits: page.address | tableBit | validBit)
  }

  /// The same for formats with permissions in directories: reads are allowed below, and writes if
  /// it is writable.
  public static func table(_ page: TablePage, writable: Bool) -> Descriptor {
    Descriptor(bits: table(page).bits | readBit | (writable ? writeBit : 0))
  }

  /// Maps one page, at the last level, to a data frame (counted from 0).
  public static func page(
    _ frame: Int, writable: Bool = true, file: String = #fileID, line: Int = #line
  ) -> Descriptor {
    var leaf = block(frame, writable: writable, file: file, line: line)
    leaf.bits |= tableBit
    return leaf
  }

  /// Maps a range, above the last level, to data frames starting at `frame`.
  public static func block(
    _ frame: Int, writable: Bool = true, file: String = #fileID, line: Int = #line
  ) -> Descriptor {
    let isPossible = frame >= 0 && frame <= framesMax
    if !isPossible {
      MisuseSink.note(
        "there is no data frame \(hexadecimal(frame)): they go from 0x0 to "
          + hexadecimal(framesMax), file, line)
    }
    let address = AddressSpace.address(ofFrame: isPossible ? frame : framesMax)
    return Descriptor(
      bits: address | accessFlag | readBit | (writable ? writeBit : 0) | validBit)
  }

  public var isValid: Bool { bits & Descriptor.validBit != 0 }
  /// True if it is the locked entry of KVM's stage 2; other invalid entries may have the bit, too.
  public var isLocked: Bool { self == .locked }
  public var isReadable: Bool { bits & Descriptor.readBit != 0 }
  public var isWritable: Bool { bits & Descriptor.writeBit != 0 }
  /// True if the page was accessed, or accesses are not tracked.
  public var hasAccessFlag: Bool { bits & Descriptor.accessFlag != 0 }
  /// True if hardware may make it writable when it is written (DBM), which marks it dirty.
  public var isDirtyModifiable: Bool { bits & Descriptor.dirtyModifierBit != 0 }
  /// True if its size may change at FEAT_BBM level 1 (nT).
  public var isMarkedForSizeChange: Bool { bits & Descriptor.noConflictBit != 0 }

  /// The same leaf without the access flag, so that the next access is noticed.
  public var withoutAccessFlag: Descriptor { Descriptor(bits: bits & ~Descriptor.accessFlag) }
  /// The same leaf with the access flag.
  public var withAccessFlag: Descriptor { Descriptor(bits: bits | Descriptor.accessFlag) }
  /// The same leaf without write permission.
  public var readOnly: Descriptor { Descriptor(bits: bits & ~Descriptor.writeBit) }
  /// The same leaf without read permission.
  public var withoutReads: Descriptor { Descriptor(bits: bits & ~Descriptor.readBit) }
  /// The same leaf with write permission.
  public var writable: Descriptor { Descriptor(bits: bits | Descriptor.writeBit) }
  /// The same leaf, clean: not writable, but hardware may make it so.
  public var writableClean: Descriptor {
    Descriptor(bits: bits & ~Descriptor.writeBit | Descriptor.dirtyModifierBit)
  }
  /// The same leaf with nT.
  public var markedForSizeChange: Descriptor {
    Descriptor(bits: bits | Descriptor.noConflictBit)
  }

  /// The software bits, which hardware ignores: from 0 to 7.
  public var softwareBits: Int {
    Int((bits & Descriptor.softwareMask) >> Descriptor.softwareShift)
  }
  /// The same entry with other software bits, of which there are three.
  public func withSoftwareBits(_ value: Int) -> Descriptor {
    let kept = UInt64(truncatingIfNeeded: value) << Descriptor.softwareShift
    return Descriptor(bits: bits & ~Descriptor.softwareMask | kept & Descriptor.softwareMask)
  }

  private var address: UInt64 { bits & Descriptor.addressMask }

  var hasTableBit: Bool { bits & Descriptor.tableBit != 0 }

  /// True if its output address is that of a table page.
  var pointsToTablePage: Bool { AddressSpace.pageID(at: address) != nil }

  /// The id of the table page it points to, or nil if it is not a table descriptor.
  ///
  /// Whether hardware treats it as a pointer to a table also depends on the level.
  public var tableID: Int? {
    isValid && hasTableBit ? AddressSpace.pageID(at: address) : nil
  }

  public var isTable: Bool { tableID != nil }

  /// The data frame it maps (counted from 0), or nil if it is not a leaf.
  public var dataFrame: Int? {
    isValid ? AddressSpace.frame(at: address) : nil
  }

  public var isLeaf: Bool { dataFrame != nil }
}
