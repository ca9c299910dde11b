// A virtual CPU as its machine sees it: what it is called, what it is there for, what runs on it.

import GracewalkFibers
import GracewalkSupport

/// What a virtual CPU is there for.
enum CPURole {
  case program(Program)
  /// Callbacks queued by the CPU with this number.
  case callbacks(of: Int)
  /// What comes before the CPUs start: its actions take effect at once.
  case boot
  /// What a memory management unit does unasked.
  case walker(MMU)
}

/// A virtual CPU of a machine.
package final class MachineCPU {
  package let index: Int
  let name: String
  let role: CPURole
  // Not counted: the machine owns it, and abandons what runs on it as it dies.
  unowned(unsafe) let machine: Machine
  /// What a report says if its code traps.
  let record: CodeRecord
  private var runningCode: (any CPUCode)?

  init(index: Int, name: String, role: CPURole, machine: Machine) {
    self.index = index
    self.name = name
    self.role = role
    self.machine = machine
    record = CodeRecord(machine.codeRun, cpu: name, role: role)
  }

  /// What runs on it.
  var code: any CPUCode {
    if let runningCode { return runningCode }
    let code: any CPUCode =
      if case .program(let program) = role, let other = program.code { other(self) } else {
        FiberCode(self)
      }
    runningCode = code
    return code
  }

  /// Gives up what runs on it, if anything does.
  func abandon() { runningCode?.abandon() }

  /// The CPU on whose callback queue `call` puts its work.
  var callbackOwner: Int {
    if case .callbacks(let owner) = role { owner } else { index }
  }

  // MARK: For code

  /// Numbers for what code knows, where the machine compares states exactly.
  package var identities: Identities? { machine.identities }

  /// The table page with a number, as allocating one returns it.
  package func page(_ id: Int) -> TablePage { machine.layout.page(id) }

  /// Notes that an operation has ended with a result, which `mustHappen` may ask for.
  package func note(_ result: any OperationResult, of operation: Int) {
    machine.coverage.note(
      Coverage.Outcome(code: result.code, text: result.text?.printable), of: index, operation)
  }
}

extension CodeRecord {
  /// The record of a CPU.
  convenience init(_ run: CodeRun, cpu name: String, role: CPURole) {
    switch role {
    case .program(let program):
      self.init(run, cpu: name, operations: program.operations.map(\.name), other: "end")
    case .callbacks: self.init(run, cpu: name, operations: [], other: "callback")
    case .walker: self.init(run, cpu: name, operations: [], other: "speculation")
    case .boot: self.init(run, cpu: name, operations: ["what comes before the CPUs"], other: "")
    }
  }
}
