// One virtual CPU: model code on a fiber, stopped before every action that others could notice.

import Fibers
import Support

/// Thrown from an action when its execution is cut short, so that the code unwinds.
///
/// Let it pass: code that catches it and goes on gets it again from its next action.
public struct Abandoned: Error {}

/// What model code runs on.
///
/// Every method marked `throws(Abandoned)` is an action and a scheduling point, or, like `putPage`
/// and `guestRead`, a few of them: **`try` marks every place where another CPU may come in
/// between**.
///
/// Code must depend on nothing but the results of its actions: no clock, no random numbers, no
/// state shared with other CPUs outside of the machine. The search leaves out running it again
/// where the outcome is known.
public final class VirtualCPU {
  /// What a CPU runs.
  enum Role {
    case program(Program)
    /// Callbacks queued by the CPU with this number.
    case callbacks(of: Int)
    /// What comes before the CPUs start: its actions take effect at once.
    case boot
    /// What a memory management unit does of its own accord.
    case walker(MMU)
  }

  public let index: Int
  public let name: String
  let role: Role
  unowned let machine: Machine
  // Copies of what the machine has, for code that goes on while a dying machine abandons it.
  private let identities: Identities?
  private let watchesHistory: Bool
  private let hasHardware: Bool
  let ablation: Ablation
  let scenarioNumber: UInt32
  let layout: Layout
  /// What the modelled MMU can do.
  public let features: Features
  /// True if a guest can run on this CPU.
  public let hasMMU: Bool

  // Local state, rebuilt whenever the code runs from its start.
  var operation = 0
  var sectionDepth = 0
  var maskDepth = 0
  private var results = Chain()
  var observations = Chain()
  /// Entries written that walks may not see yet, or may have cached as they were.
  var written = WrittenEntries()
  /// Invalidations that no barrier has completed yet.
  var pendingInvalidations: [Action] = []
  /// What was weakened of the code's steps; empty where none is.
  var weakened = WeakenedState()
  private(set) var scopes: [String] = []
  var finishedOperation: FinishedOperation?
  var site: SourceSite?

  // Exchange with the machine, which runs outside of the fiber.
  private(set) var pending = Action(.finished)
  private var delivered: UInt64 = 0
  var isAbandoned = false
  /// Actions the code has asked for since it was started.
  private(set) var actionCount = 0
  /// True where the code asks for its first action after a turn that was forgotten.
  var beginsAgain = false
  /// The node the fiber waits at, or none.
  private var position = ObservationTree.none
  private let script = GrowableBuffer<ObservationTree.Index>()
  private var scriptPosition = 0
  private lazy var fiber = makeFiber()
  /// Takes note of mistakes that the code makes without an action.
  private lazy var sink = MisuseSink(scenario: scenarioNumber) { [unowned self] text, site in
    _ = misuse(text, site)
  }
  /// Actions that the code has asked for since it was told to unwind.
  private var refusals = 0
  private static let refusalsMax = 10_000

  init(index: Int, name: String, role: Role, machine: Machine) {
    self.index = index
    self.name = name
    self.role = role
    self.machine = machine
    identities = machine.identities
    watchesHistory = machine.watchesHistory
    hasHardware = machine.hasHardware
    ablation = machine.scenario.ablation
    scenarioNumber = machine.scenario.number
    layout = machine.layout
    features = machine.features
    let units = machine.translation.unitOfCPU
    hasMMU = index < units.count && units[index] >= 0
  }

  deinit { script.deallocate() }

  /// The CPU on whose callback queue `call` puts its work.
  var callbackOwner: Int {
    if case .callbacks(let owner) = role { owner } else { index }
  }

  /// How deep the CPU is in sections and masks; a mask counts in the highest bits.
  var depths: UInt64 { UInt64(maskDepth) << 56 | UInt64(sectionDepth) }

  /// A hash of all the CPU knows: results of finished operations, sections and masks it is in and,
  /// within an operation, what it has observed since it began.
  var localHash: UInt64 {
    let known = StableHash.extend(results.hash, with: UInt64(operation) << 8 | depths)
    let local = StableHash.extend(known, with: observations.hash)
    return carriedState == 0 ? local : StableHash.extend(local, with: carriedState)
  }

  /// Stands for what this CPU has written and not yet flushed, and for what it was made to leave
  /// out: known beyond the end of operations.
  private var carriedState: UInt64 {
    var state: UInt64 = 0
    weakened.extend(&state)
    written.extend(&state)
    for pending in pendingInvalidations {
      state = StableHash.extend(state, with: pending.a)
      machine.writtenEntries[Int(pending.b)].extend(&state)
    }
    return state
  }

  /// A number for what `localHash` is a hash of; 0 unless the machine keeps identities.
  ///
  /// A result counts as its `code`: that is what the CPU knows of an operation once it is over.
  var localIdentity: UInt32 {
    guard let identities else { return Identities.empty }
    let known = identities.number(
      of: results.identity, then: UInt64(operation) << 32 | depths)
    let local = identities.number(of: known, then: UInt64(observations.identity))
    return carriedState == 0 ? local : identities.number(of: local, then: carriedState)
  }

  // MARK: Inside the fiber

  /// Asks for an action and returns its result; other CPUs run in between.
  func issue(_ action: Action, _ site: SourceSite) throws(Abandoned) -> UInt64 {
    self.site = site
    actionCount += 1
    if isAbandoned { throw refused() }
    if ablation != .none { noteOrdering(action, site) }
    if case .boot = role { return try machine.performAtBoot(action, by: self) }
    if scriptPosition + 1 < script.count {
      return try replay(action)
    }
    pending = action
    fiber.suspend()
    if isAbandoned { throw Abandoned() }
    observe(delivered, from: action)
    return delivered
  }

  /// What code gets that is to unwind; where it never will, it stops for good.
  func refused() -> Abandoned {
    refusals += 1
    if refusals > Self.refusalsMax { fiber.giveUp() }
    return Abandoned()
  }

  /// Answers from the tree: the code was here before.
  private func replay(_ action: Action) throws(Abandoned) -> UInt64 {
    let tree = machine.tree
    let expected = tree[script[scriptPosition]].pointee.action
    guard expected.isSameRequest(as: action) else {
      machine.reportNondeterminism(of: self, expected: expected, actual: action)
      isAbandoned = true
      throw Abandoned()
    }
    scriptPosition += 1
    let result = tree[script[scriptPosition]].pointee.observed
    observe(result, from: action)
    return result
  }

  private func observe(_ result: UInt64, from action: Action) {
    observations.extend(with: result, identities)
    finishedOperation = nil
    beginsAgain = false
    if ablation != .none { noteKnown(action, result) }
    guard hasHardware, action.cell >= Layout.namedCapacity else { return }
    switch action.kind {
    case .store: written.note(action.cell, Descriptor(bits: action.a), after: nil)
    case .exchange:
      written.note(action.cell, Descriptor(bits: action.a), after: Descriptor(bits: result))
    case .compareExchange where result == action.a:
      written.note(action.cell, Descriptor(bits: action.b), after: Descriptor(bits: result))
    default: break
    }
  }

  private func runRole() {
    operation = 0
    sectionDepth = 0
    maskDepth = 0
    results = Chain()
    observations = Chain()
    written = WrittenEntries()
    pendingInvalidations = []
    weakened = WeakenedState()
    beginsAgain = false
    scopes = []
    finishedOperation = nil
    do {
      switch role {
      case .program(let program): try run(program)
      case .callbacks: try runCallbacks()
      case .walker(let mmu): try runWalker(mmu)
      case .boot: for body in machine.scenario.bootBodies { try body(self) }
      }
      _ = try issue(Action(.finished), .none)
    } catch is Abandoned {
      return
    } catch {
      // Code that unwinds may outlive its machine.
      if isAbandoned { return }
      machine.fail(.operationThrew(cpu: index, error: String(describing: error).printable))
      pending = Action(.finished)
    }
  }

  private func run(_ program: Program) throws {
    for item in program.operations {
      let call = watchesHistory ? item.call : nil
      if let call { try invoke(call) }
      let result = try item.body(self)
      if let call { try respond(call, result.code) }
      finishOperation(result)
    }
  }

  private func invoke(_ call: SpecificationCall) throws(Abandoned) {
    var action = Action(.invoke)
    action.a = call.packed
    // What had ended when this operation began decides about the history, so it stays known.
    let seen = try issue(action, .none)
    results.extend(with: seen, identities)
  }

  private func respond(_ call: SpecificationCall, _ code: UInt64) throws(Abandoned) {
    var action = Action(.respond)
    action.a = call.packed
    action.b = code
    _ = try issue(action, .none)
  }

  private func runCallbacks() throws {
    while true {
      let key = try issue(Action(.callbackStart), .none)
      try machine.callbackBody(for: key)(self)
      _ = try issue(Action(.callbackEnd), .none)
      finishOperation(NoResult())
    }
  }

  /// Between operations a CPU knows the results of those before, and nothing else.
  func finishOperation(_ result: any OperationResult) {
    results.extend(with: result.code, identities)
    observations = Chain()
    weakened.endOperation()
    let text = result.text?.printable
    finishedOperation = FinishedOperation(number: operation, result: text)
    if !isAbandoned && scriptPosition + 1 >= script.count {
      // What is replayed was noted before; a machine that abandons the code may be gone already.
      machine.coverage.note(
        Coverage.Outcome(code: result.code, text: text), of: index, operation)
    }
    operation += 1
  }

  /// Names a part of an operation, for traces.
  public func scope<R>(_ name: String, _ body: () throws(Abandoned) -> R) throws(Abandoned) -> R {
    scopes.append(name.printable)
    defer { scopes.removeLast() }
    return try body()
  }

  // MARK: Outside the fiber

  private func makeFiber() -> Fiber { Fiber { [unowned self] in runRole() } }

  /// Lets the code go on until it asks for its next action.
  private func resume() {
    sink.whileCurrent { fiber.resume() }
    if fiber.isGivenUp { replaceFiber() }
  }

  private func replaceFiber() {
    fiber = makeFiber()
    machine.fail(
      .misuse(
        "\(name) goes on and on after it was told to stop: code must not catch Abandoned, as "
          + "try? does"))
  }

  /// Runs the code from its start to its first action.
  func start() {
    script.removeAll()
    scriptPosition = 0
    isAbandoned = false
    refusals = 0
    resume()
  }

  /// Notes that the fiber now waits at a node.
  func settle(at node: ObservationTree.Index) { position = node }

  /// Brings the fiber to a node of the tree by running the code again, with the results the tree
  /// holds, unless it waits there already.
  ///
  /// - Parameter turn: a node that stands for an earlier one on the way; the code is to come by it,
  ///   and so by everything behind the earlier one a turn later.
  func move(to node: ObservationTree.Index, after turn: ObservationTree.Index? = nil) {
    if position == node && !fiber.isIdle { return }
    abandon()
    if fiber.isGivenUp { replaceFiber() }
    script.removeAll()
    var head = turn.map { machine.tree.original(of: $0) }
    var next = node
    while next >= 0 {
      if let turn, next == head {
        head = nil
        next = turn
      }
      script.append(next)
      next = machine.tree[next].pointee.parent
    }
    reverseScript()
    scriptPosition = 0
    isAbandoned = false
    refusals = 0
    resume()
    if machine.failure == nil {
      let expected = machine.tree[node].pointee.action
      if !expected.isSameRequest(as: pending) {
        machine.reportNondeterminism(of: self, expected: expected, actual: pending)
      }
    }
    position = node
  }

  private func reverseScript() {
    var low = 0
    var high = script.count - 1
    while low < high {
      let swapped = script[low]
      script[low] = script[high]
      script[high] = swapped
      low += 1
      high -= 1
    }
  }

  /// Gives the fiber, which waits for it, the result of its pending action.
  func deliver(_ result: UInt64) {
    delivered = result
    script.removeAll()
    scriptPosition = 0
    resume()
  }

  /// Makes the code unwind, if it is in the middle of something.
  func abandon() {
    position = ObservationTree.none
    guard !fiber.isIdle else { return }
    isAbandoned = true
    // The machine may be gone, so nobody takes note of mistakes.
    fiber.resume()
    demand(fiber.isIdle, "[internal] an abandoned CPU went on")
  }
}

/// A place in the model's source.
public struct SourceSite: Hashable, Sendable {
  public var file: String
  public var line: Int

  static let none = SourceSite(file: "", line: 0)

  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}

/// An operation that has just ended, for traces.
struct FinishedOperation: Equatable {
  var number: Int
  var result: String?
}
