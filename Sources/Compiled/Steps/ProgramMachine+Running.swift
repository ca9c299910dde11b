// Taking steps: an action of a thread, and those after it that concern nobody else.

import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  // MARK: Steps

  /// Takes the next action of a thread, and goes to the local state that it leads to.
  func take(_ cpu: Int, choice: Int, isLocal: Bool) {
    let node = self.node(of: cpu)
    let request = graph.points.pointer(to: node).pointee.request
    if !isLocal, image.hasHardware { openGroups[cpu] = 0 }
    do throws(Finding) {
      let before = data.hash
      let effect =
        graph.points.pointer(to: node).pointee.isFast && !racesCount && !options.countsReadsFrom
        ? fastAccess(graph.points[node]) : try performOrdered(request, by: cpu, choice: choice)
      observer?(cpu, request, effect.result, isLocal)
      if isBroken { return }
      note(effect, at: node, request, by: cpu, change: data.hash &- before, isLocal)
      arrive(cpu, at: graph.successor(of: node, observing: effect.result))
    } catch {
      observer?(cpu, request, 0, isLocal)
      fail(error, cpu, request.place)
    }
  }

  private func performOrdered(
    _ request: Request, by cpu: Int, choice: Int
  ) throws(Finding) -> Effect {
    guard let weak else { return try perform(request, by: cpu, choice: choice) }
    return try performWeakly(request, by: cpu, choice: choice, weak)
  }

  func fail(_ finding: Finding, _ cpu: Int, _ place: Int32) {
    self.finding = finding
    findingCPU = cpu
    findingPlace = place
  }

  /// A thread stands in a local state.
  func arrive(_ cpu: Int, at node: Int) {
    threads[word(cpu, ThreadWord.node)] = UInt64(node)
    let point = graph.points.pointer(to: node)
    if point.pointee.request.kind == .failed {
      let number = Int(point.pointee.request.a)
      return fail(interpreter.findings[number], cpu, point.pointee.request.place)
    }
    guard point.pointee.request.isInLoop else {
      // It does not come back to where it was.
      return forgetTurn(cpu)
    }
    if options.waitsInLoops, wasHere(cpu, node) {
      threads[word(cpu, ThreadWord.status)] = Status.spinning
    }
  }

  /// Local actions in a row before they count as endless.
  static let localMax = 200_000

  /// Takes local actions of a thread until its next one is none.
  func runLocally(_ cpu: Int) {
    for _ in 0..<Self.localMax {
      guard finding == nil, !isBroken, status(of: cpu) == Status.present, mayGoOn(cpu) else {
        return
      }
      take(cpu, choice: 0, isLocal: true)
    }
    failToEnd(cpu)
  }

  /// Whether a thread's next action is taken together with the step before.
  ///
  /// Local actions are. So are, where no other thread has a next step, joins, and accesses that
  /// come after all that others have done: there is nothing that could come between.
  func mayGoOn(_ cpu: Int) -> Bool {
    if isLocal(cpu) { return true }
    // Stores that are pending may be seen by others.
    guard weak == nil, isLast(cpu) else { return false }
    let request = point(of: cpu).pointee.request
    if request.kind == .join { return canStep(cpu) }
    return isAccess(request.kind) && isAlone(cpu) && canStep(cpu)
  }

  /// Whether a request is on nothing but memory.
  private func isAccess(_ kind: Request.Kind) -> Bool {
    switch kind {
    case .load, .store, .compareExchange, .update, .wide, .copyMemory, .setMemory, .free, .sizeOf,
      .allocateStack, .releaseStack:
      true
    default: false
    }
  }

  /// A thread goes on and on by itself.
  func failToEnd(_ cpu: Int) {
    fail(
      Finding(.endless, "a loop that uses only the thread's own memory does not end"), cpu,
      point(of: cpu).pointee.request.place)
  }
}
