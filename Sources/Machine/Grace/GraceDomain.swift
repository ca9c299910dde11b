// What CPUs can be inside of, and what others wait for until all have left it.

/// Which stretches of other CPUs a grace period of read-copy-update waits for.
public enum ReadCopyUpdate: Sendable {
  /// Read-side sections and masked interrupts alike, as in Linux since 4.20.
  ///
  /// Stretches of one CPU that overlap are one: a section that is left while interrupts are masked
  /// lasts until they are unmasked. `interruptOthers` does not wait for sections.
  ///
  /// Source: Documentation/RCU/Design/Requirements, "RCU-Sched flavor (historical)"; Paul
  /// McKenney's consolidation of the flavors in 4.20, "Defer reporting RCU-preempt quiescent
  /// states when disabled" for what overlaps.
  case consolidated
  /// Read-side sections alone, as before: what has masked its interrupts waits for nothing but
  /// interrupts (`synchronize_sched` is not modelled).
  case separate
}

/// A kind of stretch that a CPU enters and leaves, and that a grace period waits for.
///
/// Read-copy-update and masked interrupts have all their logic in common: whoever waits looks who
/// is inside at that moment, and goes on when each of those has left once. What they do not share
/// is a parameter here.
enum GraceDomain {
  /// Read-side sections.
  case sections
  /// Masked interrupts; an inter-processor interrupt is taken when they are unmasked.
  case interrupts
  /// Either of the two, without a gap: what consolidated read-copy-update waits for.
  case readers

  /// Calls `body` with each that code enters and leaves, without making a list of them.
  @inline(__always)
  static func each(_ body: (GraceDomain) -> Void) {
    body(.sections)
    body(.interrupts)
  }

  /// Whether a waiter also waits for its own open section.
  var waitsForItself: Bool { self != .interrupts }

  /// The mistakes one can make in it, as events.
  var leftWithoutEntering: EventKinds { self == .sections ? .leftNoSection : .unmaskedUnmasked }
  var freedUnderReader: EventKinds { self == .sections ? .freedInGracePeriod : .freedWhileMasked }

  /// The other one that code enters and leaves.
  var other: GraceDomain { self == .sections ? .interrupts : .sections }
}
