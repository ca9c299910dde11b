// Swift closures as the code of a virtual CPU, suspended on a fiber at each action.

import GracewalkFibers
import GracewalkSupport

/// Code that is Swift closures: operations of a model, callbacks, boot code, and the walks of
/// memory management units.
///
/// The machine cannot see the variables of closures. So if the fiber is not at the node from which
/// it must continue, it is abandoned (the code gets `Abandoned` from its action and unwinds), and
/// run again from its start, with the results along the way to the node.
final class FiberCode: CPUCode {
  private let role: CPURole
  private let record: CodeRecord
  // Unowned, since a machine being deallocated abandons its CPUs, whose code may still use it while
  // it unwinds.
  private unowned(unsafe) let machine: Machine
  private unowned let host: MachineCPU
  /// The virtual CPU passed to the closures.
  private lazy var cpu = VirtualCPU(on: host, running: self)
  private lazy var fiber = makeFiber()
  /// The node at which the fiber waits, or none.
  private var position = LocalStates.none
  /// The action that the code asks for, and waits for on its fiber.
  private var request = Action(.finished)
  /// The result passed to the code.
  private var delivered: UInt64 = 0
  /// The edges along which the code is being replayed.
  private let script = GrowableBuffer<LocalStates.EdgeIndex>()
  private var scriptPosition = 0

  init(_ host: MachineCPU) {
    self.host = host
    role = host.role
    record = host.record
    machine = host.machine
  }

  deinit { script.deallocate() }

  private func makeFiber() -> Fiber { Fiber { [unowned self] in runRole() } }

  // MARK: Outside the fiber

  var state: LocalState {
    LocalState(
      request, hash: cpu.localHash, identity: cpu.localIdentity, operation: cpu.operation)
  }

  var place: CodePlace {
    var place = CodePlace(operation: cpu.operation)
    place.scopes = cpu.scopes
    place.site = cpu.site ?? .none
    place.finished = cpu.finishedOperation
    return place
  }

  var mergesStates: Bool { false }
  var beginsAgain: Bool { cpu.beginsAgain }

  func begin() {
    script.removeAll()
    start()
  }

  func advance(from node: LocalStates.Index, observing result: UInt64) {
    if position != node || fiber.isIdle { bring(to: node) }
    deliver(result)
  }

  func advance(
    from node: LocalStates.Index, observing result: UInt64, after turn: LocalStates.EdgeIndex
  ) {
    bring(to: node, after: turn)
    deliver(result)
  }

  func didStop(at node: LocalStates.Index) { position = node }

  /// Makes the code unwind, if it has not ended.
  func abandon() {
    position = LocalStates.none
    guard !fiber.isIdle else { return }
    cpu.isAbandoned = true
    resume()
    guard !fiber.isIdle else { return }
    machine.fail(
      .badLoop(
        cpu: cpu.index,
        "catches Abandoned in a loop and never ends; let it pass: code that is to stop gets it "
          + "from every action"))
    fiber.leave()
    fiber = makeFiber()
  }

  /// Runs the code again, with the results along the way to a node.
  private func bring(
    to node: LocalStates.Index, after turn: LocalStates.EdgeIndex = LocalStates.none
  ) {
    abandon()
    machine.localStates.way(to: node, after: turn, into: script)
    start()
    machine.check(cpu.index, standsAt: node)
  }

  private func start() {
    scriptPosition = 0
    cpu.isAbandoned = false
    resume()
  }

  /// Passes the waiting fiber the result of its action.
  private func deliver(_ result: UInt64) {
    if machine.failure != nil { return }
    position = LocalStates.none
    delivered = result
    script.removeAll()
    scriptPosition = 0
    resume()
  }

  /// Runs the code until it asks for its next action.
  private func resume() {
    cpu.sink.whileCurrent { fiber.resume(as: record) }
    cpu.sink.tellOthers()
  }

  // MARK: Inside the fiber

  /// True if the code is being replayed to a node.
  var isReplaying: Bool { scriptPosition < script.count }

  /// Returns the result of an action; other CPUs run in between.
  func answer(to action: Action) throws(Abandoned) -> UInt64 {
    if isReplaying { return try answerAgain(to: action) }
    request = action
    fiber.suspend()
    if cpu.isAbandoned { throw Abandoned() }
    return delivered
  }

  /// Answers from the graph, during a replay.
  private func answerAgain(to action: Action) throws(Abandoned) -> UInt64 {
    let states = machine.localStates
    let edge = states.edges[Int(script[scriptPosition])]
    let expected = states[edge.source].pointee.action
    guard expected.isSameRequest(as: action) else {
      machine.reportNondeterminism(of: cpu.index, expected: expected, actual: action)
      cpu.isAbandoned = true
      throw Abandoned()
    }
    scriptPosition += 1
    return edge.observed
  }

  /// Suspends forever code that refuses to unwind.
  func stopForGood() { fiber.suspend() }

  private func runRole() {
    cpu.forgetEverything()
    do {
      switch role {
      case .program(let program): try run(program)
      case .callbacks: try runCallbacks()
      case .walker(let mmu): try cpu.runWalker(mmu)
      case .drainer: break  // It has code of its own.
      case .boot:
        try machine.runBootCode(on: cpu)
        // The code may have caught the error that a failing callback made it throw.
        if cpu.errorOnTheSpot != nil { throw Abandoned() }
        return
      }
      _ = try cpu.issue(Action(.finished), .none)
    } catch {
      // Errors thrown by abandoned code are ignored.
      if !cpu.isAbandoned { end(with: error) }
    }
  }

  /// The code has thrown an error of its own, or has caught `Abandoned` and thrown it later.
  private func end(with error: any Error) {
    let thrown = cpu.errorOnTheSpot ?? cpu.makeError(error)
    cpu.errorOnTheSpot = nil
    guard machine.judgesErrors else {
      if machine.scenario.letsErrorsPass {
        _ = try? cpu.issue(Action(.finished), .none)
      } else {
        machine.fail(.operationThrew(cpu: cpu.index, error: thrown.text))
        request = Action(.finished)
      }
      return
    }
    var action = Action(.threw)
    action.errorNumber = machine.number(of: thrown)
    if case .boot = role {
      machine.report(.threw, cpu.index, value: action.errorNumber)
      return
    }
    do throws(Abandoned) {
      _ = try cpu.issue(action, cpu.latestSite ?? .none)
      _ = try cpu.issue(Action(.finished), .none)
    } catch {}
  }

  private func run(_ program: Program) throws {
    var frame = 0
    withUnsafePointer(to: &frame) { cpu.base = UnsafeRawPointer($0) }
    let watchesHistory = machine.watchesHistory
    for item in program.operations {
      let call = watchesHistory ? item.call : nil
      if let call { try invoke(call) }
      let result = try item.body(cpu)
      if let call { try respond(call, result.code) }
      cpu.finishOperation(result)
    }
  }

  private func invoke(_ call: SpecificationCall) throws(Abandoned) {
    var action = Action(.history(.invoke))
    action.packedCall = call.packed
    // The history depends on which operations had ended when this one began, so that stays part of
    // the state.
    cpu.keep(try cpu.issue(action, .none))
  }

  private func respond(_ call: SpecificationCall, _ code: UInt64) throws(Abandoned) {
    var action = Action(.history(.respond))
    action.packedCall = call.packed
    action.resultCode = code
    _ = try cpu.issue(action, .none)
  }

  private func runCallbacks() throws {
    var frame = 0
    withUnsafePointer(to: &frame) { cpu.base = UnsafeRawPointer($0) }
    while true {
      let key = try cpu.issue(Action(.callback(.callbackStart)), .none)
      try machine.callbackBody(for: key)(cpu)
      _ = try cpu.issue(Action(.callback(.callbackEnd)), .none)
      cpu.finishOperation(NoResult())
    }
  }
}
