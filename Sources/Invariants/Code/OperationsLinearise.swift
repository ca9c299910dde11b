// Linearisability: the operations act as if each took effect at one moment.

import GracewalkMachine

/// The meaning of operations when they run one at a time.
public protocol SequentialSpecification: Sendable {
  /// The state before the first operation.
  var initial: [UInt64] { get }

  /// The state after an operation that returned `result`, or nil if it cannot return that here.
  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]?

  /// A call in words.
  func text(of call: SpecificationCall) -> String

  /// A result in words.
  func text(ofResult result: UInt64) -> String
}

/// The operations of every execution have an order, compatible with real time, in which each
/// returns the specified result.
///
/// The definition is Herlihy and Wing's ("Linearizability: a correctness condition for concurrent
/// objects", TOPLAS 1990). If this invariant is required, the machine makes the start and end of
/// each operation a step. The start observes which operations have ended, so executions that differ
/// in this belong to different classes, and the judgement is exact.
public struct OperationsLinearise: QuiescenceInvariant, MachineRequirements {
  private let specification: any SequentialSpecification

  public init(to specification: any SequentialSpecification) {
    self.specification = specification
  }

  public static let id = "operations-linearise"
  public var id: String { Self.id }
  public let statement =
    "The operations act as if each took effect at one moment between its beginning and its end, "
    + "on a map from addresses to pages."
  public let rationale =
    "Callers rely on it: a page that map reported as mapped is mapped, and one that unmap reported "
    + "as gone is gone."
  public let source = "Herlihy and Wing, TOPLAS 12(3), 1990."
  public let applicability = Applicability.chosen(
    "only the model knows what its operations mean one by one")
  public let treatsCPUsAlike = true
  public let requirements: Machine.Requirements = .history

  public func judgeEnd(of machine: Machine) -> Violation? {
    let history = machine.history
    guard !canOrder(history, left: Array(history.indices), state: specification.initial) else {
      return nil
    }
    return Violation(
      "no order of the operations explains what they returned",
      details: history.map { entry in
        let result = entry.result.map { specification.text(ofResult: $0) } ?? "did not return"
        return
          "\(machine.name(ofCPU: entry.cpu)): \(specification.text(of: entry.call)) → \(result)"
      })
  }

  /// Depth first over orders: an operation may be next if no remaining one ended before it began.
  ///
  /// See Wing and Gong, "Testing and verifying concurrent objects", 1993.
  private func canOrder(
    _ history: [Machine.HistoryEntry], left: [Int], state: [UInt64]
  ) -> Bool {
    if left.isEmpty { return true }
    let firstEnd = left.map { history[$0].ended }.min() ?? Int.max
    for (place, index) in left.enumerated() where history[index].began < firstEnd {
      let entry = history[index]
      guard let result = entry.result,
        let next = specification.apply(entry.call, returning: result, to: state)
      else { continue }
      var rest = left
      rest.remove(at: place)
      if canOrder(history, left: rest, state: next) { return true }
    }
    return false
  }
}
