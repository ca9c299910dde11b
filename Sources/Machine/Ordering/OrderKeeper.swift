// Orders of stores by a hash of their contents, so that a word of memory can name one.

import GracewalkSupport

/// The present order of stores, and all that were ever present.
///
/// The machine's memory has a word with the name of the present one. So undoing a step brings back
/// the order before it, and equal states have equal names.
final class OrderKeeper {
  /// The present order; between steps it is in canonical form.
  @exclusivity(unchecked) private(set) var present: StoreOrder
  /// Its name.
  private var name: UInt64 = 0
  /// Set while it differs from the one with that name.
  private(set) var isOpen = false
  private var known: [UInt64: StoreOrder]
  /// Set if two orders have had one name.
  private(set) var hasCollision = false

  /// Per CPU, which of its stores may become visible next; nil if that was not asked of the present
  /// order.
  private var flushable: [[Int]?]

  private let isExact: Bool

  /// Nil for memory models that have no such order.
  ///
  /// - Parameter isExact: whether to look for different orders with one name.
  init?(of model: MemoryModel, cpus: Int, units: Int, isExact: Bool) {
    guard model == .armv8 else { return nil }
    self.isExact = isExact
    let start = StoreOrder(cpus: cpus, domains: GraceDomain.count, units: units)
    present = start
    flushable = Array(repeating: nil, count: cpus)
    known = [0: start]
  }

  func change<Result>(
    named memoryName: UInt64, _ body: (inout StoreOrder) -> Result
  ) -> Result {
    find(memoryName)
    isOpen = true
    forgetFlushable()
    return body(&present)
  }

  /// The pending stores of a CPU that may become visible next, by their places in its buffer.
  func flushable(of cpu: Int) -> [Int] {
    if let known = flushable[cpu] { return known }
    let found = present.flushable(of: cpu)
    flushable[cpu] = found
    return found
  }

  private func forgetFlushable() { for cpu in flushable.indices { flushable[cpu] = nil } }

  /// Makes the order present whose name memory has.
  @inline(__always)
  func find(_ memoryName: UInt64) {
    if isOpen || memoryName == name { return }
    guard let found = known[memoryName] else { fatalError("[internal] an order nobody named") }
    present = found
    name = memoryName
    forgetFlushable()
  }

  /// Forgets changes of a step that failed half-way.
  func abandon() {
    guard isOpen, let found = known[name] else { return }
    isOpen = false
    present = found
    forgetFlushable()
  }

  /// Names the present order, after a step.
  func close() -> UInt64 {
    isOpen = false
    var hash: UInt64 = 1
    present.encode { hash = StableHash.extend(hash, with: $0) }
    if hash == 0 { hash = 1 }
    name = hash
    if !isExact {
      if known[hash] == nil { known[hash] = present }
    } else if let old = known[hash] {
      if old != present { hasCollision = true }
    } else {
      known[hash] = present
    }
    return hash
  }
}
