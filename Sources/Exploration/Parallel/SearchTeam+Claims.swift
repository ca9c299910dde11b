// States on the stacks of members: the others leave them to whoever has them.

import GracewalkSupport

extension SearchTeam {
  /// Notes which states are on which stacks.
  ///
  /// If two members have the same state, the first one has the claim, and the other one reverses
  /// its order.
  func noteClaims() {
    claims.removeAll()
    for (number, member) in members.enumerated() {
      let base = member.membership?.base ?? 0
      for index in base..<max(member.nodes.count, base) {
        let node = member.nodes.pointer(to: index)
        if let other = claims.find(node.pointee.key) {
          if Int(other) != number { node.pointee.isContested = true }
        } else {
          claims.set(node.pointee.key, UInt32(number))
        }
      }
    }
  }

  /// Lets members try steps again that they have put off, if the states that they lead to have been
  /// finished, or nobody else has them.
  func retryPutOff() {
    for member in members {
      let number = member.membership?.number
      member.retryPutOff { key in
        states.find(key) != nil || claims.find(key).map { Int($0) == number } ?? true
      }
    }
  }

  /// Gives up all claims if every member waits for another.
  ///
  /// That does not happen: whoever waits is waited for only at states nearer to the start. But a
  /// system that lies about its states must not make a search endless.
  func releaseClaims() {
    if members.contains(where: { $0.membership?.isActive == true }) { return }
    claims.removeAll()
    for member in members { member.retryPutOff { _ in true } }
    handOut()
  }
}

extension StatefulSearch {
  /// True if another member has the current state on its stack, so that it is left to that one.
  @inline(__always)
  func isClaimed(_ key: UInt64) -> Bool {
    guard let number = teamClaims?._withUnsafeGuaranteedRef({ $0.find(key) }) else { return false }
    return Int(number) != membership?.number
  }

  /// Puts off the step of the top node until the state that it leads to has been finished.
  ///
  /// All choices of the step are then taken again. Those that were taken before lead to finished
  /// states.
  func putOffStep() {
    let top = nodes.count - 1
    system.undo()
    happensBefore.pop()
    setInHand = -1
    let node = nodes.pointer(to: top)
    membership?.putOff.append(
      TeamMembership.PutOff(node: top, cpu: node.pointee.cpu, key: claimedKey))
    node.pointee.lent.insert(node.pointee.cpu)
    node.pointee.choice = 0
    node.pointee.choiceCount = 0
    hasMetClaim = false
  }

  /// Tries steps again that were put off, if `isOver` is true of the states that they lead to.
  func retryPutOff(_ isOver: (UInt64) -> Bool) {
    guard let membership, !membership.putOff.isEmpty else { return }
    membership.putOff.removeAll { step in
      guard isOver(step.key) else { return false }
      nodes.pointer(to: step.node).pointee.lent.remove(step.cpu)
      return true
    }
  }
}
