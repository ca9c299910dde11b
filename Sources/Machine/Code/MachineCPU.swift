// A virtual CPU as its machine sees it: its name, its role and its code.

import GracewalkFibers
import GracewalkSupport

/// The role of a virtual CPU.
enum CPURole {
  case program(Program)
  /// Callbacks queued by the CPU with this number.
  case callbacks(of: Int)
  /// Boot code: its actions take effect at once.
  case boot
  /// Speculative walks and evictions of a memory management unit.
  case walker(MMU)
  /// Makes the stores of the CPU with this number visible.
  case drainer(of: Int)
}

/// A virtual CPU of a machine.
package final class MachineCPU {
  package let index: Int
  let name: String
  let role: CPURole
  // Unowned: the machine owns it, and abandons its code when it is deallocated.
  unowned(unsafe) let machine: Machine
  /// The data for a report if its code traps.
  let record: CodeRecord
  private var runningCode: (any CPUCode)?

  init(index: Int, name: String, role: CPURole, machine: Machine) {
    self.index = index
    self.name = name
    self.role = role
    self.machine = machine
    record = CodeRecord(machine.codeRun, cpu: name, role: role)
  }

  /// Its code.
  var code: any CPUCode {
    if let runningCode { return runningCode }
    let code: any CPUCode =
      switch role {
      case .drainer: DrainerCode(self)
      case .program(let program): program.code.map { $0(self) } ?? FiberCode(self)
      case .callbacks, .boot, .walker: FiberCode(self)
      }
    runningCode = code
    return code
  }

  /// Abandons its code, if there is any.
  func abandon() { runningCode?.abandon() }

  /// The CPU on whose callback queue `call` puts its work.
  var callbackOwner: Int {
    if case .callbacks(let owner) = role { owner } else { index }
  }

  // MARK: For code

  /// Identities for local states, if the machine compares states exactly.
  package var identities: Identities? { machine.identities }

  /// The table page with a number, as allocating one returns it.
  package func page(_ id: Int) -> TablePage { machine.layout.page(id) }

  /// Records the result of an operation, for coverage and `mustHappen`.
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
    case .drainer: self.init(run, cpu: name, operations: [], other: "visibility")
    case .boot: self.init(run, cpu: name, operations: ["what comes before the CPUs"], other: "")
    }
  }
}
