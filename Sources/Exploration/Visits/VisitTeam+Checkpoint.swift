// What a team of visitors knows between two rounds, to be saved and read back.

import GracewalkSupport

extension VisitTeam {
  var path: [Schedule.Step] { first.path }

  func willRetrace(_ step: Schedule.Step) { first.willRetrace(step) }

  func save(to writer: CheckpointWriter) {
    writer.write(isDivided)
    writer.write(stateCount)
    (isDivided ? known : first.found).save(to: writer)
    (graph ?? first.graph)?.save(to: writer)
    (reduced ?? first.reduced)?.save(to: writer)
    exactStates?.save(to: writer)
    counts.save(to: writer)
    writer.write(statesTwice)
    writer.write(members.count)
    for (number, member) in members.enumerated() {
      if number > 0 { Checkpointer.saveWay(of: member, member.system, to: writer) }
      member.save(to: writer)
    }
  }

  func restore(from reader: CheckpointReader) throws(CheckpointError) {
    let wasDivided = try reader.flag()
    let count = try reader.number(in: 0..<Int(UInt32.max))
    try first.found.restore(from: reader, below: count)
    try first.graph?.restore(from: reader)
    guard first.found.count == count, first.graph.map({ $0.count == count }) ?? true else {
      throw .malformed
    }
    if let graph = first.graph {
      try first.reduced?.restore(from: reader, graph, objectCount: first.system.objectCount)
    }
    try exactStates?.restore(from: reader)
    counts = try Statistics(from: reader)
    statesTwice = try reader.number(in: 0..<Int.max)
    if wasDivided { divide() }
    let memberCount = try reader.number(in: 1..<(wasDivided ? division.places + 1 : 2))
    while members.count < memberCount { addMember() }
    for (number, member) in members.enumerated() {
      if number > 0 { try Checkpointer.restoreWay(of: member, member.system, from: reader) }
      try member.restore(from: reader, statesBelow: count)
    }
  }
}
