// Steps with numbers: a step is then an integer, and equal steps are equal integers.

import GracewalkSupport

/// Every step that a search has seen, each a CPU, a choice and a footprint.
///
/// A step is entered when it is first seen; numbers count from 0 in that order.
final class StepTable {
  struct Entry: BitwiseCopyable {
    var cpu: Int32
    var choice: Int32
    var firstTouch: Int32
    var touchCount: Int32
  }

  let entries = GrowableBuffer<Entry>(capacity: 256)
  /// A flat copy of the touches of all footprints, for looking up steps without reference counting.
  let touches = GrowableBuffer<Touch>(capacity: 1_024)
  private(set) var footprints: [Footprint] = []
  private let index = HashIndex()
  /// Which of the first steps are dependent: a row of bits per step.
  private let matrix = GrowableBuffer<UInt64>()
  private var rowWords = 0
  /// Beyond this many steps, footprints are compared each time; the matrix then takes 2 MiB.
  private static let matrixStepsMax = 4_096
  /// The number of steps that the matrix covers.
  private let matrixSteps: Int

  /// - Parameter comparesSteps: whether dependence will be queried often, so that it should be
  ///   computed when steps are entered.
  init(comparesSteps: Bool = false) {
    matrixSteps = comparesSteps ? StepTable.matrixStepsMax : 0
  }

  deinit {
    entries.deallocate()
    touches.deallocate()
    matrix.deallocate()
  }

  var count: Int { entries.count }

  func cpu(of step: Int) -> Int { Int(entries[step].cpu) }
  func choice(of step: Int) -> Int { Int(entries[step].choice) }

  /// True if two steps are the same action of one CPU, possibly with different footprints.
  @inline(__always)
  func areSameAction(_ one: Int, _ other: Int) -> Bool {
    entries[one].cpu == entries[other].cpu && entries[one].choice == entries[other].choice
  }

  /// The number of a step, new or known.
  func number(_ cpu: Int, choice: Int = 0, _ footprint: Footprint) -> Int {
    let hash = hash(cpu, choice, footprint)
    let known = index.find(hash) { isEqual($0, cpu, choice, footprint) }
    if let known { return known }
    index.insert(hash)
    entries.append(
      Entry(
        cpu: Int32(cpu), choice: Int32(choice), firstTouch: Int32(touches.count),
        touchCount: Int32(footprint.count)))
    for index in 0..<footprint.count { touches.append(footprint[index]) }
    footprints.append(footprint.copy())
    noteDependence(of: entries.count - 1)
    checkInvariants()
    return entries.count - 1
  }

  private func noteDependence(of step: Int) {
    guard step < matrixSteps else { return }
    if step >= rowWords * 64 {
      rowWords = max(rowWords * 2, 1)
      matrix.removeAll()
      _ = matrix.extend(by: rowWords * 64 * rowWords, with: 0)
      for known in 0..<step { fillRow(known) }
    }
    fillRow(step)
  }

  /// Compares a step with itself and earlier ones.
  private func fillRow(_ step: Int) {
    for other in 0...step where compare(step, other) {
      matrix[step * rowWords + other / 64] |= 1 << UInt64(other % 64)
      matrix[other * rowWords + step / 64] |= 1 << UInt64(step % 64)
    }
  }

  /// True if the order of two steps can matter: they are of one CPU, or their footprints conflict.
  @inline(__always)
  func areDependent(_ one: Int, _ other: Int) -> Bool {
    if max(one, other) < matrixSteps {
      return matrix[one &* rowWords &+ other &>> 6] &>> UInt64(truncatingIfNeeded: other & 63) & 1
        == 1
    }
    return compare(one, other)
  }

  /// The index of the first step in a sequence that is dependent on a step; its length if there is
  /// none.
  @inline(__always)
  func firstDependent(
    on step: Int, in sequence: GrowableBuffer<Int32>, from start: Int
  ) -> Int {
    let count = sequence.count
    var index = start
    if entries.count <= matrixSteps {
      let row = matrix.pointer(to: step &* rowWords)
      while index < count {
        let other = Int(truncatingIfNeeded: sequence[index])
        if row[other &>> 6] &>> UInt64(truncatingIfNeeded: other & 63) & 1 == 1 { break }
        index &+= 1
      }
      return index
    }
    return slowFirstDependent(on: step, in: sequence, from: start)
  }

  /// A separate function, so that the loop above contains no reference counting.
  @inline(never)
  private func slowFirstDependent(
    on step: Int, in sequence: GrowableBuffer<Int32>, from start: Int
  ) -> Int {
    var index = start
    while index < sequence.count && !compare(step, Int(sequence[index])) { index += 1 }
    return index
  }

  func compare(_ one: Int, _ other: Int) -> Bool {
    entries[one].cpu == entries[other].cpu || footprints[one].isDependent(on: footprints[other])
  }

  private func isEqual(_ step: Int, _ cpu: Int, _ choice: Int, _ footprint: Footprint) -> Bool {
    let entry = entries[step]
    guard Int(entry.cpu) == cpu, Int(entry.choice) == choice,
      Int(entry.touchCount) == footprint.count
    else { return false }
    for index in 0..<footprint.count
    where touches[Int(entry.firstTouch) + index] != footprint[index] {
      return false
    }
    return true
  }

  private func hash(_ cpu: Int, _ choice: Int, _ footprint: Footprint) -> UInt64 {
    var hash = StableHash.mix(UInt64(cpu) << 32 | UInt64(choice))
    for index in 0..<footprint.count {
      hash = StableHash.extend(hash, with: StepTable.code(footprint[index]))
    }
    return hash
  }

  /// A touch as a word.
  private static func code(_ touch: Touch) -> UInt64 {
    UInt64(touch.object) << 3 | UInt64(touch.role.rawValue) << 1 | (touch.writes ? 1 : 0)
  }

  /// Forgets the steps that were entered last; only for a table that compares none.
  func truncate(to count: Int) {
    guard count < entries.count else { return }
    touches.truncate(to: Int(entries[count].firstTouch))
    entries.truncate(to: count)
    footprints.removeLast(footprints.count - count)
    index.removeAll()
    for step in 0..<count { index.insert(hash(cpu(of: step), choice(of: step), footprints[step])) }
  }

  // MARK: Checkpoints

  func save(to writer: CheckpointWriter) {
    writer.write(count)
    for step in 0..<count { save(step, to: writer) }
  }

  func save(_ step: Int, to writer: CheckpointWriter) {
    writer.write(cpu(of: step))
    writer.write(choice(of: step))
    let footprint = footprints[step]
    writer.write(footprint.count)
    for index in 0..<footprint.count { writer.write(StepTable.code(footprint[index])) }
  }

  /// Reads a saved step.
  static func step(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) -> (cpu: Int, choice: Int, Footprint) {
    let cpu = try reader.number(in: 0..<cpuCount)
    let choice = try reader.number(in: 0..<Int(Int32.max))
    let footprint = Footprint()
    for _ in 0..<(try reader.count()) {
      let code = try reader.word()
      guard code >> 3 < objectCount, let role = TouchRole(rawValue: UInt8(code >> 1 & 3)) else {
        throw .malformed
      }
      footprint.touches.append(
        Touch(object: UInt32(code >> 3), writes: code & 1 == 1, role: role))
    }
    return (cpu, choice, footprint)
  }

  /// Reads saved steps into an empty table.
  func restore(
    from reader: CheckpointReader, cpuCount: Int, objectCount: Int
  ) throws(CheckpointError) {
    for step in 0..<(try reader.count(ofBytes: 24)) {
      let (cpu, choice, footprint) = try StepTable.step(
        from: reader, cpuCount: cpuCount, objectCount: objectCount)
      guard number(cpu, choice: choice, footprint) == step else { throw .malformed }
    }
  }
}
