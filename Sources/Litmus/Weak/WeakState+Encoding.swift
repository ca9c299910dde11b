// A state as words: equal for two states if and only if they are equal.

import GracewalkMachine

extension WeakState {
  /// Calls back with each word.
  func encode(_ add: (UInt64) -> Void) {
    order.encode(add)
    for process in processes { process.encode(add) }
    for section in sections { add((section.isOpen ? 1 : 0) | section.waiters << 1) }
  }
}

extension WeakProcess {
  fileprivate func encode(_ add: (UInt64) -> Void) {
    add(UInt64(counter) | UInt64(depth) << 32 | (isStuck ? 1 << 48 : 0))
    for register in registers {
      add(register.value)
      add(UInt64(register.view) | UInt64(register.pick) << 16)
    }
    for view in valueViews { add(UInt64(view)) }
    if let fault { add(1 << 63 | UInt64(fault.instruction) << 32 | UInt64(fault.page)) }
    if let translation {
      add(1 << 62 | UInt64(translation.word))
      translation.found.encode(add)
    }
    guard let monitor else { return add(0) }
    add(1 | UInt64(monitor.word) << 8 | UInt64(monitor.pending) << 16 | UInt64(monitor.view) << 32)
  }
}
