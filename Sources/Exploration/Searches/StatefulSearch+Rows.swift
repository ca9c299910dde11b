// The rows of a stateful search, with a bit per step that ran below each node; and memory
// statistics.

import GracewalkSupport

extension StatefulSearch {
  func clearRow(_ row: Int) {
    ranBelow.setCount(to: (row + 1) * summaries.stride)
    ranBelow.pointer(to: row * summaries.stride).update(repeating: 0, count: summaries.stride)
  }

  func mergeRow(_ source: Int, into target: Int) {
    let stride = summaries.stride
    let from = ranBelow.pointer(to: source * stride)
    let to = ranBelow.pointer(to: target * stride)
    for word in 0..<stride { to[word] |= from[word] }
  }

  func setBit(_ step: Int, inRow row: Int) {
    while summaries.needsLongerRows(for: step) { lengthenRows() }
    ranBelow[row * summaries.stride + step / 64] |= 1 << UInt64(step % 64)
  }

  /// Sets in an empty row the images of another row's steps.
  func translate(
    _ bits: UnsafeMutablePointer<UInt64>, _ permutation: Int, toRow row: Int
  ) {
    guard let names else { return }
    // Images may be new steps that lengthen the rows, so no pointer into a row is held meanwhile.
    names.steps.removeAll()
    summaries.eachStep(of: bits, words: summaries.stride) { names.steps.append($0) }
    for index in 0..<names.steps.count {
      let image = names.image(ofStep: names.steps[index], under: permutation)
      knowledge.enter(upTo: image, of: summaries)
      setBit(image, inRow: row)
    }
  }

  func lengthenRows() {
    let old = summaries.stride
    let rows = ranBelow.count / old
    let copies = (0..<ranBelow.count).map { ranBelow[$0] }
    summaries.lengthenRows()
    ranBelow.removeAll()
    for row in 0..<rows {
      let start = ranBelow.extend(by: summaries.stride, with: 0)
      for word in 0..<old { ranBelow[start + word] = copies[row * old + word] }
    }
  }

  // MARK: Sets

  /// The number of what ran, and was read, below a node.
  func intern(_ row: Int, _ asleep: CPUSet) -> Int {
    summaries.intern(
      ranBelow.pointer(to: row * summaries.stride), sleep: asleep,
      reading: matching?.live.set(ofRow: row) ?? LiveWords.none)
  }

  /// The same as it would be with CPUs exchanged; uses the next row.
  func internImage(ofRow row: Int, _ asleep: CPUSet, under permutation: Int) -> Int {
    clearRow(row + 1)
    translate(ranBelow.pointer(to: row * summaries.stride), permutation, toRow: row + 1)
    matching?.translate(row, permutation, toRow: row + 1)
    return intern(row + 1, image(of: asleep, under: permutation))
  }

  /// The permutation that leads from the state with the key to the one with the name.
  func inverse(of name: StateName) -> Int {
    guard let names, name.permutation != 0 else { return 0 }
    return names.inverse(of: Int(name.permutation))
  }

  func image(of cpus: CPUSet, under permutation: Int) -> CPUSet {
    guard permutation != 0 else { return cpus }
    var image = CPUSet()
    var left = cpus
    while let cpu = left.popLowest() { image.insert(system.image(ofCPU: cpu, under: permutation)) }
    return image
  }

  // MARK: Size and progress

  /// Bytes used for states and their summaries.
  public var bytes: Int {
    finished.bytes + summaries.bytes + knowledge.bytes + (exact?.bytes ?? 0)
      + (matching?.bytes ?? 0)
  }

  /// Bytes used per stored state, including summaries.
  public var bytesPerState: Double { Double(bytes) / Double(max(finished.count, 1)) }

  /// The explored part, estimated from the ages of the stack; nil when it is empty.
  var explored: Double? {
    guard !nodes.isEmpty else { return nil }
    let ages = StackAges(after: statistics.transitions)
    let old = nodes.all.count { ages.isOld($0.begun) }
    return ages.explored(old: old, depthMax: statistics.depthMax)
  }

  /// Adds a node of the stack; returns the shares of its last done children.
  func add(_ index: Int, to part: inout ExploredPart, lent: Int) -> [Double] {
    let node = nodes[index]
    let isBetween = node.choice == Int(node.choiceCount)
    return part.add(
      done: node.done.union(node.lent).count, known: node.backtrack.subtracting(node.sleep).count,
      choice: isBetween ? 0 : node.choice, of: Int(node.choiceCount), lent: lent)
  }
}
