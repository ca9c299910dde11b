// The behaviour of each thread, as a graph of its local states.

import GracewalkSupport

/// A memo of what threads do: nodes are local states, and edges lead from one to the next for each
/// result of its request.
///
/// Equal local states of a thread are one node, so a thread's program runs only for edges that are
/// not there yet, and a loop that comes back to the same local state comes back to the same node.
final class ThreadGraph {
  struct Node {
    var state: ThreadState
    var hash: UInt64
    var cpu: Int
  }

  /// What a step needs of a node, without reference counting.
  struct Point: BitwiseCopyable {
    var request: Request
    var hash: UInt64
    /// The same without the number of turns that loops have taken.
    var loopHash: UInt64
    var firstEdge: Int32
    /// Whether its step is an access to one shared word that always exists: the object of its
    /// footprint, and the index and shift of its bits.
    var isFast = false
    var shift: UInt8 = 0
    /// The bytes that it overwrites, with those behind the end of its object.
    var coverage: UInt8 = 0
    var object: UInt32 = 0
    var index: Int32 = 0
    /// Whether its step is local: nil if unknown.
    var isLocal: Bool?
  }

  private struct Edge: BitwiseCopyable {
    var result: UInt64
    var target: Int32
    var next: Int32
  }

  private struct Key: Hashable {
    var cpu: Int
    var hash: UInt64
  }

  private(set) var nodes: [Node] = []
  let points = GrowableBuffer<Point>(capacity: 256)
  private let edges = GrowableBuffer<Edge>(capacity: 256)
  private var known: [Key: Int] = [:]
  let interpreter: Interpreter
  /// Whether equal local states are one node.
  private let mergesStates: Bool

  init(_ interpreter: Interpreter, mergesStates: Bool) {
    self.interpreter = interpreter
    self.mergesStates = mergesStates
  }

  deinit {
    points.deallocate()
    edges.deallocate()
  }

  /// Forgets what steps are in a machine, before it is used in another one.
  func forgetSteps() {
    for index in 0..<points.count {
      points.pointer(to: index).pointee.isFast = false
      points.pointer(to: index).pointee.isLocal = nil
    }
  }

  /// The places of all requests.
  var places: Set<Int32> { Set((0..<points.count).map { points[$0].request.place }) }

  /// The node of a local state.
  func node(_ state: ThreadState, of cpu: Int) -> Int {
    var hash = state.hash(interpreter.image.functions)
    let key = Key(cpu: cpu, hash: hash)
    if mergesStates {
      if let node = known[key] { return node }
    } else {
      // Each history is a state of its own.
      hash = StableHash.extend(hash, with: UInt64(nodes.count))
    }
    nodes.append(Node(state: state, hash: hash, cpu: cpu))
    let loopHash =
      interpreter.unroll > 0
      ? state.hash(interpreter.image.functions, countsTurns: false) : key.hash
    points.append(Point(request: state.request, hash: hash, loopHash: loopHash, firstEdge: -1))
    known[key] = nodes.count - 1
    return nodes.count - 1
  }

  /// The node that a thread reaches with a result.
  @inline(__always)
  func successor(of node: Int, observing result: UInt64) -> Int {
    var index = points.pointer(to: node).pointee.firstEdge
    while index >= 0 {
      let edge = edges[Int(index)]
      if edge.result == result { return Int(edge.target) }
      index = edge.next
    }
    return run(node, result)
  }

  private func run(_ node: Int, _ result: UInt64) -> Int {
    let state = interpreter.advance(nodes[node].cpu, from: nodes[node].state, observing: result)
    let target = self.node(state, of: nodes[node].cpu)
    let point = points.pointer(to: node)
    edges.append(
      Edge(result: result, target: Int32(target), next: point.pointee.firstEdge))
    point.pointee.firstEdge = Int32(edges.count - 1)
    return target
  }
}
