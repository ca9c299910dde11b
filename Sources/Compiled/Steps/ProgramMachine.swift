// A program under check: its memory and its threads, as steps that can be taken and undone.

import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

/// Threads of a program over memory of bytes, under sequential consistency unless there is an order
/// of stores (`weak`).
///
/// It is a transition system of its own, not a `Machine`: memory is objects of bytes that come and
/// go, threads are created by threads, and a step may touch many bytes. Each thread's program asks
/// for one step at a time. Steps on memory that only one thread can be accessing are local: they
/// are taken together with the step before.
package final class ProgramMachine: TransitionSystem {
  struct Mark: BitwiseCopyable {
    var data: Int
    var order: Int
    var reads: Int
    var threads: Int
    var turns: Int
  }

  /// Words of a thread, in `threads`.
  enum ThreadWord {
    static let status = 0, node = 1, turn = 2, turnHash = 3, privateHash = 4
    /// The number of what creating and joining threads orders before its next action.
    static let clock = 5
    /// A hash of its steps so far, and of what they read from.
    static let history = 6
    static let flags = 7
    /// Its part of the key of the state.
    static let share = 8
    static let count = 9
  }

  /// Bits of a thread's flags.
  enum Flag {
    /// It is a callback that RCU runs; it has ended the program.
    static let callback: UInt64 = 1, exited: UInt64 = 2
  }

  enum Status {
    static let absent: UInt64 = 0, present: UInt64 = 1, spinning: UInt64 = 2
  }

  let image: Image
  let layout: Layout
  let options: ProgramOptions
  let interpreter: Interpreter
  let graph: ThreadGraph
  let threadCount: Int
  /// Results of threads that have finished, contents of memory, and the lifetimes of objects.
  let data = Words(isHashed: true)
  /// Who accessed what is not shared, in all executions.
  let accesses: AccessTable
  /// What steps read, if that is recorded.
  let reads: ReadLog
  /// Clocks: of threads, of messages and of accesses.
  let order = Words(isHashed: false)
  /// Stores and what threads know of them, under weaker memory.
  let weak: WeakMemory?
  let threads = Words(isHashed: false)
  let turns = GrowableBuffer<Turn>()
  private let marks = GrowableBuffer<Mark>()
  /// The index of each record's words in `data`, and of each cell's in `order`.
  let bases = GrowableBuffer<Int>(capacity: 256)
  let clockBases = GrowableBuffer<Int32>(capacity: 256)
  /// Where the latest dead end that was a turn leads to.
  var landing: UInt64 = 0
  /// The thread that the step at hand has created.
  private var newborn = -1
  package internal(set) var finding: Finding?
  /// The thread and the place of the finding.
  var findingCPU = 0
  var findingPlace: Int32 = -1
  /// Set if the attempt cannot go on.
  var isBroken = false
  /// Executions that ended, by how.
  package internal(set) var endings = Endings()
  /// Hashes of what reads read from, of all executions.
  package internal(set) var readsFrom: Set<UInt64> = []
  /// Hashes of memory at the ends of complete executions.
  package internal(set) var memories: Set<UInt64> = []
  /// Contents of globals at the ends of executions.
  package internal(set) var outcomes: Set<[UInt64]> = []
  let writerBases = GrowableBuffer<Int32>(capacity: 1)
  /// Called after each action.
  var observer: ((_ cpu: Int, _ request: Request, _ result: UInt64, _ isLocal: Bool) -> Void)?
  /// For each thread, the parts of hardware that its code may access: reads, then writes.
  var openGroups: [UInt32]
  private var keepsShares = false
  /// Whether the step at hand has accessed shared memory plainly, where that may race.
  var hasAccessedPlainly = false
  /// The hash of what happens before what, in the present state.
  private var knowledgeNow: UInt64?
  private var enabledNow: (enabled: CPUSet, disabled: CPUSet)?

  /// - Parameter graph: what threads do; no other machine that is in use may have it.
  init(
    _ image: Image, _ layout: Layout, _ options: ProgramOptions, _ graph: ThreadGraph
  ) throws(Finding) {
    self.image = image
    self.layout = layout
    self.options = options
    interpreter = graph.interpreter
    self.graph = graph
    graph.forgetSteps()
    threadCount = layout.threadLimit
    openGroups = Array(repeating: 0, count: threadCount)
    accesses = AccessTable(threadCount: threadCount)
    reads = ReadLog(limit: Self.partsMax, isFixed: layout.isStrict)
    weak =
      options.memoryModel == .sequentialConsistency
      ? nil
      : WeakMemory(
        options.memoryModel, threads: threadCount, hasGracePeriods: image.waitsForGrace)
    super.init()
    guard let main = image.function(named: options.entry) else {
      throw Finding(.misuse, "the program has no function \(options.entry); --entry names another")
    }
    _ = threads.extend(by: threadCount * ThreadWord.count + Summary.count)
    _ = order.extend(by: 3 * threadCount * threadCount)
    _ = data.extend(by: threadCount * ResultWord.count)
    for thread in 0..<threadCount {
      order[clock(.happensBefore, thread) + thread] = 1
      setCreationClock(of: thread, accesses.first(thread))
    }
    if layout.isStrict { makeWords() }
    makeGlobals()
    begin(0, Image.address(ofFunction: main.number), 0)
    let node = self.node(of: 0)
    // The first thread needs nobody to create it.
    arrive(0, at: graph.successor(of: node, observing: 0))
    if !options.stepsSingly { runLocally(0) }
    if let weak { closeOrder(after: 0, weak) }
    classify(0)
  }

  deinit {
    for buffer in [clockBases, writerBases] { buffer.deallocate() }
    bases.deallocate()
    turns.deallocate()
    marks.deallocate()
  }

  /// Gives words to all that is known, in its order, so that equal states have equal keys in all
  /// machines that share numbers.
  private func makeWords() {
    for record in 0..<layout.records.count { _ = base(of: record) }
  }

  // MARK: Threads

  @inline(__always)
  func word(_ cpu: Int, _ word: Int) -> Int { cpu &* ThreadWord.count &+ word }

  @inline(__always)
  func node(of cpu: Int) -> Int { Int(threads[word(cpu, ThreadWord.node)]) }

  @inline(__always)
  func status(of cpu: Int) -> UInt64 { threads[word(cpu, ThreadWord.status)] }

  @inline(__always)
  func point(of cpu: Int) -> UnsafeMutablePointer<ThreadGraph.Point> {
    graph.points.pointer(to: node(of: cpu))
  }

  /// A thread comes into being, and has not begun.
  ///
  /// - Parameter mask: threads whose read-side sections it waits for first.
  func begin(_ cpu: Int, _ entry: UInt64, _ argument: UInt64, after mask: UInt64 = 0) {
    let node = graph.node(interpreter.newThread(entry, argument, after: mask), of: cpu)
    threads[word(cpu, ThreadWord.status)] = Status.present
    threads[word(cpu, ThreadWord.node)] = UInt64(node)
    newborn = cpu
    classify(cpu)
  }

  func hasFinished(_ cpu: Int) -> Bool {
    status(of: cpu) == Status.present && point(of: cpu).pointee.request.kind == .ended
  }

  // MARK: TransitionSystem

  package override var cpuCount: Int {
    weak == nil ? threadCount : WeakMemory.firstDrainer + threadCount
  }
  package override var objectCount: Int { layout.objectLimit + Self.partsMax }

  package override func enabledCPUs() -> CPUSet { enabledAndDisabled().enabled }
  package override func disabledCPUs() -> CPUSet { enabledAndDisabled().disabled }

  /// Words after those of threads: the sum of their shares, and sets of threads.
  private enum Summary {
    static let shares = 0
    /// Threads whose next step can always be taken, and those whose next step may have to wait.
    static let free = 1, waiting = 2
    /// Threads that take no step any more.
    static let gone = 3
    /// Threads that create others, or begin; that join others.
    static let early = 4, late = 5
    static let count = 6
  }

  @inline(__always)
  private func summary(_ word: Int) -> Int { threadCount &* ThreadWord.count &+ word }

  private func set(_ word: Int) -> CPUSet { CPUSet(bits: threads[summary(word)]) }

  /// Puts a thread into the set that its status and its request say.
  private func classify(_ cpu: Int) {
    var word = Summary.gone
    var order = 0
    if status(of: cpu) == Status.present {
      let request = point(of: cpu).pointee.request
      switch request.kind {
      case .ended, .blocked, .cut: break
      default:
        word =
          request.kind == .start || request.kind.isWait || mayWait(request)
          ? Summary.waiting : Summary.free
      }
      switch request.kind {
      case .start, .create: order = Summary.early
      case .join: order = Summary.late
      default: break
      }
    }
    let bit: UInt64 = 1 << UInt64(cpu)
    for other in Summary.free...Summary.late {
      let old = threads[summary(other)]
      threads[summary(other)] = other == word || other == order ? old | bit : old & ~bit
    }
  }

  private func enabledAndDisabled() -> (enabled: CPUSet, disabled: CPUSet) {
    if let enabledNow { return enabledNow }
    var enabled = set(Summary.free)
    var open = set(Summary.waiting)
    if let weak {
      enabled = enabledWeakly(among: enabled.union(open), weak)
    } else {
      while let cpu = open.popLowest() { if canStep(cpu) { enabled.insert(cpu) } }
    }
    let gone = set(Summary.gone)
    let disabled = CPUSet.first(threadCount).subtracting(gone).subtracting(enabled)
    enabledNow = (enabled, disabled)
    return (enabled, disabled)
  }

  /// Whether the next step of a thread is of a kind that may have to wait.
  private func mayBlock(_ cpu: Int) -> Bool {
    !set(Summary.free).contains(cpu) && !set(Summary.gone).contains(cpu)
  }

  package override func isBlocking(_ cpu: Int) -> Bool { mayBlock(cpu) }

  /// A thread that begins or joins another one has nothing but that to wait for.
  package override func racesWithNothing(_ cpu: Int) -> Bool {
    guard status(of: cpu) == Status.present else { return true }
    let request = point(of: cpu).pointee.request
    return request.kind == .join || request.kind == .start && request.b == 0
  }

  /// Threads join others in the end: that is in nobody's way.
  package override var ordersByRacesOnly: Bool { true }

  /// Threads that begin come first, so that it is done once for all executions; those that join
  /// others come last, since what follows waits for all of them anyway.
  package override func preferred(among cpus: CPUSet) -> CPUSet {
    let early = cpus.intersection(set(Summary.early))
    if !early.isEmpty { return early }
    let rest = cpus.subtracting(set(Summary.late))
    return rest.isEmpty ? cpus : rest
  }
  /// Whether no other thread has a next step.
  func isLast(_ cpu: Int) -> Bool {
    set(Summary.free).union(set(Summary.waiting)).subtracting(CPUSet(cpu)).isEmpty
  }

  /// What makes stores visible is no thread that could be kept from going on.
  package override func isPreemption(leaving cpu: Int) -> Bool { cpu < threadCount }

  package override func hasFixedFootprint(_ cpu: Int) -> Bool { touchesTheSameAlways(cpu) }

  package override func addFootprint(of cpu: Int, to footprint: Footprint) {
    add(cpu, to: footprint, isPotential: false)
  }

  package override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    add(cpu, to: footprint, isPotential: true)
  }

  package override func choiceCount(of cpu: Int) -> Int {
    if let weak, let count = choiceCountWeakly(cpu, weak) { return count }
    let request = point(of: cpu).pointee.request
    switch request.kind {
    case .choose: return max(1, min(Int(truncatingIfNeeded: request.address), 64))
    case .signal: return max(1, layout.sleepers.count)
    default: return 1
    }
  }

  package override func step(_ cpu: Int, choice: Int) -> StepOutcome {
    let isDrain = cpu >= threadCount
    marks.append(
      Mark(
        data: data.mark, order: order.mark, reads: reads.mark, threads: threads.mark,
        turns: turns.count))
    (enabledNow, knowledgeNow) = (nil, nil)
    hasAccessedPlainly = false
    weak?.begin()
    let cpu = thread(of: cpu)
    if isDrain, let weak {
      makeVisible(choice, of: cpu, weak)
    } else {
      take(cpu, choice: choice, isLocal: options.stepsSingly && isLocal(cpu))
    }
    if finding == nil, !options.stepsSingly { runLocally(cpu) }
    if finding == nil, !isBroken { judgeWaits(after: cpu) }
    if let weak { closeOrder(after: cpu, weak) }
    classify(cpu)
    if keepsShares {
      updateShare(cpu)
      if newborn >= 0 { updateShare(newborn) }
    }
    newborn = -1
    if isBroken || layout.hasGrown { return .halted }
    return finding == nil ? .clean : .violation
  }

  package override func undo() {
    let mark = marks.removeLast()
    data.undo(to: mark.data)
    order.undo(to: mark.order)
    reads.undo(to: mark.reads)
    threads.undo(to: mark.threads)
    turns.truncate(to: mark.turns)
    weak?.undo()
    finding = nil
    (enabledNow, knowledgeNow) = (nil, nil)
  }

  package override func judgeStart() -> StepOutcome {
    if isBroken || layout.hasGrown { return .halted }
    return finding == nil ? .clean : .violation
  }

  package override func judgeEnd() -> StepOutcome {
    judgeFinalState()
    return finding == nil ? .clean : .violation
  }

  package override var violatedInvariant: Int { 0 }

  package override func isFitToSave() -> Bool { !isBroken && !layout.hasGrown }

  package override var stateKey: UInt64 {
    data.hash &+ localKey &+ (weak?.hash ?? 0)
  }

  /// A hash of where all threads are, and of what happens before what.
  private var localKey: UInt64 {
    if !keepsShares, marks.isEmpty {
      // From the initial state on, each step updates its thread's part.
      keepsShares = true
      for cpu in 0..<threadCount { updateShare(cpu) }
    }
    var key: UInt64 = 0
    if keepsShares {
      key = threads[summary(Summary.shares)]
    } else {
      for cpu in 0..<threadCount { key &+= share(of: cpu) }
    }
    return racesCount ? key &+ knowledge : key
  }

  private var knowledge: UInt64 {
    if let knowledgeNow { return knowledgeNow }
    let hash = knowledgeHash()
    knowledgeNow = hash
    return hash
  }

  // MARK: What is read

  /// The most parts of memory of which a search notes that they are read.
  private static let partsMax = 32_768

  package override func startRecordingReads() -> Bool {
    if options.countsReadsFrom || weak != nil { return false }
    reads.record(true)
    return true
  }

  package override func stopRecordingReads() { reads.record(false) }

  package override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    reads.takeReads(into: words)
  }

  package override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    reads.addWrites(since: marks.last.reads, to: words)
  }

  package override var positionsKey: UInt64? {
    self.set(Summary.free).isEmpty && self.set(Summary.waiting).isEmpty ? nil : localKey
  }

  package override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    reads.hash(of: words, in: data)
  }

  /// What a thread adds to the key of the state.
  private func share(of cpu: Int) -> UInt64 {
    guard status(of: cpu) != Status.absent else { return 0 }
    let point = point(of: cpu)
    var share = StableHash.extend(
      point.pointee.hash, with: status(of: cpu) << 8 | threads[word(cpu, ThreadWord.flags)])
    if point.pointee.request.kind != .ended {
      share = StableHash.extend(share, with: accesses.hash(ofClock: creationClock(of: cpu)))
      if threads[word(cpu, ThreadWord.turn)] != 0 {
        share = StableHash.extend(share, with: threads[word(cpu, ThreadWord.turnHash)])
        share = StableHash.extend(share, with: threads[word(cpu, ThreadWord.privateHash)])
      }
    }
    return StableHash.share(of: share, at: ~UInt64(cpu))
  }

  private func updateShare(_ cpu: Int) {
    let (old, new) = (threads[word(cpu, ThreadWord.share)], share(of: cpu))
    threads[word(cpu, ThreadWord.share)] = new
    let sum = summary(Summary.shares)
    threads[sum] = threads[sum] &- old &+ new
  }
}
