// Persistent sets in a search that several members share: what each learns in a round.

import GracewalkSupport

/// A member begins a state with a set that depends on the state and on what the team knew when the
/// round began. So two members that find a state in one round begin it with the same CPUs, and it
/// does not matter which of them it belongs to.
extension PersistentSets {
  /// The number of states here.
  var stateCount: Int { steppable.count }

  /// Takes over what a team knows, whose states are those below the first new one of this member.
  func beginRound(of team: PersistentSets) {
    base = team.stateCount
    self.team = .passUnretained(team)
    let mustCopy = knownFacts < 0 || firstOwnStep < summaries.stepCount
    summaries.numberSteps(as: team.summaries, after: firstOwnStep)
    firstOwnStep = summaries.stepCount
    if mustCopy {
      knowledge.copy(from: team.knowledge)
    } else {
      if firstOwnStep > 0 { knowledge.enter(upTo: firstOwnStep - 1, of: summaries) }
      for index in knownFacts..<team.facts.count {
        let fact = team.facts[index]
        _ = knowledge.note(Int(fact.step), isFollowedBy: Int(fact.next))
      }
    }
    knownFacts = team.facts.count
  }

  /// The numbers of the steps that this member, and not its team, has entered.
  var ownSteps: [Int32] {
    (firstOwnStep..<summaries.stepCount).map { Int32(truncatingIfNeeded: $0) }
  }

  /// Learns what a member has learned in a round; returns the numbers that the steps have here
  /// which it has entered.
  func learn(from member: PersistentSets) -> [Int32] {
    var numbers: [Int32] = []
    for step in member.firstOwnStep..<member.summaries.stepCount {
      let number = summaries.step(
        member.summaries.cpu(of: step), member.summaries.footprint(of: step))
      knowledge.enter(upTo: number, of: summaries)
      numbers.append(Int32(truncatingIfNeeded: number))
    }
    for fact in member.facts.all {
      let (step, next) = (
        member.translate(fact.step, numbers), member.translate(fact.next, numbers)
      )
      if knowledge.note(Int(step), isFollowedBy: Int(next)) {
        facts.append(Fact(step: step, next: next))
      }
    }
    return numbers
  }

  /// The number that a member's step has in its team.
  func translate(_ step: Int32, _ numbers: [Int32]) -> Int32 {
    Int(step) < firstOwnStep ? step : numbers[Int(step) - firstOwnStep]
  }

  /// Adds a state that a member has found; `numbers` is what `learn` has returned.
  func add(_ state: Int, of member: PersistentSets, _ numbers: [Int32]) {
    firstEnablers.append(enablers.count)
    steppable.append(member.steppable[state])
    for cpu in 0..<cpuCount {
      steps.append(member.translate(member.steps[state * cpuCount + cpu], numbers))
    }
    let isLast = state + 1 == member.stateCount
    let end = isLast ? member.enablers.count : member.firstEnablers[state + 1]
    for index in member.firstEnablers[state]..<end { enablers.append(member.enablers[index]) }
  }

  /// Forgets the states and facts of a round, and keeps the memory.
  func roundHasEnded() {
    firstEnablers.removeAll()
    steps.removeAll()
    steppable.removeAll()
    enablers.removeAll()
    facts.removeAll()
  }
}
