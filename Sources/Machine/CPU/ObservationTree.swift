// What each virtual CPU does next, as a function of what it has observed.

import GracewalkSupport

/// The memo of all virtual CPUs' behaviour: one tree per CPU.
///
/// Model code is deterministic, so what a CPU does next depends on nothing but the results of its
/// earlier actions. A node is a CPU that has observed the results on the path from the root; it
/// holds the action the code asks for there. The code runs, on a fiber, only where the tree has
/// no node yet. Everywhere else a step is a lookup, and returning to an earlier point of an
/// execution needs no code to run at all. (Compare the unfolding of a process in Milner's
/// "Communication and Concurrency", 1989.)
final class ObservationTree {
  typealias Index = Int32
  static let none: Index = -1

  struct Node: BitwiseCopyable {
    var action: Action
    var parent: Index
    /// A number for what `localHash` is a hash of; 0 unless the machine keeps identities.
    var identity: UInt32 = 0
    /// What the parent's action returned on the way here.
    var observed: UInt64
    /// Below `none`, if the node only stands for an earlier one: see `standing(for:)`.
    var firstChild: Index = ObservationTree.none
    var nextSibling: Index = ObservationTree.none
    /// A hash of the CPU's local state: results of past operations, observations in this one.
    var localHash: UInt64
    /// The CPU's share in the state key.
    var keyShare: UInt64
    var cpu: Int32
    /// Which operation of the CPU's program it is in, counted from 0.
    var operation: Int32
    /// Actions in a row, up to this one, that could not change anything.
    var idleSteps: Int32
    var isBlocking: Bool
  }

  let nodes = GrowableBuffer<Node>(capacity: 256)

  deinit { nodes.deallocate() }

  @inline(__always)
  subscript(index: Index) -> UnsafeMutablePointer<Node> { nodes.pointer(to: Int(index)) }

  /// The node reached from `index` by observing a result, or `none` if the code never has.
  @inline(__always)
  func child(of index: Index, observing result: UInt64) -> Index {
    var child = self[index].pointee.firstChild
    while child >= 0 {
      let node = self[child]
      if node.pointee.observed == result {
        let first = node.pointee.firstChild
        return first < ObservationTree.none ? ObservationTree.standing(for: first) : child
      }
      child = node.pointee.nextSibling
    }
    return ObservationTree.none
  }

  /// Adds a node and returns its index.
  ///
  /// A parent of `none` makes it a root.
  func add(_ node: Node) -> Index {
    let index = Index(nodes.count)
    demand(nodes.count < Int(Index.max), "[internal] too many distinct histories")
    nodes.append(node)
    if node.parent >= 0 {
      nodes.pointer(to: nodes.count - 1).pointee.nextSibling = self[node.parent].pointee.firstChild
      self[node.parent].pointee.firstChild = index
    }
    return index
  }

  /// The path from the root to a node, both included.
  func path(to index: Index) -> [Index] {
    var path: [Index] = []
    var next = index
    while next >= 0 {
      path.append(next)
      next = self[next].pointee.parent
    }
    return path.reversed()
  }

  /// The earlier node that a node stands for, because the turn of a loop in between was forgotten;
  /// the node itself if it stands for none.
  func original(of index: Index) -> Index {
    let first = self[index].pointee.firstChild
    return first < ObservationTree.none ? ObservationTree.standing(for: first) : index
  }

  /// What a node that stands for another one has in place of a first child; and from that, the
  /// other one.
  @inline(__always)
  static func standing(for index: Index) -> Index { none - 1 - index }

  /// True if nothing was observed yet at the node.
  func isLeaf(_ index: Index) -> Bool { self[index].pointee.firstChild < 0 }
}
