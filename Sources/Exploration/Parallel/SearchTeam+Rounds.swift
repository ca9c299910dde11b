// The end of a round: what members have finished becomes known to all of them.

import Dispatch
import GracewalkSupport

extension SearchTeam {
  /// Merges what members have finished in a round, in the order of the members.
  ///
  /// What is counted and what may be matched are tables of their own, so that two threads can share
  /// the work.
  func takeOver(from active: [StatefulSearch], _ jobs: Int) {
    let finished = active.reduce(0) { $0 + $1.log.count }
    if jobs > 1, matches != nil, finished >= Self.sharedFrom {
      // Each half is done by one thread only, and touches nothing of the other.
      nonisolated(unsafe) let (team, active) = (self, active)
      DispatchQueue.concurrentPerform(iterations: 2) { half in
        half == 0 ? team.takeOverStates(of: active) : team.takeOverMatches(of: active)
      }
    } else {
      takeOverStates(of: active)
      takeOverMatches(of: active)
    }
    for member in active {
      guard let membership = member.membership, membership.isDone else { continue }
      membership.task?.isDone = true
      membership.task = nil
    }
  }

  /// It takes longer to wake another thread than to merge fewer states.
  private static let sharedFrom = 256

  /// Merges the states that members have finished, and counts the new ones.
  private func takeOverStates(of active: [StatefulSearch]) {
    var touched: UInt64 = 0
    for member in active {
      for index in 0..<member.log.count { touched &+= states.touch(member.log[index].key) }
    }
    self.touched &+= touched
    for member in active {
      for index in 0..<member.log.count {
        let state = member.log[index]
        if states.set(state.key, state.set) {
          counts.states += 1
          if member.names != nil { counts.statesCovered += Int(state.stateCount) }
          if state.isEnd { counts.executions += 1 }
        } else if !state.isRevisit {
          statesTwice += 1
        }
        if keepsJournal { journal.append(state) }
      }
      member.log.removeAll()
      member.finished.removeAll()
    }
  }

  /// Merges the states that others may match.
  private func takeOverMatches(of active: [StatefulSearch]) {
    for member in active {
      guard let matching = member.matching else { continue }
      if let matches { matching.addLog(to: matches) }
      matching.roundHasEnded()
    }
  }
}
