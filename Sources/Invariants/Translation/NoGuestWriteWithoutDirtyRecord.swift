// No guest write without a dirty record: every frame written since its last copy is marked.

import GracewalkMachine

/// At the end, every frame that differs from its last copy is marked dirty.
public struct NoGuestWriteWithoutDirtyRecord: QuiescenceInvariant {
  /// A frame that is copied repeatedly, and the words that record writes to it.
  public struct Frame: Sendable {
    public var name: String
    /// The contents of the frame, as a number that each write changes.
    public var version: Location
    /// The version that was copied last.
    public var copied: Location
    /// Not zero if it is marked dirty.
    public var dirty: Location
    /// The mapping in which hardware marks it: a writable entry means dirty.
    public var mapping: Mapping?

    public init<Mark>(
      name: String, version: Location, copied: Location, dirty: Word<Mark>, mapping: Mapping? = nil
    ) {
      self.name = name
      self.version = version
      self.copied = copied
      self.dirty = Location(dirty)
      self.mapping = mapping
    }
  }

  /// An address of a table.
  public struct Mapping: Sendable {
    public var root: TablePage
    public var address: Int
    public var geometry: Geometry

    public init(root: TablePage, address: Int, geometry: Geometry) {
      self.root = root
      self.address = address
      self.geometry = geometry
    }

    /// The entry that a walk ends at.
    func entry(in machine: Machine) -> Descriptor {
      var table = root
      for level in 0..<geometry.lastLevel {
        let entry = machine.entry(of: table, geometry.index(of: address, at: level))
        guard let id = entry.tableID, let next = machine.page(id) else { return entry }
        table = next
      }
      return machine.entry(of: table, geometry.index(of: address, at: geometry.lastLevel))
    }
  }

  public let frames: [Frame]

  public init(frames: [Frame]) { self.frames = frames }

  public static let id = "no-guest-write-without-dirty-record"
  public var id: String { Self.id }
  public let statement =
    "At the end, every frame that a guest has written since it was last copied is marked dirty."
  public let rationale =
    "A migrated guest would find old data in a page that was not copied again."
  public let source =
    "Documentation/virt/kvm/api.rst (Linux 6.2), KVM_GET_DIRTY_LOG; virt/kvm/kvm_main.c, "
    + "kvm_get_dirty_log_protect."
  public let applicability = Applicability.chosen(
    "only the model knows where its frames are marked dirty")
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for frame in frames {
      let version = machine.value(of: frame.version)
      let copied = machine.value(of: frame.copied)
      guard version != copied, !isMarked(frame, in: machine) else { continue }
      return Violation(
        "\(frame.name) was written after it was copied, and is not marked dirty",
        details: ["writes so far: \(version); when it was copied: \(copied)"])
    }
    return nil
  }

  private func isMarked(_ frame: Frame, in machine: Machine) -> Bool {
    if machine.value(of: frame.dirty) != 0 { return true }
    return frame.mapping?.entry(in: machine).isWritable ?? false
  }
}
