// States with identical CPUs exchanged: their keys, and that the CPUs are identical indeed.

import Support

/// Keeps, for the present state and each permutation of identical CPUs, the key of the state that
/// the same execution leads to with the CPUs exchanged.
///
/// A permutation of CPUs acts on all that names one: a CPU's words and pages, sets of CPUs, the
/// owner of a lock, and the address of a page wherever a model keeps it. What it makes of a CPU's
/// local state is not computed but found by running the code of the CPU that takes its place along
/// the permuted history; whether that code then asks for the permuted action is checked each time.
/// So CPUs are compared, step by step, on every history that a search meets.
///
/// The keys of a state follow from those of an earlier state on the way there and from what has
/// changed since; steps that are taken back leave the earlier keys behind.
final class Symmetry {
  /// What the value of a word says about CPUs.
  private enum Content: UInt8, BitwiseCopyable {
    case number
    /// What a model has stored: a table descriptor names the CPU that allocated the page.
    case modelValue
    /// One more than the number of the CPU that holds a lock.
    case holder
    case cpuSet
    case callbackKey
  }

  private struct HistoryKey: Hashable {
    var cpu: Int
    var seen: UInt64
  }

  private unowned let machine: Machine
  private let permutations: CPUPermutations
  private let count: Int
  private let contents: GrowableBuffer<Content>
  /// Where in `cellImages` a cell's row begins, or -1 if nothing ever takes its place.
  private let cellRows: GrowableBuffer<Int32>
  /// Per permutation, the cell that takes a cell's place.
  private let cellImages = GrowableBuffer<UInt32>(capacity: 1_024)
  /// Per node and permutation, the node that takes its place, or `none`.
  private let nodeImages = GrowableBuffer<ObservationTree.Index>()
  /// Per node and permutation, the share in the state key of the node that takes its place.
  private let nodeShares = GrowableBuffer<UInt64>()
  /// Keys per permutation, one row for each of the depths.
  private let rows = GrowableBuffer<UInt64>()
  private let depths = GrowableBuffer<Int>()
  private let path = GrowableBuffer<ObservationTree.Index>()
  private var callbackKeys: [[UInt64: UInt64]]
  /// Operations completed per CPU, by what a CPU that began one saw of them.
  private var histories: [HistoryKey: [UInt64]] = [:]
  private var hasMovedPages = false

  init(_ machine: Machine) {
    self.machine = machine
    permutations = machine.permutations
    count = permutations.count
    callbackKeys = Array(repeating: [:], count: count)
    contents = GrowableBuffer(repeating: .number, count: machine.layout.cellCount)
    cellRows = GrowableBuffer(repeating: -1, count: machine.layout.cellCount)
    describeNamedWords()
    describePages()
    describeCPUs()
  }

  deinit {
    contents.deallocate()
    cellRows.deallocate()
    cellImages.deallocate()
    nodeImages.deallocate()
    nodeShares.deallocate()
    rows.deallocate()
    depths.deallocate()
    path.deallocate()
  }

  // MARK: Cells

  private func describe(
    _ cell: UInt32, of cpu: Int, _ content: Content, _ image: (Int) -> UInt32
  ) {
    contents[Int(cell)] = content
    guard permutations.moves(cpu) else { return }
    cellRows[Int(cell)] = Int32(truncatingIfNeeded: cellImages.count)
    for permutation in 0..<count { cellImages.append(image(permutation)) }
  }

  private func describeNamedWords() {
    let scenario = machine.scenario
    for cell in scenario.wordCells { contents[Int(cell)] = .modelValue }
    for cell in scenario.spinLockCells { contents[Int(cell)] = .holder }
    for cell in scenario.readWriteLockCells {
      contents[Int(cell)] = .cpuSet
      for cpu in 0..<machine.layout.cpuCount {
        describe(cell + 1 + UInt32(cpu), of: cpu, .number) {
          cell + 1 + UInt32(permutations.image(of: cpu, under: $0))
        }
      }
    }
  }

  private func describePages() {
    let layout = machine.layout
    let entries = UInt32(layout.geometry.entries)
    for owner in 0...layout.cpuCount {
      for index in 0..<Layout.pagesPerOwner {
        let page = layout.page(owner: owner, index: index)
        for offset in 0..<(Layout.pageHeader + entries) {
          let content: Content =
            switch offset {
            case Layout.referencesOffset, Layout.privateOffset, Layout.pageHeader...: .modelValue
            case Layout.readersOffset, Layout.readersAtUnlinkOffset: .cpuSet
            default: .number
            }
          describe(page.base + offset, of: owner, content) {
            let image = permutations.image(of: owner, under: $0)
            return layout.page(owner: image, index: index).base + offset
          }
        }
      }
    }
  }

  private func describeCPUs() {
    let layout = machine.layout
    for cpu in 0...layout.cpuCount {
      for offset in 0..<Layout.cpuStride {
        let content: Content =
          layout.section(cpu) + offset == layout.graceReaders(cpu)
          ? .cpuSet : .number
        describe(layout.section(cpu) + offset, of: cpu, content) {
          layout.section(permutations.image(of: cpu, under: $0)) + offset
        }
      }
    }
    for cpu in 0..<layout.cpuCount {
      for index in 0..<Layout.callbacksPerCPU {
        let first = layout.callbackReaders(cpu, index)
        for offset in 0..<Layout.callbackStride {
          let content: Content =
            switch first + offset {
            case first, layout.callbackReadersAtCall(cpu, index): .cpuSet
            case layout.callbackKey(cpu, index): .callbackKey
            default: .number
            }
          describe(first + offset, of: cpu, content) {
            layout.callbackReaders(permutations.image(of: cpu, under: $0), index) + offset
          }
        }
      }
      for other in 0..<layout.cpuCount {
        let isMoved = permutations.moves(cpu)
        describe(layout.barrierTarget(cpu, other), of: isMoved ? cpu : other, .number) {
          layout.barrierTarget(
            permutations.image(of: cpu, under: $0), permutations.image(of: other, under: $0))
        }
      }
    }
  }

  func image(ofCell cell: UInt32, under permutation: Int) -> UInt32 {
    let row = Int(cellRows[Int(cell)])
    return row < 0 ? cell : cellImages[row + permutation]
  }

  // MARK: Values

  private func image(
    of value: UInt64, _ content: Content, under permutation: Int
  ) -> UInt64 {
    switch content {
    case .number: value
    case .modelValue: image(ofModelValue: value, under: permutation)
    case .holder:
      value == 0 ? 0 : UInt64(permutations.image(of: Int(value) - 1, under: permutation)) + 1
    case .cpuSet: image(ofCPUs: value, under: permutation)
    case .callbackKey: callbackKeys[permutation][value] ?? value
    }
  }

  /// The CPU whose page a value points to, if it points to one.
  private func owner(ofPageIn value: UInt64) -> (cpu: Int, page: Int)? {
    guard let id = machine.linkedPage(by: value), let cpu = machine.layout.owner(ofPage: id)
    else { return nil }
    return (cpu, id)
  }

  private func image(ofModelValue value: UInt64, under permutation: Int) -> UInt64 {
    guard let owner = owner(ofPageIn: value) else { return value }
    let id = image(ofPage: owner.page, of: owner.cpu, under: permutation)
    return value & ~Descriptor.addressMask | Descriptor.table(machine.layout.page(id)).bits
  }

  private func image(ofPage id: Int, of cpu: Int, under permutation: Int) -> Int {
    let image = permutations.image(of: cpu, under: permutation)
    return machine.layout.page(owner: image, index: id % Layout.pagesPerOwner).id
  }

  /// Bits that stand for no CPU stay where they are.
  private func image(ofCPUs bits: UInt64, under permutation: Int) -> UInt64 {
    var left = CPUSet(bits: bits).intersection(.first(machine.layout.cpuCount))
    var image = CPUSet(bits: bits).subtracting(left)
    while let cpu = left.popLowest() {
      image.insert(permutations.image(of: cpu, under: permutation))
    }
    return image.bits
  }

  /// What the code that takes a CPU's place must ask for.
  private func image(of action: Action, under permutation: Int) -> Action {
    var image = action
    image.cell = self.image(ofCell: action.cell, under: permutation)
    image.lifetime = self.image(ofCell: action.lifetime, under: permutation)
    switch action.kind {
    case .store, .exchange: image.a = self.image(ofModelValue: action.a, under: permutation)
    case .compareExchange:
      image.a = self.image(ofModelValue: action.a, under: permutation)
      image.b = self.image(ofModelValue: action.b, under: permutation)
    case .wait where Self.seesWholeAddresses(action.a):
      image.b = self.image(ofModelValue: action.b, under: permutation)
    case .graceEnd: image.a = self.image(ofCPUs: action.a, under: permutation)
    default: break
    }
    return image
  }

  private static func seesWholeAddresses(_ mask: UInt64) -> Bool {
    let bits = Descriptor.addressMask | Descriptor.tableBit | Descriptor.validBit
    return mask & bits == bits
  }

  /// What the CPU that takes a CPU's place observes when an action is taken.
  private func image(
    ofResult result: UInt64, of action: Action, by cpu: Int, under permutation: Int
  ) -> UInt64 {
    switch action.kind {
    case .load, .wait, .compareExchange, .exchange, .fetchAdd:
      return image(ofModelValue: result, under: permutation)
    case .allocate: return UInt64(image(ofPage: Int(result), of: cpu, under: permutation))
    case .graceStart: return image(ofCPUs: result, under: permutation)
    case .callbackStart: return callbackKeys[permutation][result] ?? result
    case .invoke:
      guard let completed = histories[HistoryKey(cpu: cpu, seen: result)] else { return result }
      let back = permutations.inverse(of: permutation)
      return machine.historySeen(by: permutations.image(of: cpu, under: permutation)) {
        completed[permutations.image(of: $0, under: back)]
      }
    default: return result
    }
  }

  // MARK: Histories

  /// Finds what takes the place of a node, under each permutation; false if there is no such thing.
  private func findImages(of node: ObservationTree.Index) -> Bool {
    if hasImages(node) { return true }
    path.removeAll()
    var next = node
    while next >= 0 && !hasImages(next) {
      path.append(next)
      next = machine.tree[next].pointee.parent
    }
    while !path.isEmpty {
      let next = path.removeLast()
      let missing = (Int(next) + 1) * count - nodeImages.count
      if missing > 0 {
        _ = nodeImages.extend(by: missing, with: ObservationTree.none)
        _ = nodeShares.extend(by: missing, with: 0)
      }
      for permutation in 1..<count {
        let image = findImage(of: next, under: permutation)
        guard machine.failure == nil, isImage(image, of: next, under: permutation) else {
          return false
        }
        nodeImages[Int(next) * count + permutation] = image
        nodeShares[Int(next) * count + permutation] = machine.tree[image].pointee.keyShare
      }
      nodeImages[Int(next) * count] = next
      nodeShares[Int(next) * count] = machine.tree[next].pointee.keyShare
    }
    return true
  }

  private func hasImages(_ node: ObservationTree.Index) -> Bool {
    let index = Int(node) * count
    return index < nodeImages.count && nodeImages[index] >= 0
  }

  private func findImage(
    of index: ObservationTree.Index, under permutation: Int
  ) -> ObservationTree.Index {
    let node = machine.tree[index].pointee
    let cpu = permutations.image(of: Int(node.cpu), under: permutation)
    guard node.parent >= 0 else {
      var root = machine.positions[cpu]
      while machine.tree[root].pointee.parent >= 0 { root = machine.tree[root].pointee.parent }
      return root
    }
    let parent = nodeImages[Int(node.parent) * count + permutation]
    let observed = image(
      ofResult: node.observed, of: machine.tree[node.parent].pointee.action, by: Int(node.cpu),
      under: permutation)
    let known = machine.tree.child(of: parent, observing: observed)
    return known >= 0
      ? known : machine.growImage(of: index, by: cpu, at: parent, observing: observed)
  }

  /// True if the code asks at one node for what it asks for at the other, with CPUs exchanged.
  private func isImage(
    _ image: ObservationTree.Index, of index: ObservationTree.Index, under permutation: Int
  ) -> Bool {
    let node = machine.tree[index].pointee
    let other = machine.tree[image].pointee
    var expected = self.image(of: node.action, under: permutation)
    if node.action.kind == .call && other.action.kind == .call {
      // The key stands for the history of the CPU, and so for the callback's body.
      expected.b = other.action.b
      let known = callbackKeys[permutation].updateValue(other.action.b, forKey: node.action.b)
      if let known, known != other.action.b {
        fail(Int(node.cpu), "queues callbacks that depend on which CPU it is")
        return false
      }
    }
    if node.action.kind == .respond && other.action.kind == .respond && expected != other.action {
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

  /// A wait for some bits of an address is not the same wait for the address of another page.
  private func looksAtWholeAddresses(_ node: ObservationTree.Node) -> Bool {
    let action = node.action
    if action.kind == .allocate && permutations.moves(Int(node.cpu)) { hasMovedPages = true }
    guard hasMovedPages, action.kind == .wait, action.a & Descriptor.addressMask != 0,
      !Self.seesWholeAddresses(action.a)
    else { return true }
    fail(Int(node.cpu), "waits for some bits of what may be the address of a page")
    return false
  }

  private func fail(_ cpu: Int, _ text: String) {
    machine.fail(.notIdentical("\(machine.name(ofCPU: cpu)) \(text)"))
  }

  /// Adding to the address of a page leads to another page, and which depends on the address.
  func noteArithmetic(from old: UInt64, to new: UInt64, in cell: UInt32, by cpu: Int) {
    for value in [old, new] {
      if let owner = owner(ofPageIn: value), permutations.moves(owner.cpu) {
        fail(cpu, "does arithmetic on the address of a page, in \(machine.name(ofCell: cell))")
      }
    }
  }

  /// Notes what a CPU that begins an operation sees of the others, which it observes as a hash.
  func noteHistory(_ seen: UInt64, by cpu: Int) {
    let key = HistoryKey(cpu: cpu, seen: seen)
    guard histories[key] == nil else { return }
    histories[key] = (0..<machine.layout.cpuCount).map {
      machine.memory[machine.layout.history($0)]
    }
  }

  // MARK: Keys

  func stepsWereTakenBack(to depth: Int) {
    while !depths.isEmpty && depths.last > depth {
      depths.truncate(to: depths.count - 1)
      rows.truncate(to: rows.count - count)
    }
  }

  /// Puts the present state's keys into a buffer, one per permutation; false if CPUs turn out not
  /// to be identical.
  func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    // Programs first: which callbacks there are follows from what they did.
    for cpu in 0..<machine.cpuCount {
      guard findImages(of: machine.positions[cpu]) else { return false }
    }
    if depths.isEmpty {
      guard addFirstRow() else { return false }
    } else if depths.last < machine.depth {
      addNextRow()
    }
    keys.removeAll()
    for index in (rows.count - count)..<rows.count { keys.append(rows[index]) }
    return true
  }

  private func addFirstRow() -> Bool {
    precondition(machine.depth == 0, "[internal] keys are asked for from the start")
    let first = rows.extend(by: count, with: 0)
    depths.append(0)
    let row = rows.pointer(to: first)
    for number in 0..<machine.layout.cellCount {
      let cell = UInt32(truncatingIfNeeded: number)
      change(cell, from: 0, to: machine.memory[cell], in: row)
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
    var moved = CPUSet()
    for depth in first..<machine.depth {
      let frame = machine.frame(depth)
      guard !moved.contains(frame.cpu) else { continue }
      moved.insert(frame.cpu)
      remove(frame.node, from: row)
      add(machine.positions[frame.cpu], to: row)
    }
    let mark = machine.frame(first).mark
    for index in mark..<machine.memory.mark {
      let change = machine.memory.change(index)
      // Of several changes of a word, only the first matters, and what is there now.
      let isFirst = !(mark..<index).contains { machine.memory.change($0).cell == change.cell }
      guard isFirst else { continue }
      self.change(change.cell, from: change.old, to: machine.memory[change.cell], in: row)
    }
  }

  private func add(_ node: ObservationTree.Index, to row: UnsafeMutablePointer<UInt64>) {
    let shares = nodeShares.pointer(to: Int(node) * count)
    for permutation in 0..<count { row[permutation] &+= shares[permutation] }
  }

  private func remove(_ node: ObservationTree.Index, from row: UnsafeMutablePointer<UInt64>) {
    let shares = nodeShares.pointer(to: Int(node) * count)
    for permutation in 0..<count { row[permutation] &-= shares[permutation] }
  }

  /// Puts the share that a word's value has in each key in the place of that of another value.
  private func change(
    _ cell: UInt32, from old: UInt64, to new: UInt64, in row: UnsafeMutablePointer<UInt64>
  ) {
    guard old != new else { return }
    let content = contents[Int(cell)]
    let images = Int(cellRows[Int(cell)])
    if namesCPU(old, content) || namesCPU(new, content) {
      for permutation in 0..<count {
        let place = image(ofCell: cell, under: permutation)
        row[permutation] &-= share(image(of: old, content, under: permutation), place)
        row[permutation] &+= share(image(of: new, content, under: permutation), place)
      }
      return
    }
    var place = cell
    var difference = share(new, place) &- share(old, place)
    for permutation in 0..<count {
      if images >= 0, cellImages[images + permutation] != place {
        place = cellImages[images + permutation]
        difference = share(new, place) &- share(old, place)
      }
      row[permutation] &+= difference
    }
  }

  /// True if a value may be another one where CPUs are exchanged.
  private func namesCPU(_ value: UInt64, _ content: Content) -> Bool {
    switch content {
    case .number: false
    case .modelValue: machine.linkedPage(by: value) != nil
    case .holder, .cpuSet, .callbackKey: value != 0
    }
  }

  /// The share of a word in a key: words that are zero have none.
  private func share(_ value: UInt64, _ cell: UInt32) -> UInt64 {
    value == 0 ? 0 : StableHash.share(of: value, at: UInt64(cell))
  }
}

extension Machine {
  func noteArithmetic(from old: UInt64, to new: UInt64, in cell: UInt32, by cpu: Int) {
    symmetry.noteArithmetic(from: old, to: new, in: cell, by: cpu)
  }

  func noteHistory(_ seen: UInt64, by cpu: Int) { symmetry.noteHistory(seen, by: cpu) }

  /// A hash of how many operations each of the other CPUs has completed.
  func historySeen(by cpu: Int, completed: (Int) -> UInt64) -> UInt64 {
    var seen: UInt64 = 0
    for other in 0..<layout.cpuCount where other != cpu {
      seen = StableHash.extend(seen, with: completed(other))
    }
    return seen
  }
}
