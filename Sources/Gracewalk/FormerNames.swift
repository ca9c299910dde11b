// Former names, for code that still uses them.

import GracewalkInvariants
import GracewalkMachine

@available(*, deprecated, renamed: "CPUOperation")
public typealias Operation = CPUOperation

@available(*, deprecated, renamed: "ProgressOfCPUs")
public typealias Progress = ProgressOfCPUs

@available(*, deprecated, renamed: "NoGuestWriteWithoutDirtyRecord")
public typealias DirtyRecorded = NoGuestWriteWithoutDirtyRecord

@available(*, deprecated, renamed: "DonatedPageUnreachable")
public typealias NoForeignFrameUse = DonatedPageUnreachable

@available(*, deprecated, renamed: "NoStaleUseAfterDSB")
public typealias NoStaleUse = NoStaleUseAfterDSB

@available(*, deprecated, renamed: "OperationsLinearise")
public typealias Linearisable = OperationsLinearise
