// Merging local states: recognising that code has returned to an earlier one.

import GracewalkSupport

/// The data of a machine whose code may reach a node on several ways.
final class MergedStates {
  private struct Key: Hashable {
    var cpu: Int
    var hash: UInt64
    var identity: UInt32
    var operation: Int
    var pagesHash: UInt64
    var pagesIdentity: UInt32

    init(_ cpu: Int, _ state: LocalState, _ pages: HashedSequence) {
      self.cpu = cpu
      hash = state.hash
      identity = state.identity
      operation = state.operation
      pagesHash = pages.hash
      pagesIdentity = pages.identity
    }
  }

  /// Whether every way has its own nodes, so that code runs along all of them.
  let unrolls: Bool
  /// Per node, a hash of the CPU's own pages there, and a number in an exact machine.
  private let hashes = GrowableBuffer<UInt64>(capacity: 256)
  private let numbers = GrowableBuffer<UInt32>(capacity: 256)
  /// Per node, a rank.
  ///
  /// Invariant, unless code may repeat: ranks increase along every edge.
  private let ranks = GrowableBuffer<Int32>(capacity: 256)
  private var known: [Key: LocalStates.Index] = [:]
  /// The maximum number of histories that are audited with an additional turn.
  static let auditsMax = 20_000

  init(unrolls: Bool) { self.unrolls = unrolls }

  deinit {
    hashes.deallocate()
    numbers.deallocate()
    ranks.deallocate()
  }

  /// Records the node that was added last.
  ///
  /// - Parameter cpu: its CPU, if it represents all equal local states of that CPU.
  func note(
    _ node: LocalStates.Index, behind parent: LocalStates.Index, _ pages: HashedSequence,
    of cpu: Int?, _ state: LocalState
  ) {
    hashes.append(pages.hash)
    numbers.append(pages.identity)
    ranks.append(parent < 0 ? 0 : ranks[Int(parent)] + 1)
    if let cpu { known[Key(cpu, state, pages)] = node }
  }

  func isSame(_ node: LocalStates.Index, _ pages: HashedSequence) -> Bool {
    hashes[Int(node)] == pages.hash && numbers[Int(node)] == pages.identity
  }

  /// The node of a local state of a CPU; nil if there is none yet.
  func node(of cpu: Int, _ state: LocalState, _ pages: HashedSequence) -> LocalStates.Index? {
    known[Key(cpu, state, pages)]
  }

  /// Checks that an edge from one node to another closes no cycle; false if it does.
  ///
  /// Ranks increase along all edges, so there is a cycle if raising the ranks of the target's
  /// successors reaches the source. (The simplest form of the ranks in Bender et al., "A New
  /// Approach to Incremental Cycle Detection", 2016.)
  func canConnect(
    _ source: LocalStates.Index, to target: LocalStates.Index, in states: LocalStates
  ) -> Bool {
    if source == target { return false }
    if ranks[Int(target)] > ranks[Int(source)] { return true }
    ranks[Int(target)] = ranks[Int(source)] + 1
    var open = [target]
    while let node = open.popLast() {
      for edge in states.edges(from: node) {
        let next = states.edges[Int(edge)].target
        if next == source { return false }
        if ranks[Int(next)] > ranks[Int(node)] { continue }
        ranks[Int(next)] = ranks[Int(node)] + 1
        open.append(next)
      }
    }
    return true
  }
}
