// The virtual CPU passed to a model's closures, with the state of their code.

import GracewalkFibers
import GracewalkSupport

/// Thrown from an action when its execution is cut short, so that the code unwinds.
///
/// Do not catch it: code that does gets it again from its next action.
public struct Abandoned: Error {}

/// The CPU that model code runs on.
///
/// Every method marked `throws(Abandoned)` is an action and a scheduling point, or, like `putPage`
/// and `guestRead`, several: **`try` marks every point at which another CPU may run**.
///
/// Code must depend only on the results of its actions: no clock, no random numbers, no state
/// shared with other CPUs outside the machine. The search does not run it again if the outcome is
/// known.
public final class VirtualCPU {
  public let index: Int
  public let name: String
  let role: CPURole
  // Unowned, since a machine being deallocated abandons its CPUs, whose code may still use it while
  // it unwinds.
  unowned(unsafe) let machine: Machine
  unowned let code: FiberCode
  private let identities: Identities?
  private let hasHardware: Bool
  let ablation: Ablation
  let scenarioNumber: UInt32
  /// The step that the model leaves out, in words.
  let omission: String?
  let layout: Layout
  /// The features of the modelled MMU.
  public let features: Features
  /// True if a guest can run on this CPU.
  public let hasMMU: Bool

  // Local state, rebuilt whenever the code runs again from its start.
  var operation = 0 { didSet { record.operation = operation } }
  var sectionDepth = 0
  var maskDepth = 0
  private var results = HashedSequence()
  var observations = HashedSequence()
  /// Entries that this CPU wrote, and that walks may not see yet or may have cached with the old
  /// value.
  var written = WrittenEntries()
  /// Invalidations that no barrier has completed yet.
  var pendingInvalidations: [Action] = []
  /// The state of weakened steps; empty without ablation.
  var weakened = WeakenedState()
  private(set) var scopes: [String] = []
  var finishedOperation: FinishedOperation?
  var site: SourceSite?
  /// The place of the latest action that has one.
  private(set) var latestSite: SourceSite?

  /// True if the code must unwind: it gets `Abandoned` from every action.
  var isAbandoned = false
  /// The number of actions since the code was started.
  private(set) var actionCount = 0
  /// True when the code asks for its first action after a forgotten turn.
  var beginsAgain = false
  /// The data for a report if the code traps.
  let record: CodeRecord
  /// Records mistakes that the code makes outside actions.
  private(set) lazy var sink = MisuseSink(scenario: scenarioNumber) { [unowned self] text, site in
    _ = misuse(text, site)
  }
  /// The number of actions that abandoned code has asked for.
  private var abandonedActions = 0
  /// After this many, the code is assumed never to unwind.
  private static let abandonedActionsMax = 10_000
  /// An error thrown by a callback that was run at once.
  var errorOnTheSpot: ThrownError?
  /// The nesting depth of callbacks in boot code.
  var bootCalls = 0

  init(on cpu: MachineCPU, running code: FiberCode) {
    index = cpu.index
    name = cpu.name
    role = cpu.role
    machine = cpu.machine
    self.code = code
    identities = machine.identities
    hasHardware = machine.hasHardware
    ablation = machine.scenario.ablation
    record = cpu.record
    scenarioNumber = machine.scenario.number
    omission = machine.scenario.omission
    layout = machine.layout
    features = machine.features
    let units = machine.translation.unitOfCPU
    hasMMU = index < units.count && units[index] >= 0
  }

  /// The frame that calls the code of operations, where call paths begin.
  var base: UnsafeRawPointer?

  /// A hash of the calls, from the operation's own on, by which the code reached its present point.
  ///
  /// The two innermost return addresses do not count: they are in the library, whose functions at
  /// that depth must not be inlined. Nor do those outside the operation, which optimisers
  /// duplicate.
  var callPath: UInt64 { base.map { Fiber.callPath(from: $0) } ?? 0 }

  /// The nesting depths of sections and masks; masks are in the highest bits.
  var depths: UInt64 { UInt64(maskDepth) << 56 | UInt64(sectionDepth) }

  /// A hash of the CPU's local state.
  ///
  /// It covers the results of finished operations, open sections and masks and, within an
  /// operation, all observations since it began.
  var localHash: UInt64 {
    let known = StableHash.extend(results.hash, with: UInt64(operation) << 8 | depths)
    let local = StableHash.extend(known, with: observations.hash)
    return carriedState == 0 ? local : StableHash.extend(local, with: carriedState)
  }

  /// A hash of the state that outlives operations: entries written and not yet flushed, and steps
  /// that were left out.
  private var carriedState: UInt64 {
    var state: UInt64 = 0
    weakened.extend(&state)
    written.extend(&state)
    for pending in pendingInvalidations {
      state = StableHash.extend(state, with: pending.packedInvalidation)
      machine.writtenEntries[pending.writtenNumber].extend(&state)
    }
    return state
  }

  /// The identity that corresponds to `localHash`; 0 unless the machine keeps identities.
  ///
  /// A result counts as its `code`, the only part of a finished operation that the CPU keeps.
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
    let action = ablation == .none ? action : withOrderingAsked(action, site)
    if case .boot = role { return try takeAtBoot(action) }
    let result = try code.answer(to: action)
    observe(result, from: action)
    return result
  }

  private func note(_ site: SourceSite) {
    self.site = site
    if site.file.isEmpty { return }
    latestSite = site
    record.note(file: site.file, line: site.line)
  }

  /// The error for code that must unwind.
  ///
  /// Code that catches it and never ends is left suspended.
  func refused() -> Abandoned {
    abandonedActions += 1
    if abandonedActions > VirtualCPU.abandonedActionsMax {
      if let errorOnTheSpot {
        machine.fail(.operationThrew(cpu: index, error: errorOnTheSpot.text))
      }
      code.stopForGood()
    }
    return Abandoned()
  }

  private func observe(_ result: UInt64, from action: Action) {
    observations.extend(with: result, identities)
    finishedOperation = nil
    beginsAgain = false
    if ablation != .none { noteKnown(action, result) }
    guard hasHardware, !layout.isNamed(action.cell) else { return }
    guard case .access(let access) = action.kind else { return }
    switch access {
    case .store: written.note(action.cell, Descriptor(bits: action.stored), after: nil)
    case .exchange:
      written.note(action.cell, Descriptor(bits: action.stored), after: Descriptor(bits: result))
    case .compareExchange where result == action.expected:
      written.note(action.cell, Descriptor(bits: action.desired), after: Descriptor(bits: result))
    case .update(let update):
      guard layout.entry(at: action.cell) != nil else { return }
      written.note(
        action.cell, Descriptor(bits: action.updated(update, result)),
        after: Descriptor(bits: result))
    case .compareExchange, .load, .fetchAdd, .incrementUnlessZero, .wait, .drain: break
    }
  }

  /// Resets the local state to that at the start of the code.
  func forgetEverything() {
    site = nil
    latestSite = nil
    record.note(file: "", line: 0)
    errorOnTheSpot = nil
    abandonedActions = 0
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
  }

  /// An error of the code's own, as traces show it.
  func makeError(_ error: any Error) -> ThrownError {
    let place: String? =
      if case .boot = role { nil } else { machine.name(ofOperation: operation, cpu: index) }
    return ThrownError(error, operation: place, site: latestSite)
  }

  /// Adds a value to the results of operations.
  func keep(_ value: UInt64) { results.extend(with: value, identities) }

  /// Between operations, a CPU's state is only the results of earlier ones.
  func finishOperation(_ result: any OperationResult) {
    keep(result.code)
    observations = HashedSequence()
    weakened.endOperation()
    let text = result.text?.printable
    finishedOperation = FinishedOperation(number: operation, result: text)
    if !isAbandoned && !code.isReplaying {
      // Replayed results are recorded already; and while code is being abandoned, the machine may
      // be gone.
      machine.coverage.note(
        Coverage.Outcome(code: result.code, text: text), of: index, operation)
    }
    operation += 1
  }

  /// Names a part of an operation, for traces.
  public func scope<R, E: Error>(_ name: String, _ body: () throws(E) -> R) throws(E) -> R {
    scopes.append(name.printable)
    defer { scopes.removeLast() }
    return try body()
  }
}
