// The behaviour of each virtual CPU, as a graph of the local states that its code can be in.

import GracewalkSupport

/// The memo of all virtual CPUs' behaviour: one graph per CPU.
///
/// Code is deterministic, so a CPU's next action depends only on its local state. A node is such a
/// state, with the action that the code asks for there. An edge leads from a node, for one result
/// of that action, to the next node. The code runs only if there is no edge yet. Otherwise a step
/// is a lookup, and returning to an earlier point of an execution runs no code at all. (Compare the
/// unfolding of a process in Milner's "Communication and Concurrency", 1989.)
///
/// Several edges may lead to one node. If states are not merged, the graph is a tree, and a node is
/// a history.
package final class LocalStates {
  package typealias Index = Int32
  package typealias EdgeIndex = Int32
  /// No node, or no edge.
  static let none: Index = -1

  struct Node: BitwiseCopyable {
    var action: Action
    /// The latest edge from this node, or `none`.
    var firstEdge: EdgeIndex = LocalStates.none
    /// The edge by which the code first reached this node; `none` at a root.
    var way: EdgeIndex = LocalStates.none
    /// The CPU's share of the state key.
    var keyShare: UInt64
    /// A hash of the CPU's local state.
    var localHash: UInt64
    /// The identity that corresponds to `localHash`; 0 unless the machine keeps identities.
    var identity: UInt32 = 0
    /// The number of the operation in the CPU's program, from 0.
    var operation: Int32
    /// The number of consecutive actions, up to this one, that could not change anything.
    var idleSteps: Int32 = 0
    var cpu: UInt8
    var isBlocking: Bool
  }

  struct Edge: BitwiseCopyable {
    /// The result of the source's action.
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

  /// The node reached from `index` by a result, or `none` if there is no such edge.
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

  /// Adds a node, and the edge by which the code reached it, and returns its index.
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

  /// True if the node has no edges.
  func isLeaf(_ index: Index) -> Bool { self[index].pointee.firstEdge < 0 }

  // MARK: Ways

  /// The source of the edge by which the code first reached a node; `none` for a root.
  @inline(__always)
  func parent(of index: Index) -> Index {
    let way = self[index].pointee.way
    return way < 0 ? LocalStates.none : edges[Int(way)].source
  }

  /// The result on the edge by which the code first reached a node; 0 for a root.
  func observed(before index: Index) -> UInt64 {
    let way = self[index].pointee.way
    return way < 0 ? 0 : edges[Int(way)].observed
  }

  func root(of index: Index) -> Index {
    var root = index
    while self[root].pointee.way >= 0 { root = parent(of: root) }
    return root
  }

  /// The last matching node on the way to a node, including itself, or `none`.
  func nearest(to index: Index, where isMatch: (Index) -> Bool) -> Index {
    var node = index
    while node >= 0 && !isMatch(node) { node = parent(of: node) }
    return node
  }

  /// True if the edge leads to a node that the code had already reached by another edge.
  func isSecondWay(_ edge: EdgeIndex) -> Bool {
    self[edges[Int(edge)].target].pointee.way != edge
  }

  /// True if no way continues beyond an edge.
  func isEnd(_ edge: EdgeIndex) -> Bool {
    isSecondWay(edge) || isLeaf(edges[Int(edge)].target)
  }

  /// Replaces the contents of a buffer by the edges of the way to a node.
  ///
  /// `turn`: an edge that leads back to a node on the way, to be taken once more there. The result
  /// is then the way to the edge, the edge, and the part of the way after the node that the edge
  /// leads to.
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

  /// The last edges of the ways that lead through a node.
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

  /// The edges from a node, the latest first.
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
