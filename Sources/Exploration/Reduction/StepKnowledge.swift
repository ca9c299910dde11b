// Facts about numbered steps: which conflict, and which may follow on the same CPU.

import GracewalkSupport

/// Bits about pairs of numbered steps.
///
/// `conflict` and `race` are facts about two footprints. The steps that may follow a step are
/// learned from executions, and never complete. Invariant: they guide only the order in which a
/// search tries CPUs, never what it leaves out.
final class StepKnowledge {
  /// Words per row of each matrix.
  private(set) var stride = 2
  /// Steps that have rows.
  private(set) var count = 0
  /// Row x, bit y: the steps are of different CPUs and dependent.
  let conflict = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Row x, bit y: as above, and they may be enabled at the same time.
  let race = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Row y, bit z: z is y, or was observed later on the same CPU.
  let future = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Row y, bit x: x is dependent on a step in the future of y, or may race with one if that is
  /// what counts.
  let ahead = GrowableBuffer<UInt64>(capacity: 1_024)
  /// Whether steps that can never be exchanged stand in nobody's way.
  let countsRacesOnly: Bool
  /// A scratch row for unions.
  private let scratch = GrowableBuffer<UInt64>()

  init(countsRacesOnly: Bool = false) { self.countsRacesOnly = countsRacesOnly }

  /// The matrix of pairs of which one may be in the way of the other.
  var obstacles: GrowableBuffer<UInt64> { countsRacesOnly ? race : conflict }

  deinit {
    for matrix in matrices { matrix.deallocate() }
    scratch.deallocate()
  }

  /// Bytes held.
  var bytes: Int { 4 * count * stride * 8 }

  private var matrices: [GrowableBuffer<UInt64>] { [conflict, race, future, ahead] }

  @inline(__always)
  func isSet(_ matrix: GrowableBuffer<UInt64>, _ row: Int, _ column: Int) -> Bool {
    matrix[row &* stride &+ column &>> 6] &>> UInt64(truncatingIfNeeded: column & 63) & 1 == 1
  }

  @inline(__always)
  private func set(_ matrix: GrowableBuffer<UInt64>, _ row: Int, _ column: Int) {
    matrix[row &* stride &+ column &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: column & 63)
  }

  /// True if the steps are of different CPUs and dependent.
  @inline(__always)
  func areDependent(_ one: Int, _ other: Int) -> Bool { isSet(conflict, one, other) }

  /// The steps of other CPUs that are dependent on a step; valid until the next step is entered.
  @inline(__always)
  func dependents(of step: Int) -> UnsafeMutablePointer<UInt64> {
    conflict.pointer(to: step &* stride)
  }

  /// The steps that a step may race with: those dependent on it that may be enabled together with
  /// it.
  ///
  /// Valid until the next step is entered.
  @inline(__always)
  func rivals(of step: Int) -> UnsafeMutablePointer<UInt64> { race.pointer(to: step &* stride) }

  /// True if a step is dependent on another step or on one known to follow it.
  @inline(__always)
  func meets(_ step: Int, futureOf other: Int) -> Bool { isSet(ahead, other, step) }

  /// The steps that conflict with any step ahead of these CPUs, whose next steps are in `row`.
  ///
  /// Valid until the next call.
  @inline(__always)
  func ahead(
    ofAll cpus: CPUSet, _ row: UnsafeMutablePointer<Int32>
  ) -> UnsafeMutablePointer<UInt64> {
    scratch.setCount(to: stride)
    let sum = scratch.pointer(to: 0)
    sum.update(repeating: 0, count: stride)
    var left = cpus
    while let cpu = left.popLowest() {
      let conflicts = ahead.pointer(to: Int(row[cpu]) &* stride)
      for word in 0..<stride { sum[word] |= conflicts[word] }
    }
    return sum
  }

  /// Enters the steps of the table up to a number.
  @inline(__always)
  func enter(upTo step: Int, of summaries: SummaryTable) {
    if count <= step { enterSlowly(upTo: step, of: summaries) }
  }

  @inline(never)
  private func enterSlowly(upTo step: Int, of summaries: SummaryTable) {
    while count <= step { enterNext(of: summaries) }
  }

  private func enterNext(of summaries: SummaryTable) {
    let new = count
    if new >= stride * 64 { lengthenRows() }
    for matrix in matrices { _ = matrix.extend(by: stride, with: 0) }
    count += 1
    summaries.meet(new)
    let cpu = summaries.cpu(of: new)
    let footprint = summaries.footprint(of: new)
    set(future, new, new)
    for other in 0..<new where summaries.cpu(of: other) != cpu {
      let against = summaries.footprint(of: other)
      guard footprint.isDependent(on: against) else { continue }
      if footprint.mayRace(with: against) {
        set(race, new, other)
        set(race, other, new)
      }
      set(conflict, new, other)
      set(conflict, other, new)
      if isSet(obstacles, new, other) { set(ahead, new, other) }
    }
    for other in 0..<new where rowsMeet(future, other, obstacles, new) { set(ahead, other, new) }
    checkInvariants(of: new)
  }

  private func rowsMeet(
    _ one: GrowableBuffer<UInt64>, _ row: Int, _ other: GrowableBuffer<UInt64>, _ otherRow: Int
  ) -> Bool {
    for word in 0..<stride
    where one[row * stride + word] & other[otherRow * stride + word] != 0 {
      return true
    }
    return false
  }

  private func lengthenRows() {
    let old = stride
    stride *= 2
    for matrix in matrices {
      let copies = (0..<count * old).map { matrix[$0] }
      matrix.removeAll()
      for row in 0..<count {
        let start = matrix.extend(by: stride, with: 0)
        for word in 0..<old { matrix[start + word] = copies[row * old + word] }
      }
    }
  }

  /// Records that a step was followed by another of its CPU; false if that was known.
  func note(_ step: Int, isFollowedBy next: Int) -> Bool {
    var isNew = false
    for word in 0..<stride {
      let later = future[next * stride + word]
      if later & ~future[step * stride + word] != 0 {
        future[step * stride + word] |= later
        isNew = true
      }
    }
    guard isNew else { return false }
    for word in 0..<stride { ahead[step * stride + word] |= ahead[next * stride + word] }
    checkInvariants(of: step)
    return true
  }

  /// True if there is nothing to learn from a step that was followed by another.
  func knows(_ step: Int, isFollowedBy next: Int) -> Bool {
    for word in 0..<stride
    where future[next &* stride &+ word] & ~future[step &* stride &+ word] != 0 {
      return false
    }
    return true
  }

  /// Replaces all that is known by what another knows, whose steps have the same numbers.
  func copy(from other: StepKnowledge) {
    (stride, count) = (other.stride, other.count)
    for (own, their) in zip(matrices, other.matrices) {
      own.setCount(to: their.count)
      if !their.isEmpty {
        own.pointer(to: 0).update(from: their.pointer(to: 0), count: their.count)
      }
    }
  }

  // MARK: Checkpoints

  /// Writes the learned facts; those that follow from footprints are computed again.
  func save(to writer: CheckpointWriter) {
    writer.write(count)
    writer.write(stride)
    writer.write(future, first: count * stride)
    writer.write(ahead, first: count * stride)
  }

  /// Reads saved facts; the steps must have the same numbers as when they were saved.
  func restore(
    from reader: CheckpointReader, of summaries: SummaryTable
  ) throws(CheckpointError) {
    let count = try reader.number(in: 0..<summaries.stepCount + 1)
    if count > 0 { enter(upTo: count - 1, of: summaries) }
    guard try reader.number(in: 2..<Int.max) == stride else { throw .malformed }
    for matrix in [future, ahead] {
      matrix.removeAll()
      try reader.words(into: matrix, expected: count * stride)
    }
  }

  // MARK: Other processes

  /// Writes which steps followed which; all else follows from that.
  func saveFutures(to writer: CheckpointWriter) {
    writer.write(count)
    writer.write(stride)
    for step in 0..<count {
      for word in 0..<stride { writer.write(future[step * stride + word]) }
    }
  }

  /// Reads which steps followed which, as another process has numbered them, and learns that.
  func learnFutures(
    from reader: CheckpointReader, of summaries: SummaryTable
  ) throws(CheckpointError) {
    let count = try reader.count()
    let words = try reader.number(in: 2..<Int.max)
    guard reader.left / 8 / words >= count else { throw .malformed }
    let limit = reader.steps.map { count > $0.base ? $0.limit : count } ?? count
    if limit > 0 { enter(upTo: limit - 1, of: summaries) }
    for old in 0..<count {
      let row = try reader.row(ofWords: words, inWords: stride)
      let step = try reader.steps?.new(old) ?? old
      guard step < self.count else { throw .malformed }
      for word in 0..<stride {
        var new = CPUSet(bits: row[word] & ~future[step * stride + word])
        while let bit = new.popLowest() {
          let later = word * 64 + bit
          guard later < self.count else { throw .malformed }
          set(future, step, later)
          for word in 0..<stride {
            ahead[step * stride + word] |= obstacles[later * stride + word]
          }
        }
      }
      checkInvariants(of: step)
    }
  }
}
