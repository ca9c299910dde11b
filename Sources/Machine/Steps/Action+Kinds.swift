// What is asked of all kinds of actions alike: one row for each kind.

extension Action.Kind {
  /// True for kinds that may have to wait before they can be taken.
  var isBlocking: Bool {
    switch self {
    case .access(.wait), .lock(.spinLock), .lock(.readLock), .lock(.writeLock): true
    case .grace(.graceEnd), .grace(.interruptTaken): true
    case .callback(.callbackStart), .callback(.barrierEnd): true
    case .access(.load), .access(.store), .access(.compareExchange), .access(.exchange),
      .access(.fetchAdd), .access(.incrementUnlessZero):
      false
    case .lock(.spinUnlock), .lock(.readUnlock), .lock(.writeUnlock): false
    case .grace(.sectionEnter), .grace(.sectionLeave), .grace(.graceStart), .grace(.maskInterrupts),
      .grace(.unmaskInterrupts), .grace(.interruptSend):
      false
    case .callback(.call), .callback(.callbackEnd), .callback(.barrierStart): false
    case .finished, .fence, .page, .slab, .context, .choose, .history, .hardware, .handOver, .claim,
      .threw:
      false
    }
  }

  /// True for kinds that change nothing whatever the state.
  var onlyReads: Bool {
    switch self {
    case .access(.load), .access(.wait), .fence, .choose, .history(.invoke): true
    case .access(.store), .access(.compareExchange), .access(.exchange), .access(.fetchAdd),
      .access(.incrementUnlessZero), .history(.respond):
      false
    case .finished, .lock, .grace, .callback, .page, .slab, .context, .hardware, .handOver, .claim,
      .threw:
      false
    }
  }
}

extension Action {
  var isBlocking: Bool { kind.isBlocking }
  var onlyReads: Bool { kind.onlyReads }
}
