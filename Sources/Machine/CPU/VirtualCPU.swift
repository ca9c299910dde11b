// One virtual CPU: model code on a fiber, stopped before every action that others could notice.

import GracewalkFibers
import GracewalkSupport

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
    /// What a memory management unit does unasked.
    case walker(MMU)
  }

  public let index: Int
  public let name: String
  let role: Role
  // Not counted: a dying machine abandons its CPUs, and their code may look at it on the way out.
  unowned(unsafe) let machine: Machine
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
  var operation = 0 { didSet { record.operation = operation } }
  var sectionDepth = 0
  var maskDepth = 0
  private var results = HashedSequence()
  var observations = HashedSequence()
  /// Entries written that walks may not see yet, or may have cached as they were.
  var written = WrittenEntries()
  /// Invalidations that no barrier has completed yet.
  var pendingInvalidations: [Action] = []
  /// What was weakened of the code's steps; empty where none is.
  var weakened = WeakenedState()
  private(set) var scopes: [String] = []
  var finishedOperation: FinishedOperation?
  var site: SourceSite?
  /// The same, of the latest action that has one.
  private var latestSite: SourceSite?

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
  /// What a report says if the code traps.
  let record: CodeRecord
  /// Takes note of mistakes that the code makes without an action.
  private(set) lazy var sink = MisuseSink(scenario: scenarioNumber) { [unowned self] text, site in
    _ = misuse(text, site)
  }
  /// Actions that abandoned code has asked for all the same.
  private var vainActions = 0
  /// So many, and the code is taken to go on for ever.
  private static let vainActionsMax = 10_000
  /// An error thrown by code that was to run later and was made to run on the spot.
  var errorOnTheSpot: ThrownError?
  /// Callbacks that boot code is in, one within the other.
  var bootCalls = 0

  init(index: Int, name: String, role: Role, machine: Machine) {
    self.index = index
    self.name = name
    self.role = role
    self.machine = machine
    identities = machine.identities
    watchesHistory = machine.watchesHistory
    hasHardware = machine.hasHardware
    ablation = machine.scenario.ablation
    record = CodeRecord(machine.codeRun, cpu: name, role: role)
    scenarioNumber = machine.scenario.number
    layout = machine.layout
    features = machine.features
    let units = machine.translation.unitOfCPU
    hasMMU = index < units.count && units[index] >= 0
  }

  private func makeFiber() -> Fiber { Fiber { [unowned self] in runRole() } }

  deinit { script.deallocate() }

  /// Where the frame lies that calls the code of operations, for call paths.
  private var base: UnsafeRawPointer?

  /// Stands for the calls by which the code got where it is, from the operation's own on; equal for
  /// equal ones.
  ///
  /// The two innermost return addresses do not count: they are in code that asks, of which there
  /// must be as much, not inlined. Nor do those behind the operation, which optimisers duplicate.
  var callPath: UInt64 { base.map { Fiber.callPath(from: $0) } ?? 0 }

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
    if !isAbandoned && !sink.isCurrent { throw strayed(site) }
    note(site)
    actionCount += 1
    if isAbandoned || errorOnTheSpot != nil { throw refused() }
    if ablation != .none { noteOrdering(action, site) }
    if case .boot = role { return try takeAtBoot(action) }
    if scriptPosition + 1 < script.count {
      return try replay(action)
    }
    pending = action
    fiber.suspend()
    if isAbandoned { throw Abandoned() }
    observe(delivered, from: action)
    return delivered
  }

  private func note(_ site: SourceSite) {
    self.site = site
    if site.file.isEmpty { return }
    latestSite = site
    record.note(file: site.file, line: site.line)
  }

  /// What code gets that is to unwind.
  ///
  /// Code that catches it and goes on for ever is left where it stands.
  func refused() -> Abandoned {
    vainActions += 1
    if vainActions > VirtualCPU.vainActionsMax {
      if let errorOnTheSpot {
        machine.fail(.operationThrew(cpu: index, error: errorOnTheSpot.text))
      }
      fiber.suspend()
    }
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
    guard case .access(let access) = action.kind else { return }
    switch access {
    case .store: written.note(action.cell, Descriptor(bits: action.a), after: nil)
    case .exchange:
      written.note(action.cell, Descriptor(bits: action.a), after: Descriptor(bits: result))
    case .compareExchange where result == action.a:
      written.note(action.cell, Descriptor(bits: action.b), after: Descriptor(bits: result))
    case .compareExchange, .load, .fetchAdd, .incrementUnlessZero, .wait: break
    }
  }

  private func runRole() {
    site = nil
    latestSite = nil
    record.note(file: "", line: 0)
    errorOnTheSpot = nil
    vainActions = 0
    operation = 0
    sectionDepth = 0
    maskDepth = 0
    results = HashedSequence()
    observations = HashedSequence()
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
      case .boot:
        try machine.runBootCode(on: self)
        // Code may have caught what an error in a callback made it throw.
        if errorOnTheSpot != nil { throw Abandoned() }
        return
      }
      _ = try issue(Action(.finished), .none)
    } catch {
      // Who is abandoned may throw what it likes.
      if !isAbandoned { end(with: error) }
    }
  }

  /// The code has thrown an error of its own, or has caught `Abandoned` and thrown that again.
  private func end(with error: any Error) {
    let thrown = errorOnTheSpot ?? makeError(error)
    errorOnTheSpot = nil
    guard machine.judgesErrors else {
      if machine.scenario.letsErrorsPass {
        _ = try? issue(Action(.finished), .none)
      } else {
        machine.fail(.operationThrew(cpu: index, error: thrown.text))
        pending = Action(.finished)
      }
      return
    }
    var action = Action(.threw)
    action.a = machine.number(of: thrown)
    if case .boot = role {
      machine.report(.threw, index, value: action.a)
      return
    }
    do throws(Abandoned) {
      _ = try issue(action, latestSite ?? .none)
      _ = try issue(Action(.finished), .none)
    } catch {}
  }

  /// An error of the code's own, as traces show it.
  func makeError(_ error: any Error) -> ThrownError {
    let place: String? =
      if case .boot = role { nil } else { machine.name(ofOperation: operation, cpu: index) }
    return ThrownError(error, operation: place, site: latestSite)
  }

  private func run(_ program: Program) throws {
    var frame = 0
    withUnsafePointer(to: &frame) { base = UnsafeRawPointer($0) }
    for item in program.operations {
      let call = watchesHistory ? item.call : nil
      if let call { try invoke(call) }
      let result = try item.body(self)
      if let call { try respond(call, result.code) }
      finishOperation(result)
    }
  }

  private func invoke(_ call: SpecificationCall) throws(Abandoned) {
    var action = Action(.history(.invoke))
    action.a = call.packed
    // What had ended when this operation began decides about the history, so it stays known.
    let seen = try issue(action, .none)
    results.extend(with: seen, identities)
  }

  private func respond(_ call: SpecificationCall, _ code: UInt64) throws(Abandoned) {
    var action = Action(.history(.respond))
    action.a = call.packed
    action.b = code
    _ = try issue(action, .none)
  }

  private func runCallbacks() throws {
    var frame = 0
    withUnsafePointer(to: &frame) { base = UnsafeRawPointer($0) }
    while true {
      let key = try issue(Action(.callback(.callbackStart)), .none)
      try machine.callbackBody(for: key)(self)
      _ = try issue(Action(.callback(.callbackEnd)), .none)
      finishOperation(NoResult())
    }
  }

  /// Between operations a CPU knows the results of those before, and nothing else.
  func finishOperation(_ result: any OperationResult) {
    results.extend(with: result.code, identities)
    observations = HashedSequence()
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

  /// Lets the code go on until it asks for its next action.
  private func resume() {
    sink.whileCurrent { fiber.resume(as: record) }
    sink.tellOthers()
  }

  /// Runs the code from its start to its first action.
  func start() {
    script.removeAll()
    scriptPosition = 0
    isAbandoned = false
    resume()
  }

  /// Notes that the fiber now waits at a node.
  func stand(at node: ObservationTree.Index) { position = node }

  /// Brings the fiber to a node of the tree by running the code again, with the results the tree
  /// holds, unless it waits there already.
  ///
  /// - Parameter turn: replays through `turn` in place of the node it aliases, so the code runs one
  ///   extra turn of the loop.
  func move(to node: ObservationTree.Index, after turn: ObservationTree.Index? = nil) {
    if position == node && !fiber.isIdle { return }
    abandon()
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
    resume()
    guard !fiber.isIdle else { return }
    machine.fail(
      .badLoop(
        cpu: index,
        "catches Abandoned in a loop and never ends; let it pass: code that is to stop gets it "
          + "from every action"))
    fiber.leave()
    fiber = makeFiber()
  }
}

/// A place in the model's source.
public struct SourceSite: Hashable, Codable, Sendable {
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
