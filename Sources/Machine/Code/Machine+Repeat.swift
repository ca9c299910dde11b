// Loops whose turns are forgotten: where a CPU comes back to a node on the way to where it is.

import GracewalkSupport

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
  /// The last result of the turn then leads back there, so that code runs only in the first turn
  /// that goes as it does. What the code asks for must be what it asked for then.
  func headOfLoop(
    of cpu: Int, _ state: LocalState, from node: LocalStates.Index, in merged: MergedStates
  ) -> LocalStates.Index? {
    func knowsTheSame(_ node: LocalStates.Index) -> Bool {
      let node = localStates[node]
      return node.pointee.localHash == state.hash && node.pointee.identity == state.identity
    }
    let head = localStates.nearest(to: node, where: knowsTheSame)
    guard head >= 0, localStates[head].pointee.action.isSameRequest(as: state.action) else {
      // What a turn has written and not yet flushed is remembered, so it may differ from before.
      if head >= 0 || !hasHardware { refuseLoop(of: cpu, state.action, at: head) }
      return nil
    }
    if merged.unrolls { return nil }
    let pages = ownPages(of: cpu)
    let same = localStates.nearest(to: head) { knowsTheSame($0) && merged.isSame($0, pages) }
    return same >= 0 ? same : nil
  }

  private func refuseLoop(of cpu: Int, _ action: Action, at head: LocalStates.Index) {
    let before = head >= 0 ? text(of: localStates[head].pointee.action) : "something else"
    fail(
      .badLoop(
        cpu: cpu,
        "does '\(text(of: action))' where an earlier turn of its loop did '\(before)': code "
          + "must not keep anything from one turn of repeatUntilDone to the next"))
  }

  /// Runs code once more along the histories of earlier turns, with another turn before them: what
  /// was forgotten must make no difference.
  ///
  /// There may be very many pairs of a turn and a history, so not all of them are run.
  func auditTurns(from first: Int) {
    guard merged != nil else { return }
    var left = MergedStates.auditsMax
    for index in 0..<localStates.edges.count {
      let turn = LocalStates.EdgeIndex(index)
      let head = localStates.edges[index].target
      let cpu = Int(localStates[head].pointee.cpu)
      let code = cpus[cpu].code
      guard !code.mergesStates, localStates.isSecondWay(turn) else { continue }
      for end in localStates.ends(behind: head) where max(index, Int(end)) >= first {
        guard failure == nil, left > 0 else { return }
        left -= 1
        let edge = localStates.edges[Int(end)]
        code.abandon()
        code.goOn(from: edge.source, observing: edge.observed, after: turn)
        check(cpu, standsAt: edge.target)
      }
    }
  }
}
