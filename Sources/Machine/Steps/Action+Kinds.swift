// Properties of every kind of action: one row for each kind.

extension Action.Kind {
  /// True for kinds that can block.
  var isBlocking: Bool {
    switch self {
    case .access(.wait), .access(.drain), .lock(.spinLock), .lock(.readLock), .lock(.writeLock):
      true
    case .grace(.graceEnd), .grace(.interruptTaken): true
    case .callback(.callbackStart), .callback(.barrierEnd): true
    case .access(.load), .access(.store), .access(.compareExchange), .access(.exchange),
      .access(.fetchAdd), .access(.incrementUnlessZero), .access(.update):
      false
    case .lock(.spinUnlock), .lock(.readUnlock), .lock(.writeUnlock), .lock(.trySpinLock),
      .lock(.tryReadLock), .lock(.tryWriteLock), .lock(.downgrade):
      false
    case .grace(.sectionEnter), .grace(.sectionLeave), .grace(.graceStart), .grace(.maskInterrupts),
      .grace(.unmaskInterrupts), .grace(.interruptSend):
      false
    case .callback(.call), .callback(.callbackEnd), .callback(.barrierStart): false
    case .finished, .cutOff, .fence, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim,
      .threw:
      false
    }
  }

  /// True for kinds that never change the state.
  var onlyReads: Bool {
    switch self {
    case .access(.load), .access(.wait), .fence, .choose, .history(.invoke): true
    case .access(.store), .access(.compareExchange), .access(.exchange), .access(.fetchAdd),
      .access(.incrementUnlessZero), .access(.update), .access(.drain), .history(.respond):
      false
    case .finished, .cutOff, .lock, .grace, .callback, .page, .slab, .context, .hardware, .handOver,
      .claim,
      .threw:
      false
    }
  }
}

extension Action.Kind {
  /// True if the CPU takes no further step.
  @inline(__always)
  var isEnd: Bool { self == .finished || self == .cutOff }
}

extension Action {
  var isBlocking: Bool { kind.isBlocking }
  var onlyReads: Bool { kind.onlyReads }
}
