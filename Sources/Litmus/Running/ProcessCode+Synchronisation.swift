// Locks and read-copy-update of litmus tests, by the actions that a machine has for them.

import GracewalkMachine
import GracewalkSupport

extension ProcessCode {
  func lockAction(_ instruction: Instruction) -> Action? {
    guard let operand = instruction.lockOperand, let word = plan.word(at: value(of: operand)) else {
      fatalError("[internal] a lock without a word")
    }
    let location = plan.places.words[word]
    switch instruction {
    case .lock: return Action(.lock(.spinLock), location, .acquire)
    case .unlock: return Action(.lock(.spinUnlock), location, .release)
    case .isLocked: return Action(.access(.load), location, .relaxed)
    case .tryLock:
      var action = Action(.access(.compareExchange), location, .acquire)
      // A lock's word has one more than the number of the CPU that holds it.
      action.desired = UInt64(cpu.index) + 1
      return action
    default:
      var action = Action(.access(.wait), location, .acquire)
      action.mask = ~0
      return action
    }
  }

  // MARK: Read-copy-update

  func graceAction(_ instruction: Instruction) -> Action? {
    switch instruction {
    case .enterSection:
      now.depth += 1
      if now.depth == 1 { return Action(.grace(.sectionEnter)) }
    case .leaveSection:
      if now.depth == 0 {
        flag("leaves a read-side section that it is not in")
      } else {
        now.depth -= 1
        if now.depth == 0 { return Action(.grace(.sectionLeave)) }
      }
    case .synchronize:
      guard now.phase == 1 else { return Action(.grace(.graceStart)) }
      var action = Action(.grace(.graceEnd))
      action.awaitedCPUs = now.seen[0]
      return action
    case .enterSleepable(let section, _): return count(section)
    case .leaveSleepable(let domain, let token):
      let section = value(of: token)
      if section < UInt64(plan.test.sections.count),
        plan.test.sections[Int(section)].domain == domain
      {
        if now.phase == 1 { return count(Int(section)) }
        return Action(.access(.load), plan.places.sections[Int(section)])
      }
      flag("leaves a section of \(plan.test.domains[domain]) that there is not")
    case .synchronizeSleepable(let domain):
      if let action = synchronizeSleepable(domain) { return action }
    default: break
    }
    finish()
    return nil
  }

  /// Enters or leaves a section: its count is odd while it is open.
  private func count(_ section: Int) -> Action {
    var action = Action(.access(.fetchAdd), plan.places.sections[section])
    action.addend = 1
    return action
  }

  /// Looks at each section of an `srcu_struct`, then waits for each that was open.
  ///
  /// To look at them one after the other waits for no less than to look at all at once, and allows
  /// no less: nobody has to step in between.
  private func synchronizeSleepable(_ domain: Int) -> Action? {
    let sections = plan.sections[domain]
    if now.phase < sections.count {
      return Action(.access(.load), plan.places.sections[sections[now.phase]])
    }
    while now.phase < 2 * sections.count {
      let index = now.phase - sections.count
      let seen = now.seen[index]
      if seen & 1 == 1 {
        var action = Action(.access(.wait), plan.places.sections[sections[index]], .acquire)
        action.mask = ~0
        action.awaited = seen
        action.awaitsDifference = true
        return action
      }
      now.phase += 1
    }
    return nil
  }

  /// True if the instruction is not over.
  func observeGrace(_ instruction: Instruction, _ result: UInt64) -> Bool {
    switch instruction {
    case .enterSleepable(let section, let register):
      if result & 1 == 1 { stop("enters a section that is open") }
      set(register, to: UInt64(section))
    case .leaveSleepable:
      if now.phase == 0 {
        // Only who has the section leaves it, so it does not change before the next step.
        guard result & 1 == 0 else {
          now.phase = 1
          return true
        }
        flag("leaves a section that is not open")
      }
    case .synchronize:
      guard now.phase == 1 else {
        now.phase = 1
        now.seen = [result]
        return true
      }
    case .synchronizeSleepable(let domain):
      if now.phase < plan.sections[domain].count { now.seen.append(result) }
      now.phase += 1
      return true
    default: break
    }
    return false
  }
}
