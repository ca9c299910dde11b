// Invariants for tests, which fail whenever they are judged.

import Gracewalk

extension Invariant {
  public var statement: String { id }
  public var rationale: String { "" }
  public var source: String { "" }
  public var applicability: Applicability { .chosen("it is a test's") }
}

/// Fails on the first event of its kinds, and names its CPU, page and word.
public struct Sees: EventInvariant, MachineRequirements {
  public let watches: EventKinds
  public let requirements: Machine.Requirements
  public var id: String { "sees-an-event" }

  public init(_ watches: EventKinds, requirements: Machine.Requirements = []) {
    self.watches = watches
    self.requirements = requirements
  }

  public func judge(_ event: Event, in machine: Machine) -> Violation? {
    let page = event.page < 0 ? "no page" : machine.name(ofPage: event.page)
    let word = event.cell == 0 ? "no word" : machine.name(ofCell: event.cell)
    return Violation("\(machine.name(ofCPU: event.cpu)), \(page), \(word)")
  }
}

/// Fails if no CPU can continue and some CPU has not finished.
public struct NobodyStuck: QuiescenceInvariant {
  public let id = "nobody-stuck"
  public var judgesDeadlocks: Bool { true }
  public init() {}

  public func judgeEnd(of machine: Machine) -> Violation? {
    machine.stuckCPUs.isEmpty ? nil : Violation("stuck: \(machine.stuckCPUs)")
  }
}

/// Fails in every final state in which a word has a value.
public struct NeverEndsWith: QuiescenceInvariant {
  public var id: String { "never-ends-with-\(value)" }
  private let location: Location
  private let value: UInt64

  public init(_ location: Location, equal value: UInt64) {
    self.location = location
    self.value = value
  }

  public func judgeEnd(of machine: Machine) -> Violation? {
    machine.value(of: location) == value ? Violation("the word is \(value)") : nil
  }
}

/// Thrown by model code that does not find the page set up by the test.
public struct NoPage: Error {
  public init() {}
}
