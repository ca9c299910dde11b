// States with identical CPUs exchanged: their keys, and a check that the CPUs are identical.

import GracewalkFibers
import GracewalkSupport

/// Keeps the key of the present state's image under each permutation of identical CPUs.
///
/// A permutation of CPUs acts on everything that names one: a CPU's words and pages, sets of CPUs,
/// the owner of a lock, and the address of a page wherever a model keeps it. The image of a CPU's
/// local state is not computed. It is found by running the code of the image CPU along the permuted
/// history, and each time that code must ask for the permuted action. So CPUs are compared, step by
/// step, on every history that a search reaches.
///
/// The keys of a state are computed from those of an earlier state and the changes since; undoing
/// steps returns to the earlier keys.
final class Symmetry {
  unowned let machine: Machine
  let permutations: CPUPermutations
  let count: Int
  let images: CPUImages
  /// Per node and permutation, the image of the node, or `none`.
  let nodeImages = GrowableBuffer<LocalStates.Index>()
  /// Per node and permutation, the image's share of the state key.
  let nodeShares = GrowableBuffer<UInt64>()
  /// Keys per permutation, one row for each of the depths.
  let rows = GrowableBuffer<UInt64>()
  let depths = GrowableBuffer<Int>()
  private let path = GrowableBuffer<LocalStates.Index>()
  private var hasMovedPages = false

  init(_ machine: Machine) {
    self.machine = machine
    permutations = machine.permutations
    count = permutations.count
    images = CPUImages(machine)
  }

  deinit {
    nodeImages.deallocate()
    nodeShares.deallocate()
    rows.deallocate()
    depths.deallocate()
    path.deallocate()
  }

  // MARK: Histories

  /// Finds the image of a node under each permutation; false if there is none.
  private func findImages(of node: LocalStates.Index) -> Bool {
    if hasImages(node) { return true }
    path.removeAll()
    var next = node
    while next >= 0 && !hasImages(next) {
      path.append(next)
      next = machine.localStates.parent(of: next)
    }
    while !path.isEmpty {
      let next = path.removeLast()
      let missing = (Int(next) + 1) * count - nodeImages.count
      if missing > 0 {
        _ = nodeImages.extend(by: missing, with: LocalStates.none)
        _ = nodeShares.extend(by: missing, with: 0)
      }
      for permutation in 1..<count {
        let image = findImage(of: next, under: permutation)
        guard machine.failure == nil, isImage(image, of: next, under: permutation) else {
          return false
        }
        nodeImages[Int(next) * count + permutation] = image
        nodeShares[Int(next) * count + permutation] = machine.localStates[image].pointee.keyShare
      }
      nodeImages[Int(next) * count] = next
      nodeShares[Int(next) * count] = machine.localStates[next].pointee.keyShare
      checkImages(of: next)
    }
    return true
  }

  func hasImages(_ node: LocalStates.Index) -> Bool {
    let index = Int(node) * count
    return index < nodeImages.count && nodeImages[index] >= 0
  }

  private func findImage(
    of index: LocalStates.Index, under permutation: Int
  ) -> LocalStates.Index {
    let node = machine.localStates[index].pointee
    let cpu = permutations.image(of: Int(node.cpu), under: permutation)
    let source = machine.localStates.parent(of: index)
    guard source >= 0 else { return machine.localStates.root(of: machine.positions[cpu]) }
    let parent = nodeImages[Int(source) * count + permutation]
    let observed = images.image(
      ofResult: machine.localStates.observed(before: index),
      of: machine.localStates[source].pointee.action, by: Int(node.cpu), under: permutation)
    let known = machine.localStates.successor(of: parent, observing: observed)
    return known >= 0
      ? known : machine.growImage(of: index, by: cpu, from: parent, observing: observed)
  }

  /// True if the code asks at one node for the image of the action at the other.
  private func isImage(
    _ image: LocalStates.Index, of index: LocalStates.Index, under permutation: Int
  ) -> Bool {
    let node = machine.localStates[index].pointee
    let other = machine.localStates[image].pointee
    var expected = images.image(of: node.action, under: permutation)
    if node.action.kind == .callback(.call) && other.action.kind == .callback(.call) {
      // The key identifies the history of the CPU, and so the callback's body.
      expected.callbackKey = other.action.callbackKey
      guard
        images.noteCallback(
          other.action.callbackKey, inPlaceOf: node.action.callbackKey, under: permutation)
      else {
        fail(Int(node.cpu), "queues callbacks that depend on which CPU it is")
        return false
      }
    }
    if node.action.kind == .history(.respond) && other.action.kind == .history(.respond)
      && expected != other.action
    {
      fail(Int(node.cpu), "returns what depends on which CPU it is")
      return false
    }
    guard expected.isSameRequest(as: other.action), node.operation == other.operation else {
      let twin = machine.name(ofCPU: Int(other.cpu))
      fail(
        Int(node.cpu),
        "does '\(machine.text(of: node.action))' where \(twin), with the CPUs exchanged in all it "
          + "has observed, does '\(machine.text(of: other.action))' and not "
          + "'\(machine.text(of: expected))'")
      return false
    }
    return looksAtWholeAddresses(node)
  }

  /// A wait for some bits of a page's address has no image, since another page's address may have
  /// them.
  private func looksAtWholeAddresses(_ node: LocalStates.Node) -> Bool {
    let action = node.action
    if action.kind == .page(.allocate) && permutations.moves(Int(node.cpu)) { hasMovedPages = true }
    guard hasMovedPages, action.kind == .access(.wait), action.mask & Descriptor.addressMask != 0,
      !CPUImages.seesWholeAddresses(action.mask)
    else { return true }
    fail(Int(node.cpu), "waits for some bits of what may be the address of a page")
    return false
  }

  private func fail(_ cpu: Int, _ text: String) {
    machine.fail(.notIdentical("\(machine.name(ofCPU: cpu)) \(text)"))
  }

  /// Adding to the address of a page gives another page, which depends on the address.
  func noteArithmetic(from old: UInt64, to new: UInt64, in cell: UInt32, by cpu: Int) {
    for value in [old, new] {
      if let owner = images.owner(ofPageIn: value), permutations.moves(owner.cpu) {
        fail(cpu, "does arithmetic on the address of a page, in \(machine.name(ofCell: cell))")
      }
    }
  }

  // MARK: Keys

  func stepsWereTakenBack(to depth: Int) {
    while !depths.isEmpty && depths.last > depth {
      depths.truncate(to: depths.count - 1)
      rows.truncate(to: rows.count - count)
    }
    checkRows()
  }

  /// Fills a buffer with the present state's keys, one per permutation; false if CPUs turn out not
  /// to be identical.
  func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    // Programs first, since the callbacks depend on them.
    for cpu in 0..<machine.cpuCount {
      guard findImages(of: machine.positions[cpu]) else { return false }
    }
    if depths.isEmpty {
      guard addFirstRow() else { return false }
    } else if depths.last < machine.depth {
      addNextRow()
    }
    checkRows()
    checkLatestRow()
    keys.removeAll()
    for index in (rows.count - count)..<rows.count { keys.append(rows[index]) }
    return true
  }

  private func addFirstRow() -> Bool {
    demand(machine.depth == 0, "[internal] keys are asked for from the start")
    let first = rows.extend(by: count, with: 0)
    depths.append(0)
    let row = rows.pointer(to: first)
    let memory = machine.memory
    for number in 0..<machine.layout.cellCount {
      let cell = UInt32(truncatingIfNeeded: number)
      change(cell, from: 0, to: memory[cell], in: row)
    }
    for cpu in 0..<machine.cpuCount { add(machine.positions[cpu], to: row) }
    for permutation in 1..<count where row[permutation] != row[0] {
      machine.fail(.notIdentical("what they start from changes when they are exchanged"))
      return false
    }
    return true
  }

  private func addNextRow() {
    let start = rows.extend(by: count, with: 0)
    let row = rows.pointer(to: start)
    row.update(from: rows.pointer(to: start - count), count: count)
    let first = depths.last
    depths.append(machine.depth)
    let machine = self.machine
    let memory = machine.memory
    var moved = CPUSet()
    for depth in first..<machine.depth {
      let step = machine.takenStep(depth)
      guard !moved.contains(step.cpu) else { continue }
      moved.insert(step.cpu)
      remove(step.node, from: row)
      add(machine.positions[step.cpu], to: row)
    }
    let mark = machine.takenStep(first).mark
    for index in mark..<memory.mark {
      let change = memory.change(index)
      // Of several changes of a word, only the old value of the first and the present value matter.
      let isFirst = !(mark..<index).contains { memory.change($0).cell == change.cell }
      guard isFirst else { continue }
      self.change(change.cell, from: change.old, to: memory[change.cell], in: row)
    }
  }

  private func add(_ node: LocalStates.Index, to row: UnsafeMutablePointer<UInt64>) {
    let shares = nodeShares.pointer(to: Int(node) * count)
    for permutation in 0..<count { row[permutation] &+= shares[permutation] }
  }

  private func remove(_ node: LocalStates.Index, from row: UnsafeMutablePointer<UInt64>) {
    let shares = nodeShares.pointer(to: Int(node) * count)
    for permutation in 0..<count { row[permutation] &-= shares[permutation] }
  }

  /// Replaces the share of a word's old value in each key by that of its new value.
  private func change(
    _ cell: UInt32, from old: UInt64, to new: UInt64, in row: UnsafeMutablePointer<UInt64>
  ) {
    guard old != new else { return }
    let content = images.content(of: cell)
    if images.namesCPU(old, content) || images.namesCPU(new, content) {
      for permutation in 0..<count {
        let place = images.image(ofCell: cell, under: permutation)
        row[permutation] &-= share(images.image(of: old, content, under: permutation), place)
        row[permutation] &+= share(images.image(of: new, content, under: permutation), place)
      }
      return
    }
    var place = cell
    var difference = share(new, place) &- share(old, place)
    for permutation in 0..<count {
      let next = images.image(ofCell: cell, under: permutation)
      if next != place {
        place = next
        difference = share(new, place) &- share(old, place)
      }
      row[permutation] &+= difference
    }
  }

  /// The share of a word in a key; zero words have none.
  private func share(_ value: UInt64, _ cell: UInt32) -> UInt64 {
    value == 0 ? 0 : StableHash.share(of: value, at: UInt64(cell))
  }
}

extension Machine {
  func noteArithmetic(from old: UInt64, to new: UInt64, in cell: UInt32, by cpu: Int) {
    symmetry.noteArithmetic(from: old, to: new, in: cell, by: cpu)
  }

  func noteHistory(_ seen: UInt64, by cpu: Int) { symmetry.images.noteHistory(seen, by: cpu) }
}
