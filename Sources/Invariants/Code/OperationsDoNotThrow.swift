// Code ends by returning, never by throwing an error of its own.

import GracewalkMachine

/// No operation, callback or boot code throws an error of its own.
///
/// Model code throws when it detects an error: an assertion of the modelled code, such as the
/// kernel's `BUG_ON`. If that can happen, the execution that leads there is the counterexample.
/// This invariant is always required.
public struct OperationsDoNotThrow: EventInvariant {
  public init() {}

  public static let id = "operations-do-not-throw"
  public var id: String { Self.id }
  public let statement = "No operation, callback or boot code ends by throwing an error."
  public let rationale =
    "Code throws when an assumption of its own does not hold, as the kernel does with BUG_ON; "
    + "nothing is known about its behaviour after that."
  public let source = "include/asm-generic/bug.h (Linux): BUG_ON and WARN_ON."
  public let applicability = Applicability.wherever([])
  public let treatsCPUsAlike = true

  public let watches: EventKinds = .threw

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let error = machine.thrownError(event.value)
    let cpu = machine.name(ofCPU: event.cpu)
    let place = error.operation.map { " in \($0)" } ?? ""
    let action =
      error.site.map { "its latest action before that: \($0.text)" } ?? "it had taken no action"
    return Violation("\(cpu) throws an error\(place): \(error.text)", details: [action])
  }
}
