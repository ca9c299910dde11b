// Invariants of the graph of local states.

import GracewalkSupport

extension LocalStates {
  /// A node's `way` leads to it from an older node.
  func checkInvariants(ofNode index: Index) {
    let node = self[index].pointee
    if node.way >= 0 {
      let way = edges[Int(node.way)]
      mustHold(way.target == index, "the way to node \(index) leads to \(way.target)")
      mustHold(way.source < index, "node \(index) is older than \(way.source), which leads to it")
    }
    if !isLeaf(index) {
      mustHold(edges[Int(node.firstEdge)].source == index, "node \(index) has the edge of another")
      mustHold(!node.action.kind.isEnd, "node \(index), where code has ended, has an edge")
    }
    mustHold(
      node.keyShare == StableHash.share(of: node.localHash, at: ~UInt64(node.cpu)),
      "node \(index) has a share in keys that is not that of its hash")
  }

  /// An edge is in its source's list once, before all older edges, and is the only one for its
  /// observed value.
  ///
  /// It connects nodes of the same CPU.
  func checkInvariants(ofEdge index: EdgeIndex) {
    let edge = edges[Int(index)]
    mustHold(
      self[edge.source].pointee.cpu == self[edge.target].pointee.cpu,
      "edge \(index) leads from one CPU to another")
    mustHold(edge.next < index, "edge \(index) comes before an older one")
    #if CHECKS_INVARIANTS
      let alike = edges(from: edge.source).filter { edges[Int($0)].observed == edge.observed }
      mustHold(alike == [index], "\(alike.count) edges from node \(edge.source) are for one result")
    #endif
  }

  /// Checks the whole graph.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      for index in 0..<nodes.count { checkInvariants(ofNode: Index(index)) }
      for index in 0..<edges.count { checkInvariants(ofEdge: EdgeIndex(index)) }
      let roots = (0..<nodes.count).filter { nodes[$0].way < 0 }
      mustHold(Set(roots.map { nodes[$0].cpu }).count == roots.count, "a CPU has two roots")
    #endif
  }
}

extension Machine {
  /// Each CPU is at a node of its own graph.
  func checkLocalStates() {
    #if CHECKS_INVARIANTS
      localStates.checkInvariants()
      for cpu in 0..<cpuCount where positions[cpu] >= 0 {
        mustHold(Int(node(of: cpu).pointee.cpu) == cpu, "the node of CPU \(cpu) belongs to another")
      }
    #endif
  }
}
