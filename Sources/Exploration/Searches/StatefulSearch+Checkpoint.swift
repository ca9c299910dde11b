// What a stateful search knows beside its path, to be saved and read back.

import GracewalkSupport

extension StatefulSearch {
  func willRetrace(_ step: Schedule.Step) { past.retrace(step.cpu, of: system) }

  func save(to writer: CheckpointWriter) {
    statistics.save(to: writer)
    writer.write(finalStates)
    writer.write(nodes.count)
    for index in 0..<nodes.count {
      let node = nodes[index]
      for set in [node.enabled, node.backtrack, node.done] { writer.write(set) }
      writer.write(node.key)
      let numbers = [
        Int(node.permutation), node.cpu, node.choice, Int(node.choiceCount), node.step,
      ]
      for number in numbers { writer.write(number) }
    }
    writer.write(enablers, first: nodes.count * system.cpuCount)
    summaries.save(to: writer)
    writer.write(below, first: nodes.count * summaries.stride)
    finished.save(to: writer)
    exact?.save(to: writer)
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    statistics = try Statistics(from: reader)
    finalStates = try reader.words()
    let cpus = system.cpuCount
    for _ in 0..<(try reader.count(ofBytes: 72)) {
      var node = Node(
        enabled: try reader.cpus(), backtrack: try reader.cpus(), done: try reader.cpus(),
        key: try reader.word(),
        permutation: Int16(try reader.number(in: 0..<system.permutationCount)))
      node.cpu = try reader.number(in: 0..<cpus)
      node.choice = try reader.number(in: 0..<Int.max)
      node.choiceCount = Int32(try reader.number(in: 0..<Int(Int32.max)))
      node.step = try reader.number(in: 0..<Int.max)
      nodes.append(node)
    }
    guard nodes.count == past.count + 1 else { throw .malformed }
    try reader.words(into: enablers, expected: nodes.count * cpus)
    try summaries.restore(from: reader, cpuCount: cpus, objectCount: system.objectCount)
    try reader.words(into: below, expected: nodes.count * summaries.stride)
    try finished.restore(from: reader, below: summaries.setCount)
    try exact?.restore(from: reader)
  }
}
