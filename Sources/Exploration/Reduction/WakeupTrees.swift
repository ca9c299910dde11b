// Wakeup trees: the step sequences still to be explored from each node.

import GracewalkSupport

/// The wakeup trees of a whole search stack, in one pool of branches.
///
/// A tree is a list of branches, each a step and a list of branches below it, in the order in which
/// they are to be explored. Lists are named by their first branch. Steps are numbers of a
/// `StepTable`.
final class WakeupTrees {
  typealias Branch = Int32
  static let none: Branch = -1

  struct Record: BitwiseCopyable {
    var step: Int32
    var firstChild = WakeupTrees.none
    var next = WakeupTrees.none
  }

  let steps: StepTable
  let records = GrowableBuffer<Record>()
  private(set) var freeList = WakeupTrees.none
  /// The rest of a sequence during a descent of a tree, from `restStart` on.
  private let rest = GrowableBuffer<Int32>()
  private var restStart = 0

  init(steps: StepTable) { self.steps = steps }

  deinit {
    records.deallocate()
    rest.deallocate()
  }

  /// Removes the first branch of a list: its step, the list below it, and the remaining list.
  func takeFirst(of list: Branch) -> (step: Int, below: Branch, others: Branch) {
    let record = records[Int(list)]
    records[Int(list)].next = freeList
    freeList = list
    checkInvariants(of: record.firstChild)
    checkInvariants(of: record.next)
    return (Int(record.step), record.firstChild, record.next)
  }

  /// The number of branches in a list.
  func count(of list: Branch) -> Int {
    var count = 0
    var branch = list
    while branch != WakeupTrees.none {
      count += 1
      branch = records[Int(branch)].next
    }
    return count
  }

  /// Appends a branch of one step to a list and returns the list.
  func append(_ step: Int, to list: Branch) -> Branch {
    let branch = make(step)
    link(branch, atEndOf: list)
    return list == WakeupTrees.none ? branch : list
  }

  // MARK: Sequences

  /// True if the step is a weak initial of the sequence: a trace that begins with the step can also
  /// begin with the sequence.
  func isWeakInitial(_ step: Int, of sequence: GrowableBuffer<Int32>) -> Bool {
    if case .conflicts = relation(of: step, to: sequence) { return false }
    return true
  }

  /// True if some branch of the list, followed to its end, leads to a trace that also begins with
  /// the sequence.
  ///
  /// The last step may have its potential footprint. Then a conflict with a branch is inconclusive:
  /// the sequence might belong below that branch.
  func covers(_ sequence: GrowableBuffer<Int32>, list: Branch) -> Bool {
    descend(sequence, list: list, stopsAtLast: true) == .covered
  }

  /// Ensures that the tree leads to a trace that begins with the sequence; returns the list, which
  /// may have a new first branch.
  ///
  /// At every level the sequence follows the first branch that agrees with it; if none does, its
  /// rest becomes a new last branch.
  func insert(_ sequence: GrowableBuffer<Int32>, into list: Branch) -> Branch {
    guard case .missing(below: let place) = descend(sequence, list: list, stopsAtLast: false) else {
      return list
    }
    var list = list
    var parent = place
    for index in restStart..<rest.count {
      let branch = make(Int(rest[index]))
      if parent == WakeupTrees.none {
        link(branch, atEndOf: list)
        if list == WakeupTrees.none { list = branch }
      } else {
        link(branch, below: parent)
      }
      parent = branch
    }
    checkInvariants(of: list)
    return list
  }

  /// Follows a sequence down a tree, leaving in `rest` the part that no branch has.
  ///
  /// - Parameter stopsAtLast: whether to give up if the last step of the sequence conflicts.
  private func descend(
    _ sequence: GrowableBuffer<Int32>, list: Branch, stopsAtLast: Bool
  ) -> Descent {
    rest.removeAll()
    restStart = 0
    for index in 0..<sequence.count { rest.append(sequence[index]) }
    var parent = WakeupTrees.none
    var branch = list
    while branch != WakeupTrees.none {
      let record = records[Int(branch)]
      switch relation(of: Int(record.step), to: rest, from: restStart) {
      case .conflicts(let index):
        if stopsAtLast && index == rest.count - 1 { return .unknown }
        branch = record.next
        continue
      case .leads(let index): removeFromRest(index)
      case .commutes: break
      }
      if restStart == rest.count || record.firstChild == WakeupTrees.none { return .covered }
      parent = branch
      branch = record.firstChild
    }
    return .missing(below: parent)
  }

  private enum Descent: Equatable {
    case covered
    /// The sequence in `rest` is missing below a branch, or at the top for `none`.
    case missing(below: Branch)
    case unknown
  }

  private enum Relation {
    /// It occurs in the sequence, and no earlier step depends on it.
    case leads(Int)
    /// It does not occur, and no step depends on it.
    case commutes
    /// The element at this index depends on it or excludes it.
    case conflicts(Int)
  }

  @inline(__always)
  private func relation(
    of step: Int, to sequence: GrowableBuffer<Int32>, from start: Int = 0
  ) -> Relation {
    let index = steps.firstDependent(on: step, in: sequence, from: start)
    if index < sequence.count {
      // If they are of one CPU: no earlier step interfered, so they differ at most in a choice.
      let isSame = steps.areSameAction(Int(sequence[index]), step)
      return isSame ? .leads(index) : .conflicts(index)
    }
    return .commutes
  }

  private func removeFromRest(_ index: Int) {
    var hole = index
    while hole > restStart {
      rest[hole] = rest[hole - 1]
      hole -= 1
    }
    restStart += 1
  }

  // MARK: Checkpoints

  /// Branches made so far, including those that are free again.
  var count: Int { records.count }

  func save(to writer: CheckpointWriter) {
    writer.write(Int(freeList))
    writer.write(records.count)
    for index in 0..<records.count {
      let record = records[index]
      for number in [record.step, record.firstChild, record.next] { writer.write(Int(number)) }
    }
  }

  /// Reads saved trees, after the table of steps has been read.
  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    let free = try reader.number(in: -1..<Int(Int32.max))
    let count = try reader.count(ofBytes: 24)
    for _ in 0..<count {
      let step = try reader.number(in: 0..<steps.count)
      let firstChild = try reader.number(in: -1..<count)
      let next = try reader.number(in: -1..<count)
      records.append(
        Record(step: Int32(step), firstChild: Branch(firstChild), next: Branch(next)))
    }
    guard free < count else { throw .malformed }
    freeList = Branch(free)
  }

  // MARK: Branches

  private func make(_ step: Int) -> Branch {
    let record = Record(step: Int32(step))
    if freeList == WakeupTrees.none {
      records.append(record)
      return Branch(records.count - 1)
    }
    let branch = freeList
    freeList = records[Int(branch)].next
    records[Int(branch)] = record
    return branch
  }

  private func link(_ branch: Branch, below parent: Branch) {
    let list = records[Int(parent)].firstChild
    if list == WakeupTrees.none {
      records[Int(parent)].firstChild = branch
    } else {
      link(branch, atEndOf: list)
    }
  }

  private func link(_ branch: Branch, atEndOf list: Branch) {
    guard list != WakeupTrees.none else { return }
    var last = list
    while records[Int(last)].next != WakeupTrees.none { last = records[Int(last)].next }
    records[Int(last)].next = branch
  }
}
