// Memory use: allocations of the current thread, resident pages of the process.

import CAllocationCounter

#if canImport(Glibc)
  import Glibc
#endif

/// False where the allocator cannot be interposed, so that tests about it are skipped.
public let allocationsAreCounted = gracewalk_allocations_are_counted() != 0

/// The number of heap allocations that `body` makes on this thread.
public func allocations(_ body: () -> Void) -> Int {
  let before = gracewalk_allocations()
  body()
  return Int(gracewalk_allocations() - before)
}

/// Resident bytes of the process; nil if the system does not tell.
public func residentBytes() -> Int? {
  #if canImport(Glibc)
    guard let file = fopen("/proc/self/statm", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  #else
    return nil
  #endif
}
