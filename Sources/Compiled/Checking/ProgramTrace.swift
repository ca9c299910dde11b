// One execution of a program, as the steps that a reader sees.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

/// One step of an execution.
package struct ProgramStep {
  package var thread: Int
  package var action: String
  package var outcome: String
  /// True if it was no scheduling point.
  package var isLocal: Bool
  package var place: IRPlace?
  /// Functions that it was in, outermost first.
  package var functions: [String]
  package var observed: UInt64
}

package struct ProgramTrace {
  package var steps: [ProgramStep] = []
  package var threads: [String] = []
  package var finding: Finding?
  package var findingThread = 0
  package var findingPlace: IRPlace?
  /// Positions in `steps` at which a thread was preempted.
  package var preemptions: [Int] = []
}

extension Program {
  /// Takes the steps of a schedule, and records them.
  package func trace(_ schedule: Schedule) throws(Finding) -> ProgramTrace {
    let machine = try machine()
    let recorder = ProgramRecorder(machine)
    machine.observer = { recorder.note($0, $1, $2, $3) }
    var trace = ProgramTrace()
    trace.threads = (0..<machine.threadCount).map { machine.name(ofThread: $0) }
    var latest: Int?
    for step in schedule.steps {
      let enabled = machine.enabledCPUs()
      guard enabled.contains(step.cpu) else { break }
      if let latest, latest != step.cpu, enabled.contains(latest) {
        trace.preemptions.append(recorder.steps.count)
      }
      latest = step.cpu
      if machine.step(step.cpu, choice: step.choice) != .clean { break }
    }
    if machine.finding == nil, machine.enabledCPUs().isEmpty { machine.judgeFinalState() }
    trace.steps = recorder.steps
    trace.finding = machine.finding
    trace.findingThread = machine.findingCPU
    trace.findingPlace = machine.place(machine.findingPlace)
    return trace
  }
}

/// Turns actions into steps.
final class ProgramRecorder {
  private unowned let machine: ProgramMachine
  private(set) var steps: [ProgramStep] = []

  init(_ machine: ProgramMachine) { self.machine = machine }

  func note(_ cpu: Int, _ request: Request, _ result: UInt64, _ isLocal: Bool) {
    let state = machine.graph.nodes[machine.node(of: cpu)].state
    steps.append(
      ProgramStep(
        thread: cpu, action: machine.text(of: request),
        outcome: machine.outcome(of: request, result),
        isLocal: isLocal, place: machine.place(request.place),
        functions: state.frames.map { machine.image.functions[Int($0.function)].name },
        observed: result))
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
    case .unlock: return "unlock \(object)"
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
    case .unlockShared: return "unlock \(object)"
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
    case .print: return "print"
    case .choose: return "choose one of \(request.address)"
    case .blocked: return "an assumption does not hold"
    case .cut: return "the bound on loops is met"
    case .ended: return "end"
    case .failed: return "fail"
    }
  }

  func outcome(of request: Request, _ result: UInt64) -> String {
    switch request.kind {
    case .load, .update, .awaitLoad, .awaitExchange, .choose: return number(result, request.size)
    case .compareExchange:
      return result == request.a ? "done" : "found \(number(result, request.size))"
    case .tryLock: return result == 0 ? "done" : "busy"
    case .allocate: return name(of: result)
    case .create: return name(ofThread: Int(result))
    default: return ""
    }
  }

  /// A value as C code would show it: addresses by the names of objects.
  private func number(_ value: UInt64, _ size: Int) -> String {
    if size == 8, let region = Region.number(of: value), layout.record(ofRegion: region) >= 0 {
      return "&" + name(of: value)
    }
    return "\(signExtended(value, max(size, 1) * 8))"
  }
}
