// Loops whose turns are forgotten: where a CPU comes back to a node of the tree.

import GracewalkSupport

/// What a machine keeps for loops whose turns are forgotten.
final class ForgottenTurns {
  /// Whether nodes are made for every turn, and code runs in all of them.
  let unrolls: Bool
  /// Per node of the tree, a hash of the CPU's own pages there, and a number in an exact machine.
  private let hashes = GrowableBuffer<UInt64>(capacity: 256)
  private let numbers = GrowableBuffer<UInt32>(capacity: 256)
  /// Most histories that are run once more with a turn before them.
  static let auditsMax = 20_000

  init(unrolls: Bool) { self.unrolls = unrolls }

  deinit {
    hashes.deallocate()
    numbers.deallocate()
  }

  func note(_ pages: HashedSequence) {
    hashes.append(pages.hash)
    numbers.append(pages.identity)
  }

  func isSame(_ node: ObservationTree.Index, _ pages: HashedSequence) -> Bool {
    hashes[Int(node)] == pages.hash && numbers[Int(node)] == pages.identity
  }
}

extension Machine {
  /// What a CPU's own pages decide about which of its actions are local: which there are, which of
  /// them others can reach, and which tables those link that would be published with them.
  ///
  /// It follows from all the CPU did, forgotten turns included, and from nothing others did.
  func ownPages(of cpu: Int) -> HashedSequence {
    var pages = HashedSequence()
    let count = Int(memory[layout.pagesAllocated(owner: cpu)])
    pages.extend(with: UInt64(count), identities)
    for index in 0..<count {
      let base = layout.page(owner: cpu, index: index).base
      let isPublished = memory[base + Layout.publishedOffset] != 0
      pages.extend(with: isPublished ? 1 : 0, identities)
      if isPublished { continue }
      for entry in 0..<UInt32(layout.geometry.entries) {
        pages.extend(with: memory[base + Layout.pageHeader + entry], identities)
      }
    }
    return pages
  }

  /// The node where a CPU stands that has just begun another turn: the one where it began an
  /// earlier turn, knowing the same; nil if it needs a node of its own.
  ///
  /// In the tree the last result of the turn leads back to the earlier node, so that code runs only
  /// in the first turn that goes as it does. What the code asks for must be what it asked for then.
  func closeLoop(
    of cpu: VirtualCPU, at node: ObservationTree.Index, observing result: UInt64
  ) -> ObservationTree.Index? {
    guard let turns, failure == nil else { return nil }
    var head = node
    func knowsTheSame() -> Bool {
      tree[head].pointee.localHash == cpu.localHash && tree[head].pointee.identity == identity
    }
    let identity = cpu.localIdentity
    while head >= 0 && !knowsTheSame() { head = tree[head].pointee.parent }
    // What a turn has written and not yet flushed is remembered, so it may differ from all before.
    if head < 0 && hasHardware { return nil }
    guard head >= 0, tree[head].pointee.action.isSameRequest(as: cpu.pending) else {
      let before = head >= 0 ? text(of: tree[head].pointee.action) : "something else"
      fail(
        .badLoop(
          cpu: cpu.index,
          "does '\(text(of: cpu.pending))' where an earlier turn of its loop did '\(before)': code "
            + "must not keep anything from one turn of repeatUntilDone to the next"))
      return nil
    }
    if turns.unrolls { return nil }
    let pages = ownPages(of: cpu.index)
    while head >= 0 && !(knowsTheSame() && turns.isSame(head, pages)) {
      head = tree[head].pointee.parent
    }
    guard head >= 0 else { return nil }
    var copy = tree[head].pointee
    copy.parent = node
    copy.observed = result
    copy.firstChild = ObservationTree.standing(for: head)
    copy.nextSibling = ObservationTree.none
    let place = tree.add(copy)
    turns.note(pages)
    cpu.stand(at: place)
    return head
  }

  /// Runs code once more along the histories of earlier turns, with another turn before them: what
  /// was forgotten must make no difference.
  ///
  /// There may be very many pairs of a turn and a history, so not all of them are run.
  func auditTurns(from first: Int) {
    guard turns != nil else { return }
    var left = ForgottenTurns.auditsMax
    for index in 0..<tree.nodes.count {
      let turn = ObservationTree.Index(index)
      let head = tree.original(of: turn)
      if head == turn { continue }
      let cpu = cpus[Int(tree[turn].pointee.cpu)]
      for leaf in tree.leaves(below: head) where max(index, Int(leaf)) >= first {
        guard failure == nil, left > 0 else { return }
        left -= 1
        cpu.abandon()
        cpu.move(to: leaf, after: turn)
        cpu.abandon()
      }
    }
  }
}

extension ObservationTree {
  /// The nodes below a node where nothing was observed yet.
  fileprivate func leaves(below index: Index) -> [Index] {
    var leaves: [Index] = []
    var open = [index]
    while let next = open.popLast() {
      if isLeaf(next) { leaves.append(next) }
      var child = self[next].pointee.firstChild
      while child >= 0 {
        open.append(child)
        child = self[child].pointee.nextSibling
      }
    }
    return leaves
  }
}
