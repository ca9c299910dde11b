// The end of a round: what visitors have found becomes known to all of them.

import GracewalkSupport

extension VisitTeam {
  /// Takes over what visitors have found in a round, in their order.
  func takeOver(from active: [Visitor]) {
    for visitor in active {
      for index in 0..<visitor.log.count { touched &+= known.touch(visitor.log[index].key) }
    }
    let base = known.count
    for visitor in active {
      let numbers = number(visitor.log, isFirst: visitor === active.first)
      func translate(_ state: UInt32) -> UInt32 {
        let isTranslated = state >= base && !omitted.contains(.numbers)
        return isTranslated ? numbers[Int(state) - base].number : state
      }
      if let reduced, let new = visitor.reduced {
        let own = new.sets.ownSteps
        let steps = reduced.sets.learn(from: new.sets)
        for state in 0..<new.count {
          let (number, isKept) = numbers[state]
          if isKept {
            let numbers = omitted.contains(.steps) ? own : steps
            reduced.add(state, of: new, steps: numbers, number: translate)
          } else {
            // Whoever finds a state in a round follows the same CPUs there, unless it is too deep.
            let (first, second) = (reduced.chosen[Int(number)], new.chosen[state])
            demand(
              first == second || first.isEmpty || second.isEmpty,
              "[internal] two visitors follow different CPUs in a state")
          }
        }
      }
      if let graph, let new = visitor.graph {
        for state in 0..<new.count where numbers[state].isNew {
          graph.add(state, of: new, target: translate)
        }
        for index in 0..<visitor.edges.count {
          let edge = visitor.edges[index]
          graph.setTarget(of: edge.index, to: Int(translate(edge.target)))
        }
      }
      // States that are new in the round are at the top of the stack.
      for index in (0..<visitor.nodes.count).reversed() {
        let node = visitor.nodes.pointer(to: index)
        guard node.pointee.state >= base else { break }
        let (number, isKept) = numbers[Int(node.pointee.state) - base]
        node.pointee.state = number
        if !isKept && !omitted.contains(.closing) { visitor.close(index) }
      }
      visitor.roundHasEnded()
    }
  }

  /// Gives numbers to the states that no earlier visitor has found in the round, and counts them.
  private func number(
    _ log: GrowableBuffer<Visitor.Visit>, isFirst: Bool
  ) -> [(number: UInt32, isNew: Bool)] {
    var numbers: [(number: UInt32, isNew: Bool)] = []
    numbers.reserveCapacity(log.count)
    for index in 0..<log.count {
      let visit = log[index]
      if let number = known.find(visit.key) {
        statesTwice += 1
        numbers.append((number, false))
        continue
      }
      let number = UInt32(truncatingIfNeeded: known.count)
      known.set(visit.key, number)
      counts.states += 1
      counts.transitions += visit.transitions
      counts.add(isEnd: visit.isEnd, isTruncated: visit.isTruncated)
      numbers.append((number, isFirst || !omitted.contains(.laterVisitors)))
    }
    return numbers
  }
}
