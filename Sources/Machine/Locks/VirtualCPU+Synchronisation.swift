// Actions that order CPUs: locks and RCU.

extension VirtualCPU {
  /// Blocks until the lock is free, and takes it.
  public func lock(
    _ lock: SpinLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    notePageLock(lock)
    if leavesOutLock(.noLock, lock.location.cell, site) { return }
    _ = try issue(Action(.lock(.spinLock), lock.location, .acquire), site)
  }

  /// Releases a lock this CPU holds.
  public func unlock(
    _ lock: SpinLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if releaseWeakened(lock.location.cell) != nil { return }
    _ = try issue(Action(.lock(.spinUnlock), lock.location, .release), site)
  }

  /// Blocks until no writer holds the lock, and takes it as a reader.
  public func readLock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if leavesOutLock(.noReadLock, lock.location.cell, site) { return }
    _ = try issue(Action(.lock(.readLock), lock.location, .acquire), site)
  }

  /// Releases a lock this CPU holds as a reader.
  public func readUnlock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    // One that was taken for reading only, and then downgraded, is held as the code says.
    if releaseWeakened(lock.location.cell) == WeakenedState.Hold.none { return }
    _ = try issue(Action(.lock(.readUnlock), lock.location, .release), site)
  }

  /// Blocks until no CPU holds the lock, and takes it as the writer.
  public func writeLock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    if leavesOutLock(.noWriteLock, lock.location.cell, site) { return }
    let kind = takesForReadingOnly(lock.location.cell, site) ? Action.Locking.readLock : .writeLock
    _ = try issue(Action(.lock(kind), lock.location, .acquire), site)
  }

  /// Releases a lock this CPU holds as the writer.
  public func writeUnlock(
    _ lock: ReadWriteLock, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(lock.location, "a lock", site)
    let hold = releaseWeakened(lock.location.cell)
    if hold == WeakenedState.Hold.none { return }
    let kind = hold == .read ? Action.Locking.readUnlock : .writeUnlock
    _ = try issue(Action(.lock(kind), lock.location, .release), site)
  }

  // MARK: Read-copy-update

  /// Enters a read-side section, like `rcu_read_lock`.
  ///
  /// Sections nest; only the outermost counts.
  public func rcuReadLock(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isAbandoned { throw refused() }
    guard sectionDepth < VirtualCPU.nestingMax else {
      throw misuse("read-side sections nest more than \(VirtualCPU.nestingMax) deep", site)
    }
    if leavesOutBeginning(.noSection, \.sections, site) { return }
    sectionDepth += 1
    guard sectionDepth == 1 else { return }
    _ = try issue(Action(.grace(.sectionEnter)), site)
  }

  /// Leaves a read-side section, like `rcu_read_unlock`.
  public func rcuReadUnlock(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    if leavesOutEnd(\.sections) { return }
    if sectionDepth > 0 { sectionDepth -= 1 }
    guard sectionDepth == 0 else { return }
    _ = try issue(Action(.grace(.sectionLeave)), SourceSite(file: file, line: line, label: label))
  }

  /// Waits for a grace period, like `synchronize_rcu`.
  ///
  /// The grace period ends when every section, and every mask of interrupts, that is open on any
  /// CPU at the call has ended (`Scenario.readCopyUpdate`).
  public func synchronizeRCU(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isWeakened(.noSynchronize, site) { return }
    var end = Action(.grace(.graceEnd))
    end.awaitedCPUs = try issue(Action(.grace(.graceStart)), site)
    _ = try issue(end, site)
  }

  /// Runs `body` after a grace period, on a CPU of its own, like `call_rcu`.
  ///
  /// Callbacks of one CPU run in the order of their calls. The body must depend only on this CPU's
  /// observations so far and on its own.
  public func callRCU(
    file: String = #fileID, line: Int = #line, label: String = #function,
    _ body: @escaping (VirtualCPU) throws -> Void
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    if isAbandoned { throw refused() }
    if isWeakened(.callAtOnce, site) { return try runNow(body) }
    var action = Action(.callback(.call))
    action.callbackKey = machine.registerCallback(of: self, body)
    _ = try issue(action, site)
  }

  /// Waits until every callback queued so far, by any CPU, has run, like `rcu_barrier`.
  public func rcuBarrier(file: String = #fileID, line: Int = #line, label: String = #function)
    throws(Abandoned)
  {
    let site = SourceSite(file: file, line: line, label: label)
    if isWeakened(.noBarrier, site) { return }
    _ = try issue(Action(.callback(.barrierStart)), site)
    _ = try issue(Action(.callback(.barrierEnd)), site)
  }
}
