// A specification in the code's own words: calls and results are enumerations.

import GracewalkMachine

/// What operations mean when they run one at a time, by enumerations of calls and of results.
///
/// The state is a number for each argument, an address as a rule.
///
///     enum Call: String, CaseIterable { case map, lookUp = "look up" }
///     enum Result: UInt64, OperationResult { case done, mapped, notMapped }
///
///     Specification(initial: [0, 0]) { (call: Call, address, result: Result, state) in
///       switch (call, result) {
///       case (.map, .done): state[address] = 1; return true
///       case (.lookUp, .mapped): return state[address] == 1
///       case (.lookUp, .notMapped): return state[address] == 0
///       default: return false
///       }
///     }
public struct Specification<Call, Result>: SequentialSpecification
where
  Call: RawRepresentable<String> & CaseIterable & Sendable,
  Result: RawRepresentable<UInt64> & Sendable
{
  public let initial: [UInt64]
  private let allows: @Sendable (Call, Int, Result, inout [UInt64]) -> Bool

  /// - Parameters:
  ///   - initial: the state before the first call.
  ///   - allows: whether a call with an argument may return a result in a state, which it then
  ///     changes as the call does.
  public init(
    initial: [UInt64],
    allows:
      @escaping @Sendable (
        _ call: Call, _ argument: Int, _ result: Result, _ state: inout [UInt64]
      ) -> Bool
  ) {
    self.initial = initial
    self.allows = allows
  }

  public func apply(
    _ call: SpecificationCall, returning result: UInt64, to state: [UInt64]
  ) -> [UInt64]? {
    var next = state
    guard let known = Self.call(call), let result = Result(rawValue: result),
      allows(known, call.argument, result, &next)
    else { return nil }
    return next
  }

  public func text(of call: SpecificationCall) -> String {
    "\(Self.call(call)?.rawValue ?? "?") 0x\(String(call.argument, radix: 16))"
  }

  public func text(ofResult result: UInt64) -> String {
    Result(rawValue: result).map { "\($0)" } ?? "?"
  }

  private static func call(_ call: SpecificationCall) -> Call? {
    let all = Call.allCases
    guard call.operation >= 0, call.operation < all.count else { return nil }
    return all[all.index(all.startIndex, offsetBy: call.operation)]
  }
}
