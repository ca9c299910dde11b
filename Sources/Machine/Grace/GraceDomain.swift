// The kinds of sections that CPUs enter and leave, and that grace periods wait for.

/// Which sections of other CPUs an RCU grace period waits for.
public enum ReadCopyUpdate: Sendable {
  /// Read-side sections and masked interrupts, as in Linux since 4.20.
  ///
  /// Overlapping sections of one CPU are one: a section that is left while interrupts are masked
  /// lasts until they are unmasked. `interruptOthers` does not wait for sections.
  ///
  /// Source: Documentation/RCU/Design/Requirements, "RCU-Sched flavor (historical)"; Paul
  /// McKenney's consolidation of the flavors in 4.20, "Defer reporting RCU-preempt quiescent
  /// states when disabled" for what overlaps.
  case consolidated
  /// Only read-side sections, as before 4.20.
  ///
  /// Masked interrupts delay only interrupts (`synchronize_sched` is not modelled).
  case separate
}

/// A kind of section that CPUs enter and leave, and that a grace period waits for.
///
/// RCU and masked interrupts share their logic: a waiter records the CPUs that are inside at that
/// moment, and continues when each has left once. The differences are parameters here.
enum GraceDomain {
  /// Read-side sections.
  case sections
  /// Masked interrupts; an inter-processor interrupt is taken when they are unmasked.
  case interrupts
  /// An unbroken sequence of the two, which consolidated RCU waits for.
  case readers

  /// Calls `body` with each domain that code enters and leaves, without allocating a list.
  @inline(__always)
  static func each(_ body: (GraceDomain) -> Void) {
    body(.sections)
    body(.interrupts)
  }

  /// Whether a waiter also waits for its own open section.
  var waitsForItself: Bool { self != .interrupts }

  /// The events for mistakes in this domain.
  var leftWithoutEntering: EventKinds { self == .sections ? .leftNoSection : .unmaskedUnmasked }
  var freedUnderReader: EventKinds { self == .sections ? .freedInGracePeriod : .freedWhileMasked }

  /// The other domain that code enters and leaves.
  var other: GraceDomain { self == .sections ? .interrupts : .sections }
}
