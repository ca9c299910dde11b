// Keys and numbers that stand in actions and memory for what is no number.

import GracewalkSupport

extension Machine {
  /// Keeps a callback's body under a key that stands for the caller's history, and returns the
  /// key: the same history queues the same callback.
  ///
  /// The key lies in memory and is observed by who runs the callback, so it is a hash there too;
  /// an exact machine makes sure that no two histories share one.
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

  /// A number for what a CPU has written, to be an operand.
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
