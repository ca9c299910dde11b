// No guest write without a dirty record: what was written since the last copy is marked.

import Machine

/// A frame that differs from its last copy is marked dirty, once all is done.
///
/// A frame's contents are a number that grows with each write.
public struct DirtyRecorded: QuiescenceInvariant {
  /// A frame of the guest, as dirty logging sees it.
  public struct Frame: Equatable, Sendable {
    public var name: String
    /// Grows with each write of the guest.
    public var version: Location
    /// The version that was copied last.
    public var copied: Location
    /// Not 0 if the frame is marked dirty.
    public var dirty: Location

    public init(name: String, version: Location, copied: Location, dirty: Location) {
      self.name = name
      self.version = version
      self.copied = copied
      self.dirty = dirty
    }
  }

  private let frames: [Frame]

  public init(frames: [Frame]) { self.frames = frames }

  public let id = "no-guest-write-without-dirty-record"
  public let statement =
    "When all is done, every guest frame that was written since it was copied last is marked dirty."
  public let rationale =
    "A migration copies what is marked: a write without a mark is lost on the way, and the guest "
    + "goes on with old data on the other host."
  public let source =
    "Xiao Guangrong, linux-kernel, 2013-08-29, on PATCH 09/12 (pte-list lockless walker): an entry "
    + "that a walker misses is no harm because its page is marked dirty later."
  public let treatsCPUsAlike = true

  public func judgeEnd(of machine: Machine) -> Violation? {
    for frame in frames {
      let version = machine.value(of: frame.version)
      let copied = machine.value(of: frame.copied)
      guard version != copied, machine.value(of: frame.dirty) == 0 else { continue }
      return Violation(
        "\(frame.name) was written without a dirty mark: it is at version \(version), its copy at "
          + "\(copied)")
    }
    return nil
  }
}
