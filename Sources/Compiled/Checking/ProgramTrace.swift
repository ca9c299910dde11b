// One execution of a program, as the steps that a reader sees.

import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

/// One step of an execution.
package struct ProgramStep {
  package var thread: Int
  package var action: String
  package var outcome: String
  package var place: IRPlace?
  /// Functions that it was in, outermost first.
  package var functions: [String]
  package var observed: UInt64
  /// What it has to do with a store that others see later; nil if nothing.
  package var visibility: StoreVisibility?
}

package struct ProgramTrace {
  package var steps: [ProgramStep] = []
  package var threads: [String] = []
  package var finding: Finding?
  package var findingThread = 0
  package var findingPlace: IRPlace?
  /// Positions in `steps` at which a thread was preempted.
  package var preemptions: [Int] = []
  /// The whole execution, with a step for each request, local ones too: so it does not depend on
  /// what is known of the program's memory.
  package var schedule = Schedule()
  /// Whether no thread can go on.
  package var isOver = false
  /// Why the schedule could not be taken to its end; nil if it could.
  package var problem: String?
}

extension Program {
  /// Records the execution of a schedule that a search has found.
  package func trace(_ schedule: Schedule) throws(Finding) -> ProgramTrace {
    let steps = try singleSteps(of: schedule)
    return try Program(like: self).record(steps, of: layout)
  }

  /// Records the execution of a schedule of single requests, as `ProgramTrace` has it.
  package func replay(_ schedule: Schedule) throws(Finding) -> ProgramTrace {
    try Program(like: self).record(schedule.steps, of: nil)
  }

  /// The same execution, request by request.
  private func singleSteps(of schedule: Schedule) throws(Finding) -> [Schedule.Step] {
    let machine = try machine(stepsSingly: true)
    guard machine.finding == nil else { return [] }
    var steps: [Schedule.Step] = []
    func take(_ cpu: Int, _ given: Int) -> Bool {
      let (choice, recorded) = machine.choices(cpu, given)
      steps.append(Schedule.Step(cpu: cpu, choice: recorded))
      return machine.step(cpu, choice: choice) == .clean
    }
    func takeLocal(_ cpu: Int) -> Bool {
      var count = 0
      while count < ProgramMachine.localMax, machine.canTake(cpu), machine.mayGoOn(cpu) {
        guard take(cpu, 0) else { return false }
        count += 1
      }
      return true
    }
    guard takeLocal(0) else { return steps }
    for step in schedule.steps {
      guard take(step.cpu, step.choice), takeLocal(machine.thread(of: step.cpu)) else { break }
    }
    return steps
  }

  /// Takes single steps on a memory of which no more is known than the execution shows, so that
  /// the recording is the same whoever makes it.
  private func record(
    _ steps: [Schedule.Step], of other: Layout?
  ) throws(Finding) -> ProgramTrace {
    try probe()
    for _ in 0..<Self.attemptsMax {
      let run = SingleRun(try machine(stepsSingly: true), of: other)
      run.take(steps)
      if let excess = layout.excess { throw Finding(.unsupported, excess) }
      if run.machine.isBroken || layout.hasGrown { continue }
      return run.trace
    }
    throw Finding(.unsupported, "[internal] the layout of memory does not settle")
  }
}

/// An execution request by request.
private final class SingleRun {
  let machine: ProgramMachine
  private let other: Layout?
  private let recorder: ProgramRecorder
  private(set) var trace = ProgramTrace()
  /// The thread that took the latest step that was not local.
  private var latest: Int?
  /// Local steps in a row.
  private var localSteps = 0

  /// - Parameter other: the layout whose numbers of threads the steps have, if it is another.
  init(_ machine: ProgramMachine, of other: Layout?) {
    self.machine = machine
    self.other = other
    recorder = ProgramRecorder(machine)
    machine.observer = { [recorder] in recorder.note($0, $1, $2, $3) }
    trace.threads = (0..<machine.threadCount).map { machine.name(ofThread: $0) }
    if machine.weak != nil { trace.threads += trace.threads.map { $0 + "/stores" } }
  }

  func take(_ steps: [Schedule.Step]) {
    defer { finish() }
    for (number, step) in steps.enumerated() {
      let count = machine.layout.threads.count
      let drains = machine.weak != nil && step.cpu >= WeakMemory.firstDrainer
      let given = drains ? step.cpu - WeakMemory.firstDrainer : step.cpu
      let thread = other.map { machine.layout.number(of: given, in: $0) } ?? given
      guard machine.finding == nil else {
        return refuse(number, "the execution is over: something is wrong before it")
      }
      guard let cpu = thread, cpu < min(count, machine.threadCount) else {
        return refuse(number, "there is no thread \(step.cpu)")
      }
      if drains {
        if takeStore(step.choice, of: cpu) == .halted { return }
        continue
      }
      guard machine.canTake(cpu) else {
        return refuse(number, "\(machine.name(ofThread: cpu)) cannot go on there")
      }
      guard step.choice < machine.choiceCount(of: cpu) else {
        return refuse(number, "\(machine.name(ofThread: cpu)) has no choice \(step.choice)")
      }
      notePreemption(by: cpu)
      trace.schedule.steps.append(Schedule.Step(cpu: cpu, choice: step.choice))
      if machine.step(cpu, choice: step.choice) == .halted { return }
    }
  }

  /// Makes a store visible; one that other threads cannot tell when is visible already.
  private func takeStore(_ number: Int, of thread: Int) -> StepOutcome {
    guard let weak = machine.weak,
      let choice = machine.flushable(of: thread, weak).firstIndex(where: {
        weak.order.cpus[thread].buffer[$0].operand == UInt64(number)
      })
    else { return .clean }
    let cpu = WeakMemory.firstDrainer + thread
    trace.schedule.steps.append(Schedule.Step(cpu: cpu, choice: number))
    return machine.step(cpu, choice: choice)
  }

  private func refuse(_ number: Int, _ reason: String) {
    trace.problem = "step \(number + 1) is not possible: \(reason)"
  }

  private func notePreemption(by cpu: Int) {
    if machine.mayGoOn(cpu) { return localSteps += 1 }
    localSteps = 0
    if let latest, latest != cpu, machine.enabledCPUs().contains(latest) {
      trace.preemptions.append(recorder.steps.count)
    }
    latest = cpu
  }

  private func finish() {
    if let cpu = trace.schedule.steps.last?.cpu, localSteps >= ProgramMachine.localMax,
      machine.finding == nil, machine.canTake(cpu), machine.mayGoOn(cpu)
    {
      machine.failToEnd(cpu)
    }
    if machine.finding == nil, machine.enabledCPUs().isEmpty {
      trace.isOver = true
      machine.judgeFinalState()
    }
    recorder.finish()
    trace.steps = recorder.steps
    trace.finding = machine.finding
    trace.findingThread = machine.findingCPU
    trace.findingPlace = machine.placeOfCode(machine.findingPlace, machine.findingCPU)
  }
}

extension Layout {
  /// The number of a thread that has a number in another layout.
  fileprivate func number(of thread: Int, in other: Layout) -> Int? {
    guard thread > 0 else { return 0 }
    guard thread < other.threads.count else { return nil }
    let (parent, index) = other.threads[thread]
    guard let known = number(of: parent, in: other) else { return nil }
    return threads.firstIndex { $0.parent == known && $0.index == index }
  }
}

extension ProgramMachine {
  /// Whether a thread's next request can be taken by itself.
  ///
  /// A read that leads straight back can be, since an execution that was found may have it.
  func canTake(_ cpu: Int) -> Bool {
    guard status(of: cpu) == Status.present else { return false }
    let kind = point(of: cpu).pointee.request.kind
    switch kind {
    case .ended, .blocked, .cut, .failed: return false
    default: break
    }
    if isLocal(cpu) { return true }
    if let weak { return canStepWeakly(cpu, weak) }
    switch kind {
    case .load, .store, .compareExchange, .update, .tryLock: return true
    default: return canStep(cpu)
    }
  }

  /// What a choice of a search is in a recording, on a machine that takes single steps: for the
  /// machine, and as it is written down.
  ///
  /// In recordings a store is named by its number among the requests of its thread, and a load may
  /// also read what would lead straight back, so choices do not depend on what is known of memory.
  fileprivate func choices(_ cpu: Int, _ choice: Int) -> (taken: Int, recorded: Int) {
    guard let weak else { return (choice, choice) }
    if cpu >= WeakMemory.firstDrainer {
      let thread = self.thread(of: cpu)
      let index = flushable(of: thread, weak)[choice]
      return (choice, Int(weak.order.cpus[thread].buffer[index].operand))
    }
    guard !isLocal(cpu) else { return (choice, choice) }
    switch point(of: cpu).pointee.request.kind {
    case .load, .compareExchange, .update:
      let chosen = findReadings(of: cpu, isFiltered: true, weak)[choice]
      let place = readings(of: cpu).firstIndex(of: chosen) ?? choice
      return (place, place)
    default: return (choice, choice)
    }
  }
}

/// Turns actions into steps.
final class ProgramRecorder {
  private unowned let machine: ProgramMachine
  /// Scheduling points, and a local step if the execution ends with it.
  private(set) var steps: [ProgramStep] = []
  /// The latest action, if it was local.
  private var local: (cpu: Int, request: Request, result: UInt64)?
  private var pending = PendingSteps()
  /// The latest step that changed what all see of a cell.
  private var latest: [UInt32: Int] = [:]

  init(_ machine: ProgramMachine) { self.machine = machine }

  func note(_ cpu: Int, _ request: Request, _ result: UInt64, _ isLocal: Bool) {
    local = isLocal ? (cpu, request, result) : nil
    // What a program prints is worth seeing, though it is no scheduling point, and so is a store
    // that waits.
    let isShown = request.kind == .print || machine.weak?.note != nil
    if !isLocal || isShown { add(cpu, request, result) }
    if isShown { local = nil }
  }

  /// The execution is over.
  func finish() {
    guard let (cpu, request, result) = local, request.kind != .print,
      machine.finding != nil, machine.findingCPU == cpu,
      machine.findingPlace == request.place, machine.point(of: cpu).pointee.request.kind != .failed
    else { return }
    add(cpu, request, result)
  }

  private func add(_ cpu: Int, _ request: Request, _ result: UInt64) {
    let thread = machine.thread(of: cpu)
    let state = machine.graph.nodes[machine.node(of: thread)].state
    let visibility = visibility(of: request)
    let text =
      request.kind == .print || request.kind == .hardware
      ? machine.output(of: thread) : machine.text(of: request)
    steps.append(
      ProgramStep(
        thread: cpu == thread ? thread : machine.threadCount + thread,
        action: text + (visibility.map { $0.suffix($0.step.map { $0 + 1 }) } ?? ""),
        outcome: cpu == thread ? machine.outcome(of: request, result) : "",
        place: machine.placeOfCode(request.place, thread),
        functions: state.frames.map { machine.image.functions[Int($0.function)].name },
        observed: result, visibility: visibility))
  }

  /// What the step that is about to be added has to do with stores that others see later.
  private func visibility(of request: Request) -> StoreVisibility? {
    guard let weak = machine.weak else { return nil }
    guard let note = weak.note else {
      if let cell = machine.changedCell(request) { latest[cell] = steps.count }
      return nil
    }
    let step = pending.step(of: note, at: steps.count, latest: latest[note.cell])
    if note.kind == .visible { latest[note.cell] = steps.count }
    let cell = machine.layout.cells[Int(note.cell)]
    return StoreVisibility(
      kind: note.kind, word: machine.name(of: machine.address(of: cell)),
      value: machine.number(note.value, cell.size),
      newest: note.kind == .old
        ? machine.number(machine.read(cell.record, cell.start, cell.size), cell.size) : nil,
      step: step)
  }
}

extension ProgramMachine {
  func place(_ number: Int32) -> IRPlace? { number < 0 ? nil : image.places[Int(number)] }

  /// The name of a thread: that of its function, with a number if there are several.
  func name(ofThread cpu: Int) -> String {
    if cpu == 0 { return "main" }
    return "thread \(cpu)"
  }

  /// What a request says, as C would.
  func text(of request: Request) -> String {
    let object = name(of: request.address)
    let plain = request.isAtomic ? "" : "plain "
    switch request.kind {
    case .start: return "begin"
    case .load: return "\(plain)load \(object)"
    case .store: return "\(plain)store \(object) = \(number(request.a, request.size))"
    case .compareExchange:
      let (old, new) = (number(request.a, request.size), number(request.b, request.size))
      return "compare-exchange \(object), \(old) to \(new)"
    case .update:
      return "\(request.update.rawValue) \(object), \(number(request.a, request.size))"
    case .wide: return wideText(request)
    case .copyMemory: return "copy \(request.size) bytes from \(name(of: request.a)) to \(object)"
    case .setMemory: return "set \(request.size) bytes at \(object)"
    case .fence: return "fence"
    case .allocate: return "allocate \(request.size) bytes"
    case .free: return "free \(object)"
    case .allocateStack: return "enter the scope of a local of \(request.size) bytes"
    case .releaseStack: return "leave the scope of locals"
    case .create:
      return "create a thread: \(image.function(at: request.address)?.name ?? hex(request.address))"
    case .join: return "join thread \(request.address & 0xFFFF_FFFF)"
    case .finish: return "finish"
    case .lock: return "lock \(object)"
    case .tryLock: return "try to lock \(object)"
    case .unlock, .unlockShared: return "unlock \(object)"
    case .initMutex: return "initialise mutex \(object)"
    case .destroyMutex: return "destroy mutex \(object)"
    case .initBarrier: return "initialise barrier \(object)"
    case .arrive: return "arrive at barrier \(object)"
    case .passBarrier: return "pass barrier \(object)"
    case .destroyBarrier: return "destroy barrier \(object)"
    case .awaitLoad: return "await a value of \(object)"
    case .awaitExchange: return "await a value of \(object), then store \(number(request.a, 4))"
    case .lockShared: return "lock \(object) for reading"
    case .tryLockShared: return "try to lock \(object) for reading"
    case .lockExclusive: return "lock \(object) for writing"
    case .tryLockExclusive: return "try to lock \(object) for writing"
    case .initShared: return "initialise lock \(object)"
    case .destroyShared: return "destroy lock \(object)"
    case .sleep: return "unlock \(name(of: request.a)), and sleep on \(object)"
    case .wake: return "wake up on \(object)"
    case .signal: return "signal \(object)"
    case .broadcast: return "broadcast on \(object)"
    case .initCondition: return "initialise condition \(object)"
    case .destroyCondition: return "destroy condition \(object)"
    case .takeSemaphore: return "take semaphore \(object)"
    case .tryTakeSemaphore: return "try to take semaphore \(object)"
    case .postSemaphore: return "post semaphore \(object)"
    case .initSemaphore: return "initialise semaphore \(object)"
    case .beginOnce: return "begin once \(object)"
    case .endOnce: return "end once \(object)"
    case .openSection: return "begin a read-side section"
    case .closeSection: return "end a read-side section"
    case .startGrace: return "start a grace period"
    case .passGrace: return "end a grace period"
    case .callLater: return "queue a callback: \(image.function(at: request.address)?.name ?? "")"
    case .startDrain: return "look for callbacks"
    case .passDrain: return "wait for callbacks"
    case .sizeOf: return "get the size of \(object)"
    case .print:
      let text = image.text(at: request.address) ?? ""
      return text.isEmpty ? "print" : "print “\(text.filter { !$0.isNewline })”"
    case .choose: return "choose one of \(request.address)"
    case .blocked: return "an assumption does not hold"
    case .cut: return "the bound on loops is met"
    case .ended, .failed, .hardware:
      return request.hardwareAccess.map { text(of: $0) } ?? "\(request.kind)"
    }
  }

  private func wideText(_ request: Request) -> String {
    let what = request.wide == .compare ? "compare-exchange" : "\(request.wide)"
    return "\(what) 16 bytes at \(name(of: request.address))"
  }

  func outcome(of request: Request, _ result: UInt64) -> String {
    switch request.kind {
    case .load, .update, .awaitLoad, .awaitExchange, .choose: return number(result, request.size)
    case .hardware: return request.hardwareAccess.map { outcome(of: $0, result) } ?? ""
    case .compareExchange:
      return result == request.a ? "done" : "found \(number(result, request.size))"
    case .wide where request.wide == .compare: return result == 1 ? "done" : "found another value"
    case .tryLock: return result == 0 ? "done" : "busy"
    case .allocate: return name(of: result)
    case .create: return name(ofThread: Int(result))
    default: return ""
    }
  }

  /// The cell that a request changes at once; nil if it changes none.
  fileprivate func changedCell(_ request: Request) -> UInt32? {
    guard request.kind == .update || request.kind == .compareExchange || request.kind == .store,
      let (record, offset) = try? locate(request, request.size),
      offset + request.size <= layout.records[record].capacity
    else { return nil }
    let cell = layout.cell(record, offset, request.size)
    return cell >= 0 ? UInt32(cell) : nil
  }

  /// A value as C code would show it: addresses by the names of objects.
  fileprivate func number(_ value: UInt64, _ size: Int) -> String {
    if size == 8, let region = Region.number(of: value), layout.record(ofRegion: region) >= 0 {
      return "&" + name(of: value)
    }
    return "\(signExtended(value, max(size, 1) * 8))"
  }
}
