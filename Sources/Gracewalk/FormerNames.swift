// Former names, for code that still uses them.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine

// Foundation also has types named Operation and Progress. So these are functions, which do not hide
// a type.

// swift-format-ignore: AlwaysUseLowerCamelCase
@available(*, deprecated, renamed: "CPUOperation")
public func Operation(
  _ name: String, call: SpecificationCall? = nil, function: String = #function,
  _ body: @escaping @Sendable (VirtualCPU) throws -> any OperationResult
) -> CPUOperation { CPUOperation(name, call: call, function: function, body) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@available(*, deprecated, renamed: "CPUOperation")
public func Operation(
  _ name: String, function: String = #function,
  _ body: @escaping @Sendable (VirtualCPU) throws -> Void
) -> CPUOperation { CPUOperation(name, function: function, body) }

// swift-format-ignore: AlwaysUseLowerCamelCase
@available(*, deprecated, renamed: "ProgressOfCPUs")
@_disfavoredOverload
public func Progress() -> ProgressOfCPUs { ProgressOfCPUs() }

@available(*, deprecated, renamed: "NoGuestWriteWithoutDirtyRecord")
public typealias DirtyRecorded = NoGuestWriteWithoutDirtyRecord

@available(*, deprecated, renamed: "DonatedPageUnreachable")
public typealias NoForeignFrameUse = DonatedPageUnreachable

@available(*, deprecated, renamed: "NoStaleUseAfterDSB")
public typealias NoStaleUse = NoStaleUseAfterDSB

@available(*, deprecated, renamed: "OperationsLinearise")
public typealias Linearisable = OperationsLinearise

@available(*, deprecated, renamed: "OpenSection")
public typealias OpenStretch = OpenSection

extension Machine {
  @available(*, deprecated, renamed: "openSections")
  public var openStretches: [OpenSection] { openSections }
}

extension SweepReport {
  @available(*, deprecated, renamed: "setting")
  public var world: String { setting }
}

extension MachinePicture {
  @available(*, deprecated, renamed: "EntryLook")
  public typealias EntryKind = EntryLook
}
