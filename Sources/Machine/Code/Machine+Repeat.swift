// Loops whose turns are forgotten: a CPU returns to an earlier node of its way.

import GracewalkSupport

extension Machine {
  /// The part of the state that determines which actions of a CPU are local.
  ///
  /// It consists of the CPU's pages, whether others can reach them, and the tables linked from
  /// private ones, which would be published with them.
  ///
  /// It depends on all actions of the CPU, including forgotten turns, and not on other CPUs. Under
  /// Armv8, a link from a private page may be pending, and not in memory yet.
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
    if orders != nil, isOrdered(cpu) { addHidden(of: cpu, to: &pages) }
    return pages
  }

  /// Adds what is pending for private pages.
  private func addHidden(of cpu: Int, to pages: inout HashedSequence) {
    if scenario.omittedRules.contains(.hiddenLinks) { return }
    let buffer = order.cpus[cpu].buffer
    for index in buffer.indices where buffer[index].isHidden {
      pages.extend(with: UInt64(buffer[index].number), identities)
      pages.extend(with: buffer[index].value, identities)
    }
  }

  /// The node at which a CPU began an earlier turn in the same local state; nil if a new turn needs
  /// a new node.
  ///
  /// The last result of the turn then leads back there, so code runs only in the first of several
  /// equal turns. The code must ask for the same action as then.
  func headOfLoop(
    of cpu: Int, _ state: LocalState, from node: LocalStates.Index, in merged: MergedStates
  ) -> LocalStates.Index? {
    func knowsTheSame(_ node: LocalStates.Index) -> Bool {
      let node = localStates[node]
      return node.pointee.localHash == state.hash && node.pointee.identity == state.identity
    }
    let head = localStates.nearest(to: node, where: knowsTheSame)
    guard head >= 0, localStates[head].pointee.action.isSameRequest(as: state.action) else {
      // Entries that a turn has written and not flushed are part of the state, so it may differ.
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

  /// Runs code again along the histories of earlier turns, after an additional turn, which must
  /// make no difference.
  ///
  /// There may be very many pairs of a turn and a history, so their number is limited.
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
        code.advance(from: edge.source, observing: edge.observed, after: turn)
        check(cpu, standsAt: edge.target)
      }
    }
  }
}
