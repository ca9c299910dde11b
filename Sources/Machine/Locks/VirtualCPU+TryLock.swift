// Locks that code tries to take, or holds in another way than it took them.

extension VirtualCPU {
  /// Takes the lock if nobody holds it, like `spin_trylock`; true if it was taken.
  public func tryLock(
    _ lock: SpinLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    notePageLock(lock)
    if leavesOutLock(.noLock, lock.location.cell, site) { return true }
    return try issue(Action(.lock(.trySpinLock), lock.location, .acquire), site) != 0
  }

  /// Takes the lock as a reader if no writer holds it, like `read_trylock`; true if it was taken.
  public func tryReadLock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if leavesOutLock(.noReadLock, lock.location.cell, site) { return true }
    return try issue(Action(.lock(.tryReadLock), lock.location, .acquire), site) != 0
  }

  /// Takes the lock as the writer if nobody holds it, like `write_trylock`; true if it was taken.
  public func tryWriteLock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if leavesOutLock(.noWriteLock, lock.location.cell, site) { return true }
    return try issue(Action(.lock(.tryWriteLock), lock.location, .acquire), site) != 0
  }

  /// Makes the writer of a lock a reader of it, with no moment between, like `downgrade_write`.
  public func downgrade(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if holdsWeakened(lock.location.cell) { return }
    _ = try issue(Action(.lock(.downgrade), lock.location, .release), site)
  }

  /// Notes that the locks of pages must be looked at, if this is one.
  func notePageLock(_ lock: SpinLock) {
    // Code that unwinds may outlive its machine.
    if lock.location.lifetime != 0, !isAbandoned { machine.usesPageLocks = true }
  }
}
