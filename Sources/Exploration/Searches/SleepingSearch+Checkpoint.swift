// What a search with sleep sets knows beside its path, to be saved and read back.

import GracewalkSupport

extension SleepingSearch {
  func willRetrace(_ step: Schedule.Step) { past.retrace(step.cpu, of: system) }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      for set in [node.enabled, node.backtrack, node.done, node.sleep] { writer.write(set) }
      writer.write(node.key)
      let numbers = [
        Int(node.permutation), node.cpu, node.choice, Int(node.choiceCount), node.step,
      ]
      for number in numbers { writer.write(number) }
      writer.write(node.isRevisit)
    }
    let perCPU = nodes.count * cpuCount
    writer.write(enablers, first: perCPU)
    summaries.save(to: writer)
    knowledge.save(to: writer)
    pairs.save(to: writer)
    for numbers in perNodeAndCPU {
      for index in 0..<perCPU { writer.write(Int(numbers[index])) }
    }
    writer.write(below, first: nodes.count * summaries.stride)
    finished.save(to: writer)
    exact?.save(to: writer)
  }

  private var perNodeAndCPU: [GrowableBuffer<Int32>] {
    [sleeperSteps, sleeperSets, pending, disabledSteps]
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    for _ in 0..<(try reader.count(ofBytes: 88)) { nodes.append(try node(from: reader)) }
    guard nodes.count == past.count + 1 else { throw .malformed }
    let perCPU = nodes.count * cpuCount
    try reader.words(into: enablers, expected: perCPU)
    try summaries.restore(from: reader, cpuCount: cpuCount, objectCount: system.objectCount)
    try knowledge.restore(from: reader, of: summaries)
    try pairs.restore(from: reader, setCount: summaries.setCount)
    for numbers in perNodeAndCPU {
      for _ in 0..<perCPU {
        let number = try reader.number(in: Int(Int32.min)..<Int(Int32.max))
        numbers.append(Int32(number))
      }
    }
    try reader.words(into: below, expected: nodes.count * summaries.stride)
    try finished.restore(from: reader, below: max(pairs.count, 1))
    try exact?.restore(from: reader)
  }

  private func node(from reader: CheckpointReader) throws(CheckpointError) -> Node {
    var node = Node(
      enabled: try reader.cpus(), backtrack: try reader.cpus(), done: try reader.cpus(),
      sleep: try reader.cpus(), key: try reader.word(),
      permutation: Int16(try reader.number(in: 0..<system.permutationCount)))
    node.cpu = try reader.number(in: 0..<cpuCount)
    node.choice = try reader.number(in: 0..<Int.max)
    node.choiceCount = Int32(try reader.number(in: 0..<Int(Int32.max)))
    node.step = try reader.number(in: 0..<Int.max)
    node.isRevisit = try reader.flag()
    return node
  }
}
