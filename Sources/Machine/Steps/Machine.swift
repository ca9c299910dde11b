// The whole modelled machine as a transition system: memory, CPUs, and steps that can be undone.

import GracewalkExploration
import GracewalkFibers
import GracewalkSupport

/// A machine at some point of an execution of a scenario.
///
/// Invariant: all state that steps change is in `memory`, including that of memory management
/// units, and in each CPU's node of the graph of local states. Undoing both costs as much as the
/// changes.
public final class Machine: TransitionSystem {
  /// State that the machine keeps only if an invariant needs it.
  public struct Requirements: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The order in which operations begin and end.
    public static let history = Requirements(rawValue: 1)
    /// The CPUs in a section, or with masked interrupts, when a page was unlinked.
    public static let readersAtUnlink = Requirements(rawValue: 2)
  }

  struct TakenStep: BitwiseCopyable {
    var cpu: Int
    var node: LocalStates.Index
    /// The choice of the step, for reports on code that traps.
    var choice: Int32
    var mark: Int
    var result: UInt64
  }

  private struct Registers: BitwiseCopyable {
    var unfinished = CPUSet()
    var blocking = CPUSet()
    /// The sum of the CPUs' shares of the state key.
    var localKey: UInt64 = 0
    /// Whether the search uses keys of states with identical CPUs exchanged.
    var usesSymmetry = false
  }

  /// The maximum number of CPUs: a bit each in a lock's word, one for boot code, one for a writer.
  public static let cpuCountMax = 62
  /// The maximum number of memory management units: a bit each, next to the number of a CPU.
  public static let unitCountMax = 56
  /// The maximum number of addresses of a table that is walked: 16 bits of an action.
  public static let addressCountMax = 1 << 16

  public let scenario: Scenario
  let layout: Layout
  let memory: Memory
  let localStates = LocalStates()
  let memoryModel: MemoryModel
  /// The orders of stores, under Armv8.
  let orders: OrderKeeper?
  /// The first of the CPUs that make pending stores visible, one for each CPU with a buffer.
  let firstDrainer: Int
  let requirements: Requirements
  let watched: EventKinds
  let mayRunOutOfMemory: Bool
  let mayRepeat: Bool
  let features: Features
  /// The meaning of the bits of table entries.
  public let format: EntryFormat
  let translation: TranslationUnits
  /// Numbers of histories, in a machine whose states are compared exactly.
  let identities: Identities?
  /// The base of the digits in `historySeen`; nil if they do not fit in a word.
  let historyRadix: UInt64?
  private(set) var cpus: [MachineCPU] = []
  /// For each CPU that queues callbacks, the CPU that runs them.
  private(set) var callbackCPUs: [Int: Int] = [:]
  let positions: GrowableBuffer<LocalStates.Index>
  private let steps = GrowableBuffer<TakenStep>()
  private let registers: UnsafeMutablePointer<Registers>
  let events = GrowableBuffer<Event>()
  let coverage: CoverageTable
  /// The permutations of identical CPUs.
  let permutations: CPUPermutations
  /// Set if some code may reach a local state on several ways.
  private(set) var merged: MergedStates?
  private(set) lazy var symmetry = Symmetry(self)
  var callbackBodies: [UInt64: (VirtualCPU) throws -> Void] = [:]
  /// The entries written by CPUs when they issued invalidations, by number.
  var writtenEntries = [WrittenEntries()]
  var writtenNumbers = [WrittenEntries(): 0]
  /// The sets of restricted entries that CPUs tell each other, by the hashes in words.
  var takenSets = TakenSets()
  /// Errors thrown by code, by number.
  var thrownErrors: [ThrownError] = []
  let eventInvariants: [(number: Int, invariant: any EventInvariant)]
  let quiescenceInvariants: [(number: Int, invariant: any QuiescenceInvariant)]
  let stateInvariants: [(number: Int, invariant: any StateInvariant)]
  /// The words that these look at, if they say so.
  let judged: JudgedWords?
  /// What all machines of a check have learned of their code, and what of that this one relies on.
  let foresight: Foresight?
  let foreseen: Foreseen?
  /// Per node its place there.
  let places = GrowableBuffer<Int32>()
  /// Set if the code has done something else.
  package internal(set) var outranForesight = false
  /// Set if a CPU that may repeat was kept from having more stores pending, or old values.
  package internal(set) var hasMetCap = false
  /// The number of edges already audited when the search was saved.
  private var auditedEdges = 0
  /// Why the machine cannot continue, or nil.
  public private(set) var failure: MachineFailure?
  /// The latest violation, and the number of its invariant.
  public internal(set) var violation: (invariant: Int, report: Violation)?
  /// The outcome of judging the initial state.
  private var startOutcome = StepOutcome.clean
  /// The common data of reports on the code of all CPUs.
  private(set) lazy var codeRun = CodeRun(
    of: scenario.origin, steps: steps.rawHeader, stride: MemoryLayout<TakenStep>.stride,
    cpu: MemoryLayout<TakenStep>.offset(of: \.cpu) ?? 0,
    choice: MemoryLayout<TakenStep>.offset(of: \.choice) ?? 0)
  /// The data for a report if an invariant traps.
  private(set) lazy var invariantRecord = CodeRecord(
    codeRun, invariants: scenario.invariants.map(\.id))
  /// Records mistakes in invariants.
  lazy var sink = MisuseSink { [unowned self] text, site in
    fail(.misuse("an invariant looks at what does not exist: \(text)", at: site))
  }
  /// Records steps for a trace, in a replay.
  var recorder: StepRecorder?
  /// Records the words that invariants read, in a replay, and where some say what they read.
  let inspection: Inspection?
  /// The call paths that code has reached: of steps that order CPUs, or of the weakened step.
  var callPaths = CallPaths()
  /// Whether code has asked for the lock of a page.
  var usesPageLocks = false

  /// Builds the initial state of a scenario, running its boot code.
  ///
  /// - `recorder`: records steps for a trace.
  /// - `isExact`: whether `addExactState` will be called. It costs memory and time when code runs;
  ///   if two histories have the same key, the machine stops with an error.
  /// - `unrolls`: whether code runs in every turn of a loop whose turns are forgotten, as it does
  ///   for a recorder, and not only in the first of equal turns.
  public convenience init(
    _ scenario: Scenario, recorder: StepRecorder? = nil, isExact: Bool = false,
    unrolls: Bool = false
  ) {
    self.init(
      scenario, recorder: recorder, identities: isExact ? Identities() : nil, unrolls: unrolls)
  }

  /// Builds the initial state of a scenario.
  ///
  /// - Parameters:
  ///   - identities: the numbers of histories, if `addExactState` will be called: those of all
  ///     machines whose states are compared.
  ///   - foresight: decides what of the order of stores matters, under Armv8.
  package init(
    _ scenario: Scenario, recorder: StepRecorder? = nil, identities: Identities?,
    unrolls: Bool = false, foresight: Foresight? = nil
  ) {
    self.scenario = scenario
    self.foresight = foresight
    foreseen = foresight?.foreseen
    self.recorder = recorder
    self.identities = identities
    historyRadix = Machine.historyRadix(of: scenario)
    // A machine that cannot be built stays empty, and has failed from the start.
    let problem = scenario.machineProblem
    let programs = problem == nil ? scenario.programs : []
    let callers = programs.indices.filter { programs[$0].usesCallbacks }
    let firstWalker = programs.count + callers.count
    firstDrainer = firstWalker + programs.count { ($0.mmu?.times ?? 0) > 0 }
    memoryModel = scenario.memoryModel
    let bufferedCPUs = memoryModel == .sequentialConsistency ? 0 : firstWalker
    let cpuCount = firstDrainer + bufferedCPUs
    features = scenario.features
    format = scenario.format
    translation = TranslationUnits(programs, firstWalker: firstWalker, cpuCount: cpuCount)
    layout = Layout(
      cpuCount: cpuCount, space: scenario.space, unitCount: translation.units.count,
      namedCount: scenario.nextCell, bufferedCPUs: bufferedCPUs)
    memory = Memory(cellCount: layout.cellCount)
    orders = OrderKeeper(
      of: memoryModel, cpus: bufferedCPUs, units: translation.units.count,
      isExact: identities != nil, without: scenario.omittedRules)
    mayRepeat = scenario.mayRepeat
    // If several ways lead to a node, only one would be compared with those of another CPU.
    let isExchangeable =
      problem == nil && !mayRepeat && !scenario.hasHardware
      && programs.allSatisfy { $0.code == nil }
    let identical = isExchangeable ? scenario.identicalCPUs : []
    permutations = CPUPermutations(
      of: identical, callers: callers, firstWalker, hasBuffers: bufferedCPUs > 0)
    coverage = CoverageTable(levels: scenario.geometry.levels)
    mayRunOutOfMemory = scenario.mayRunOutOfMemory
    positions = GrowableBuffer(repeating: LocalStates.none, count: cpuCount)
    registers = .allocate(capacity: 1)
    registers.initialize(to: Registers())
    eventInvariants = scenario.numberedInvariants()
    quiescenceInvariants = scenario.numberedInvariants()
    stateInvariants = scenario.numberedInvariants()
    judged = JudgedWords(stateInvariants.map(\.invariant))
    inspection = recorder == nil && judged == nil ? nil : Inspection()
    watched = eventInvariants.reduce(into: []) { $0.formUnion($1.invariant.watches) }
    requirements = scenario.invariants.reduce(into: []) { needs, invariant in
      needs.formUnion((invariant as? any MachineRequirements)?.requirements ?? [])
    }
    super.init()
    takenSets.identities = identities
    if let problem {
      fail(.misuse(problem))
      return
    }
    (cpus, callbackCPUs) = makeCPUs(callers)
    if mayRepeat || cpus.contains(where: { $0.code.mergesStates }) {
      merged = MergedStates(unrolls: unrolls || recorder != nil)
    }
    if identities != nil && watchesHistory && historyRadix == nil {
      fail(.capacity("too many operations to compare states exactly while histories are watched"))
    }
    boot()
    recorder?.begin(self)
    startOutcome = start()
  }

  deinit {
    for cpu in cpus { cpu.abandon() }
    positions.deallocate()
    places.deallocate()
    steps.deallocate()
    events.deallocate()
    registers.deallocate()
  }

  var watchesHistory: Bool { requirements.contains(.history) }

  // MARK: Transition system

  public override var cpuCount: Int { layout.cpuCount }
  public override var objectCount: Int { layout.cellCount }

  public override func enabledCPUs() -> CPUSet {
    let unfinished = registers.pointee.unfinished
    var blocking = registers.pointee.blocking
    if blocking.isEmpty { return unfinished }
    var enabled = unfinished
    while let cpu = blocking.popLowest() {
      if !canTake(node(of: cpu).pointee.action, by: cpu) { enabled.remove(cpu) }
    }
    return enabled
  }

  public override func disabledCPUs() -> CPUSet {
    if registers.pointee.blocking.isEmpty { return CPUSet() }
    return registers.pointee.unfinished.subtracting(enabledCPUs())
  }

  public override func choiceCount(of cpu: Int) -> Int {
    choiceCount(of: node(of: cpu).pointee.action, by: cpu)
  }

  /// Running another CPU instead of starting a walk, an eviction or a callback is not a preemption.
  ///
  /// Those may start at any moment, or later. In the middle of a walk or a callback it is one.
  public override func isPreemption(leaving cpu: Int) -> Bool {
    isInterrupted(leaving: cpu)
  }

  public override func isStale(_ cpu: Int, choice: Int) -> Bool {
    memoryModel == .armv8 && readsOld(node(of: cpu).pointee.action, choosing: choice, by: cpu)
  }

  public override func isBlocking(_ cpu: Int) -> Bool { registers.pointee.blocking.contains(cpu) }

  public override func enablers(of cpu: Int) -> CPUSet {
    enablers(of: node(of: cpu).pointee.action, by: cpu)
  }

  public override func addFootprint(of cpu: Int, to footprint: Footprint) {
    addFootprint(of: node(of: cpu).pointee.action, by: cpu, to: footprint)
  }

  public override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    addPotentialFootprint(of: node(of: cpu).pointee.action, by: cpu, to: footprint)
  }

  public override func hasFixedFootprint(_ cpu: Int) -> Bool {
    let action = node(of: cpu).pointee.action
    return orderIsFixed(action) && hasFixedFootprint(action)
  }

  public override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    let node = positions[cpu]
    let action = localStates[node].pointee.action
    let mark = memory.mark
    recorder?.willTake(action, choosing: choice, by: cpu, in: self)
    let result = perform(action, choosing: choice, by: cpu)
    steps.append(
      TakenStep(
        cpu: cpu, node: node, choice: Int32(truncatingIfNeeded: choice), mark: mark, result: result)
    )
    recorder?.didTake(action, by: cpu, observing: result, in: self)
    setPosition(of: cpu, to: advance(cpu, from: node, observing: result), from: node)
    if orders != nil { closeOrder(after: cpu, from: node) }
    if failure != nil { return .halted }
    if !events.isEmpty || !stateInvariants.isEmpty { return judgeStep() }
    return .clean
  }

  public override func undo() {
    let step = steps.removeLast()
    memory.undo(to: step.mark)
    setPosition(of: step.cpu, to: step.node, from: positions[step.cpu])
    events.removeAll()
    if registers.pointee.usesSymmetry { symmetry.stepsWereTakenBack(to: steps.count) }
  }

  // MARK: What is read

  public override func startRecordingReads() -> Bool {
    memory.recordReads(true)
    return true
  }

  public override func stopRecordingReads() { memory.recordReads(false) }

  public override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    memory.takeReads(into: words)
    return watchesHistory || !memory.wasReadAround
  }

  public override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    for change in steps.last.mark..<memory.mark { words.append(memory.change(change).cell) }
  }

  /// The histories of all CPUs, hashed.
  ///
  /// Of a CPU that has ended only the way in which it ended counts, unless histories are judged.
  public override var positionsKey: UInt64? {
    let unfinished = registers.pointee.unfinished
    if unfinished.isEmpty { return nil }
    var key = registers.pointee.localKey
    if watchesHistory { return key }
    var ended = CPUSet.first(layout.cpuCount).subtracting(unfinished)
    while let cpu = ended.popLowest() {
      let node = node(of: cpu)
      key &-= node.pointee.keyShare
      if node.pointee.action.kind != .finished { key &+= StableHash.share(of: 1, at: UInt64(cpu)) }
    }
    return key
  }

  public override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    memory.hash(of: words)
  }

  // MARK: Symmetry

  var usesSymmetry: Bool { registers.pointee.usesSymmetry }

  public override var permutationCount: Int { permutations.count }

  public override func inverse(of permutation: Int) -> Int { permutations.inverse(of: permutation) }

  public override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    registers.pointee.usesSymmetry = true
    return symmetry.permutedKeys(keys)
  }

  public override func image(ofCPU cpu: Int, under permutation: Int) -> Int {
    permutations.image(of: cpu, under: permutation)
  }

  public override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 {
    symmetry.images.image(ofCell: object, under: permutation)
  }

  // MARK: Ends

  /// CPUs whose code has found that what it assumes is not so.
  public override var cutOffCPUs: CPUSet {
    var cpus = CPUSet()
    guard coverage.hasAssumptions else { return cpus }
    for cpu in 0..<layout.cpuCount where node(of: cpu).pointee.action.kind == .cutOff {
      cpus.insert(cpu)
    }
    return cpus
  }

  public override func judgeEnd() -> StepOutcome {
    // Nobody considers an execution that an assumption cuts off, so it has no end to be judged.
    guard cutOffCPUs.isEmpty else { return .clean }
    coverage.noteWholeExecution()
    let isStuck = !stuckCPUs.isEmpty
    return sink.whileCurrent {
      for (number, invariant) in quiescenceInvariants where !isStuck || invariant.judgesDeadlocks {
        inspection?.open()
        let report = invariantRecord.run(number) { invariant.judgeEnd(of: self) }
        inspection?.close(report)
        if failure != nil { return .halted }
        if let report {
          violation = (number, report)
          return .violation
        }
      }
      return .clean
    }
  }

  /// The outcome for the initial state: boot code, and the CPUs' local actions before their first
  /// step, are judged when the machine is made.
  public override func judgeStart() -> StepOutcome { failure != nil ? .halted : startOutcome }

  public override var stateKey: UInt64 { memory.hash &+ registers.pointee.localKey }

  // Each machine compares orders of stores that have one name with those of its own only.
  public override var sharesExactStates: Bool { identities?.isShared == true && orders == nil }

  public override func addExactState(to words: GrowableBuffer<UInt64>) {
    demand(identities != nil, "only an exact machine knows its states exactly")
    for cpu in 0..<layout.cpuCount { words.append(UInt64(node(of: cpu).pointee.identity)) }
    memory.addContents(to: words)
  }

  public override var violatedInvariant: Int { violation?.invariant ?? -1 }

  /// Steps taken so far.
  public var depth: Int {
    memory.wasReadAround = true
    return steps.count
  }

  func takenStep(_ index: Int) -> TakenStep { steps[index] }

  /// The node of a CPU; the address is valid until the graph grows.
  @inline(__always)
  func node(of cpu: Int) -> UnsafeMutablePointer<LocalStates.Node> { localStates[positions[cpu]] }

  // MARK: Checkpoints

  /// Audits the histories of this session, since a later session will not reach all of them.
  public override func isFitToSave() -> Bool {
    audit(from: auditedEdges)
    auditedEdges = localStates.edges.count
    return failure == nil
  }

  /// Saves what depends on the order of discovery; everything else is rebuilt.
  public override func save(to writer: CheckpointWriter) {
    writer.write(identities != nil)
    identities?.save(to: writer)
    coverage.save(to: writer)
    writer.write(hasMetCap)
  }

  public override func restore(from reader: CheckpointReader) throws(CheckpointError) {
    guard try reader.flag() == (identities != nil) else { throw .malformed }
    try identities?.restore(from: reader)
    try coverage.restore(from: reader, cpuCount: cpuCount)
    if try reader.flag() { hasMetCap = true }
  }

  // MARK: CPUs

  func setPosition(of cpu: Int, to node: LocalStates.Index, from old: LocalStates.Index) {
    positions[cpu] = node
    let new = localStates[node]
    mustHold(new.pointee.cpu == cpu, "the new node of CPU \(cpu) belongs to another")
    registers.pointee.localKey &+= new.pointee.keyShare
    if old >= 0 { registers.pointee.localKey &-= localStates[old].pointee.keyShare }
    if new.pointee.action.kind.isEnd {
      registers.pointee.unfinished.remove(cpu)
      registers.pointee.blocking.remove(cpu)
    } else {
      registers.pointee.unfinished.insert(cpu)
      if new.pointee.isBlocking {
        registers.pointee.blocking.insert(cpu)
      } else {
        registers.pointee.blocking.remove(cpu)
      }
    }
  }

  /// The node that the CPU reaches by a result, after its local actions.
  private func advance(
    _ cpu: Int, from node: LocalStates.Index, observing result: UInt64
  ) -> LocalStates.Index {
    var next = localStates.successor(of: node, observing: result)
    if next < 0 { next = grow(cpu, from: node, observing: result) }
    return localStates[next].pointee.action.isLocal ? takeLocalActions(of: cpu, from: next) : next
  }

  // MARK: Failures

  /// Stops the machine; only the first reason is kept.
  func fail(_ reason: MachineFailure) {
    guard failure == nil else { return }
    failure = if case .misuse(let text) = reason { .misuse(text.printable) } else { reason }
  }
}
