// What the closures of a model are given: a virtual CPU, and what their code knows.

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
  public let index: Int
  public let name: String
  let role: CPURole
  // Not counted: a dying machine abandons its CPUs, and their code may look at it on the way out.
  unowned(unsafe) let machine: Machine
  private unowned let code: FiberCode
  private let identities: Identities?
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
  private(set) var latestSite: SourceSite?

  /// True if the code is to unwind: it gets `Abandoned` from every action.
  var isAbandoned = false
  /// Actions the code has asked for since it was started.
  private(set) var actionCount = 0
  /// True where the code asks for its first action after a turn that was forgotten.
  var beginsAgain = false
  /// What a report says if the code traps.
  let record: CodeRecord
  /// Takes note of mistakes that the code makes without an action.
  private(set) lazy var sink = MisuseSink(scenario: scenarioNumber) { [unowned self] text, site in
    _ = misuse(text, site)
  }
  /// Actions that abandoned code has asked for all the same.
  private var vainActions = 0
  /// So many, and the code is taken to go on forever.
  private static let vainActionsMax = 10_000
  /// An error thrown by code that was to run later and was made to run on the spot.
  var errorOnTheSpot: ThrownError?
  /// Callbacks that boot code is in, one within the other.
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
    layout = machine.layout
    features = machine.features
    let units = machine.translation.unitOfCPU
    hasMMU = index < units.count && units[index] >= 0
  }

  /// Where the frame lies that calls the code of operations, for call paths.
  var base: UnsafeRawPointer?

  /// Stands for the calls by which the code got where it is, from the operation's own on; equal for
  /// equal ones.
  ///
  /// The two innermost return addresses do not count: they are in code that asks, of which there
  /// must be as much, not inlined. Nor do those behind the operation, which optimisers duplicate.
  var callPath: UInt64 { base.map { Fiber.callPath(from: $0) } ?? 0 }

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
      state = StableHash.extend(state, with: pending.packedInvalidation)
      machine.writtenEntries[pending.writtenNumber].extend(&state)
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

  /// What code gets that is to unwind.
  ///
  /// Code that catches it and goes on forever is left where it stands.
  func refused() -> Abandoned {
    vainActions += 1
    if vainActions > VirtualCPU.vainActionsMax {
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
    case .compareExchange, .load, .fetchAdd, .incrementUnlessZero, .wait: break
    }
  }

  /// Knows nothing, as at the start of the code.
  func forgetEverything() {
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
  }

  /// An error of the code's own, as traces show it.
  func makeError(_ error: any Error) -> ThrownError {
    let place: String? =
      if case .boot = role { nil } else { machine.name(ofOperation: operation, cpu: index) }
    return ThrownError(error, operation: place, site: latestSite)
  }

  /// Keeps a value as that of an operation: it is known from then on.
  func keep(_ value: UInt64) { results.extend(with: value, identities) }

  /// Between operations a CPU knows the results of those before, and nothing else.
  func finishOperation(_ result: any OperationResult) {
    keep(result.code)
    observations = HashedSequence()
    weakened.endOperation()
    let text = result.text?.printable
    finishedOperation = FinishedOperation(number: operation, result: text)
    if !isAbandoned && !code.isReplaying {
      // What is replayed was noted before; a machine that abandons the code may be gone already.
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
