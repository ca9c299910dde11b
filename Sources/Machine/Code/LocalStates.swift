// What each virtual CPU does next, as a graph of the local states that its code can be in.

import GracewalkSupport

/// The memo of all virtual CPUs' behaviour: one graph per CPU.
///
/// Code is deterministic, so what a CPU does next depends on nothing but what it knows: its local
/// state. A node is such a state; it holds the action that the code asks for there. An edge leads
/// from a node, by what the CPU observed of that action, to the next. The code runs only where the
/// graph has no edge yet. Everywhere else a step is a lookup, and returning to an earlier point of
/// an execution needs no code to run at all. (Compare the unfolding of a process in Milner's
/// "Communication and Concurrency", 1989.)
///
/// Several edges may lead to one node. Where nothing is known to be equal the graph is a tree: a
/// node is then a CPU that has observed the results on the way to it.
package final class LocalStates {
  package typealias Index = Int32
  package typealias EdgeIndex = Int32
  /// No node, or no edge.
  static let none: Index = -1

  struct Node: BitwiseCopyable {
    var action: Action
    /// The edge from here that was added last, or `none`.
    var firstEdge: EdgeIndex = LocalStates.none
    /// The edge by which the code first came here; `none` at a root.
    var way: EdgeIndex = LocalStates.none
    /// The CPU's share in the state key.
    var keyShare: UInt64
    /// A hash of all that the CPU knows.
    var localHash: UInt64
    /// A number for what `localHash` is a hash of; 0 unless the machine keeps identities.
    var identity: UInt32 = 0
    /// Which operation of the CPU's program it is in, counted from 0.
    var operation: Int32
    /// Actions in a row, up to this one, that could not change anything.
    var idleSteps: Int32 = 0
    var cpu: UInt8
    var isBlocking: Bool
  }

  struct Edge: BitwiseCopyable {
    /// What the source's action returned.
    var observed: UInt64
    var source: Index
    var target: Index
    /// The edge from the same source that was added before this one, or `none`.
    var next: EdgeIndex
  }

  let nodes = GrowableBuffer<Node>(capacity: 256)
  let edges = GrowableBuffer<Edge>(capacity: 256)

  deinit {
    nodes.deallocate()
    edges.deallocate()
  }

  @inline(__always)
  subscript(index: Index) -> UnsafeMutablePointer<Node> { nodes.pointer(to: Int(index)) }

  /// The node reached from `index` by observing a result, or `none` if the code never has.
  @inline(__always)
  func successor(of index: Index, observing result: UInt64) -> Index {
    var next = self[index].pointee.firstEdge
    while next >= 0 {
      let edge = edges.pointer(to: Int(next))
      if edge.pointee.observed == result { return edge.pointee.target }
      next = edge.pointee.next
    }
    return LocalStates.none
  }

  /// Adds a node, and the edge by which the code came to it, and returns its index.
  ///
  /// A source of `none` makes it a root.
  func add(_ node: Node, from source: Index, observing result: UInt64) -> Index {
    demand(nodes.count < Int(Index.max), "[internal] too many distinct local states")
    let index = Index(nodes.count)
    nodes.append(node)
    if source >= 0 { self[index].pointee.way = connect(source, to: index, observing: result) }
    checkInvariants(ofNode: index)
    return index
  }

  /// Adds an edge, and returns its index.
  @discardableResult
  func connect(_ source: Index, to target: Index, observing result: UInt64) -> EdgeIndex {
    demand(edges.count < Int(EdgeIndex.max), "[internal] too many distinct observations")
    let index = EdgeIndex(edges.count)
    let next = self[source].pointee.firstEdge
    edges.append(Edge(observed: result, source: source, target: target, next: next))
    self[source].pointee.firstEdge = index
    checkInvariants(ofEdge: index)
    return index
  }

  /// True if no code has gone on from the node.
  func isLeaf(_ index: Index) -> Bool { self[index].pointee.firstEdge < 0 }

  // MARK: Ways

  /// The node that the code came from when it first came to a node; `none` for a root.
  @inline(__always)
  func parent(of index: Index) -> Index {
    let way = self[index].pointee.way
    return way < 0 ? LocalStates.none : edges[Int(way)].source
  }

  /// What the code observed at the node's parent when it first came to the node; 0 for a root.
  func observed(before index: Index) -> UInt64 {
    let way = self[index].pointee.way
    return way < 0 ? 0 : edges[Int(way)].observed
  }

  func root(of index: Index) -> Index {
    var root = index
    while self[root].pointee.way >= 0 { root = parent(of: root) }
    return root
  }

  /// The last node on the way to a node, itself included, of which something is true; or `none`.
  func nearest(to index: Index, where isMeant: (Index) -> Bool) -> Index {
    var node = index
    while node >= 0 && !isMeant(node) { node = parent(of: node) }
    return node
  }

  /// True if the code has come to a node by an edge that it had come to before by another.
  func isSecondWay(_ edge: EdgeIndex) -> Bool {
    self[edges[Int(edge)].target].pointee.way != edge
  }

  /// True if no way goes on behind an edge.
  func isEnd(_ edge: EdgeIndex) -> Bool {
    isSecondWay(edge) || isLeaf(edges[Int(edge)].target)
  }

  /// Puts the edges of the way to a node into a buffer, in place of what it holds.
  ///
  /// `turn`: an edge that leads back to a node on the way, and is to be taken once more there: the
  /// way is then that to the edge, the edge, and what follows the node that it leads to.
  func way(
    to index: Index, after turn: EdgeIndex = LocalStates.none,
    into way: GrowableBuffer<EdgeIndex>
  ) {
    way.removeAll()
    let head = turn < 0 ? LocalStates.none : edges[Int(turn)].target
    var node = index
    var isTaken = turn < 0
    while true {
      var edge = self[node].pointee.way
      if !isTaken && node == head { (edge, isTaken) = (turn, true) }
      if edge < 0 { break }
      way.append(edge)
      node = edges[Int(edge)].source
    }
    way.reverse()
  }

  /// The edges at which ways end that lead through a node.
  func ends(behind index: Index) -> [EdgeIndex] {
    var ends: [EdgeIndex] = []
    var open = edges(from: index)
    while let edge = open.popLast() {
      if isEnd(edge) {
        ends.append(edge)
      } else {
        open += edges(from: edges[Int(edge)].target)
      }
    }
    return ends
  }

  /// The edges from a node, the one that was added last first.
  func edges(from index: Index) -> [EdgeIndex] {
    var list: [EdgeIndex] = []
    var edge = self[index].pointee.firstEdge
    while edge >= 0 {
      list.append(edge)
      edge = edges[Int(edge)].next
    }
    return list
  }
}
