// Former signatures of API calls, for code that still uses them.

import GracewalkMachine

extension VirtualCPU {
  @available(*, deprecated, message: "the word comes first: store(word, value, ordering)")
  public func store(
    _ value: UInt64, to location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    try store(location, value, ordering, file: file, line: line, label: label)
  }

  @available(*, deprecated, message: "the word comes first: exchange(word, value, ordering)")
  public func exchange(
    _ value: UInt64, in location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> UInt64 {
    try exchange(location, value, ordering, file: file, line: line, label: label)
  }

  @available(*, deprecated, message: "the word comes first: fetchAdd(word, addend, ordering)")
  public func fetchAdd(
    _ value: Int64, to location: Location, _ ordering: MemoryOrdering,
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> UInt64 {
    try fetchAdd(location, value, ordering, file: file, line: line, label: label)
  }

  @available(*, deprecated, renamed: "rcuDereference")
  public func dereference(
    _ location: Location, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> UInt64 {
    try rcuDereference(location, file: file, line: line, label: label)
  }

  @available(*, deprecated, renamed: "synchronizeRCU")
  public func synchronize(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    try synchronizeRCU(file: file, line: line, label: label)
  }

  @available(*, deprecated, renamed: "callRCU")
  public func call(
    file: String = #fileID, line: Int = #line, label: String = #function,
    _ body: @escaping (VirtualCPU) throws -> Void
  ) throws(Abandoned) {
    try callRCU(file: file, line: line, label: label, body)
  }

  @available(*, deprecated, renamed: "rcuBarrier")
  public func barrier(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    try rcuBarrier(file: file, line: line, label: label)
  }
}
