// What CPUs can be inside of, and what others wait for until all have left it.

/// A kind of stretch that a CPU enters and leaves, and that a grace period waits for.
///
/// Read-copy-update and masked interrupts have all their logic in common: whoever waits looks who
/// is inside at that moment, and goes on when each of those has left once. What they do not share
/// is a parameter here. The two do not wait for each other.
enum GraceDomain {
  /// Read-side sections; `synchronize` and callbacks wait for their ends.
  case sections
  /// Masked interrupts; an inter-processor interrupt is taken when they are unmasked.
  case interrupts

  /// Calls `body` with each, without making a list of them.
  @inline(__always)
  static func each(_ body: (GraceDomain) -> Void) {
    body(.sections)
    body(.interrupts)
  }

  /// Whether who waits inside a stretch of its own waits for itself, too.
  var waitsForItself: Bool { self == .sections }

  /// The mistakes one can make, as events.
  var waitedInside: EventKinds { self == .sections ? .blockedInSection : .sentWhileMasked }
  var leftWithoutEntering: EventKinds { self == .sections ? .leftNoSection : .unmaskedUnmasked }
  var freedUnderReader: EventKinds { self == .sections ? .freedInGracePeriod : .freedWhileMasked }
}
