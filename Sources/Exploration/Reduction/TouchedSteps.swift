// Which steps are dependent on any event of the stack: the others cannot race.

import GracewalkSupport

/// Per depth of a search's stack, a row of bits: the steps dependent on an event up to there.
///
/// Rows are filled on demand, and kept as long as the stack below them does not change.
final class TouchedSteps {
  private let rows = GrowableBuffer<UInt64>()
  private var stride = 0
  private var stepCount = 0
  /// Invariant: this many rows agree with the stack; row 0 covers no event.
  private var known = 0

  deinit { rows.deallocate() }

  /// Invalidates rows: events from this depth on have changed.
  @inline(__always)
  func stackChanged(to depth: Int) { if known > depth { known = depth } }

  /// The row for a stack of `depth` events.
  ///
  /// - Parameter step: the number of the step of an event.
  @inline(__always)
  func row(
    _ depth: Int, _ knowledge: StepKnowledge, step: (Int) -> Int
  ) -> UnsafeMutablePointer<UInt64> {
    if stride != knowledge.stride || stepCount != knowledge.count {
      stride = knowledge.stride
      stepCount = knowledge.count
      known = 0
    }
    rows.setCount(to: (depth + 1) * stride)
    if known == 0 {
      for word in 0..<stride { rows[word] = 0 }
      known = 1
    }
    while known <= depth {
      let row = rows.pointer(to: known * stride)
      let dependents = knowledge.dependents(of: step(known - 1))
      for word in 0..<stride { row[word] = row[word - stride] | dependents[word] }
      known += 1
    }
    return rows.pointer(to: depth * stride)
  }
}
