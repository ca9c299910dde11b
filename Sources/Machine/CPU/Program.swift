// The program of a virtual CPU: a sequence of operations of the modelled code.

import GracewalkSupport

/// The result of an operation: equal values for equal outcomes.
public protocol OperationResult: Sendable {
  /// Distinguishes results; part of the CPU's state afterwards.
  var code: UInt64 { get }
  /// How traces show it; nil if there is nothing to show.
  var text: String? { get }
}

extension OperationResult where Self: RawRepresentable, RawValue == UInt64 {
  public var code: UInt64 { rawValue }
  public var text: String? { String(describing: self) }
}

extension Int: OperationResult {
  public var code: UInt64 { UInt64(bitPattern: Int64(self)) }
  public var text: String? { String(self) }
}

extension UInt64: OperationResult {
  public var code: UInt64 { self }
  public var text: String? { String(self) }
}

extension Bool: OperationResult {
  public var code: UInt64 { self ? 1 : 0 }
  public var text: String? { String(self) }
}

/// The result of an operation that returns nothing.
public struct NoResult: OperationResult {
  public init() {}
  public var code: UInt64 { 0 }
  public var text: String? { nil }
}

/// An operation as seen by a sequential specification.
public struct SpecificationCall: Equatable, Sendable {
  /// Which operation of the specification; its meaning belongs to the specification.
  public var operation: Int
  public var argument: Int

  public init(operation: Int, argument: Int) {
    self.operation = operation
    self.argument = argument
  }

  /// The call as an operand of the actions that mark its beginning and its end.
  var packed: UInt64 {
    UInt64(UInt32(truncatingIfNeeded: operation)) << 32
      | UInt64(UInt32(truncatingIfNeeded: argument))
  }

  init(packed: UInt64) {
    self.init(
      operation: Int(Int32(truncatingIfNeeded: packed >> 32)),
      argument: Int(Int32(truncatingIfNeeded: packed)))
  }

  /// Whether both numbers fit in an operand.
  var isPackable: Bool { Int32(exactly: operation) != nil && Int32(exactly: argument) != nil }
}

/// One call of the modelled code.
public struct CPUOperation: Sendable {
  public let name: String
  public let call: SpecificationCall?
  let body: @Sendable (VirtualCPU) throws -> any OperationResult
  /// The function whose closure the body is: no part of the names of steps that are in it.
  let function: String

  /// - Parameters:
  ///   - name: how traces name it, for example `map 0x2`.
  ///   - call: its call in a sequential specification, if one judges it.
  ///   - function: the function the body is written in; keep the default.
  ///   - body: the code; it must keep no state outside the machine between runs.
  public init(
    _ name: String, call: SpecificationCall? = nil, function: String = #function,
    _ body: @escaping @Sendable (VirtualCPU) throws -> any OperationResult
  ) {
    self.name = name.printable
    self.call = call
    self.body = body
    self.function = function
  }

  /// An operation that returns nothing.
  ///
  /// A body that is a single expression with a value returns that value. A longer one says
  /// `return`, as everywhere in Swift; the compiler warns of a last value that is dropped.
  public init(
    _ name: String, function: String = #function,
    _ body: @escaping @Sendable (VirtualCPU) throws -> Void
  ) {
    self.name = name.printable
    self.function = function
    call = nil
    self.body = { cpu in
      try body(cpu)
      return NoResult()
    }
  }

  /// A call that a `Specification` judges, on an address: its name is `look up 0x2`.
  public init<Call: RawRepresentable<String> & CaseIterable>(
    _ call: Call, _ address: Int, function: String = #function,
    _ body: @escaping @Sendable (VirtualCPU) throws -> any OperationResult
  ) {
    let number = Call.allCases.prefix { $0.rawValue != call.rawValue }.count
    self.init(
      "\(call.rawValue) 0x\(String(address, radix: 16))",
      call: SpecificationCall(operation: number, argument: address), function: function, body)
  }

  /// The name of an operation whose code is no closure.
  init(named name: String) {
    self.name = name.printable
    function = ""
    call = nil
    body = { _ in fatalError("[internal] an operation whose code is no closure is run as one") }
  }
}

/// A CPU and the operations that it runs in order.
public struct Program: Sendable {
  public let name: String
  public let operations: [CPUOperation]
  /// True if the CPU defers work with `VirtualCPU.call`, which then runs on a CPU of its own.
  public let usesCallbacks: Bool
  /// The MMU that translates its guest's accesses, if it runs a guest.
  public let mmu: MMU?
  /// Makes the code that runs instead of the operations' closures; nil for closures.
  let code: (@Sendable (MachineCPU) -> any CPUCode)?
}
