// Keys and numbers that represent other values in actions and memory.

import GracewalkSupport

extension Machine {
  /// Stores a callback's body under a key for the caller's history, and returns the key.
  ///
  /// The same history queues the same callback.
  ///
  /// The key is a word of memory, and an observation of the CPU that runs the callback, so it must
  /// be a hash; an exact machine checks that no two histories have the same key.
  func registerCallback(
    of cpu: VirtualCPU, _ body: @escaping (VirtualCPU) throws -> Void
  ) -> UInt64 {
    let key = StableHash.share(of: cpu.localHash, at: UInt64(cpu.index))
    callbackBodies[key] = body
    if let identities {
      let history = identities.number(of: cpu.localIdentity, then: UInt64(cpu.index))
      if !identities.isOnly(key, for: history) {
        fail(.collision("two different callbacks have one 64-bit key: states cannot be told apart"))
      }
    }
    return key
  }

  /// The number of a set of written entries, for use as an operand.
  func number(of written: WrittenEntries) -> UInt64 {
    if let known = writtenNumbers[written] { return UInt64(known) }
    writtenNumbers[written] = writtenEntries.count
    writtenEntries.append(written)
    return UInt64(writtenEntries.count - 1)
  }

  func callbackBody(for key: UInt64) -> (VirtualCPU) throws -> Void {
    guard let body = callbackBodies[key] else { fatalError("[internal] callback without a body") }
    return body
  }
}
