// Orders of stores by a hash of their contents, so that a word of memory can name one.

import GracewalkSupport

/// The present order of stores, and all that were ever present.
///
/// The machine's memory has a word with the name of the present one. So undoing a step brings back
/// the order before it, and equal states have equal names.
///
/// The others are numbers in one array, from which the present one is read again.
final class OrderKeeper {
  /// The present order; between steps it is in canonical form.
  @exclusivity(unchecked) private(set) var present: StoreOrder
  /// Its name.
  @exclusivity(unchecked) private var name: UInt64 = 0
  /// Set while it differs from the one with that name.
  @exclusivity(unchecked) private(set) var isOpen = false
  /// Where the numbers of each order begin, and how many there are.
  @exclusivity(unchecked) private var known: [UInt64: Range<Int>]
  private let numbers: GrowableBuffer<UInt64>
  /// Set if two orders have had one name.
  private(set) var hasCollision = false

  /// Per CPU, which of its stores may become visible next, if that was asked of the present order.
  private let flushable: UnsafeMutablePointer<Flushable>
  private let cpuCount: Int

  private struct Flushable: BitwiseCopyable {
    var isKnown = false
    var places = Row<Int>()
  }

  private let isExact: Bool

  let sorter: StoreSorter

  // Room for what steps compute.
  @exclusivity(unchecked) var ranks: [View] = []
  @exclusivity(unchecked) var hidden = Row<PendingEntry>()
  /// What CPUs may still do, and the places in their code from which that is known.
  @exclusivity(unchecked) private(set) var uses: [FutureUse]
  private let usePlaces: UnsafeMutablePointer<Int>

  /// Nil for memory models that have no such order.
  ///
  /// - Parameters:
  ///   - isExact: whether to look for different orders with one name.
  ///   - omitted: rules to leave out.
  init?(
    of model: MemoryModel, cpus: Int, units: Int, isExact: Bool,
    without omitted: OmittedRules = []
  ) {
    // Before that nothing may be allocated: what fails here is not deinitialised.
    guard model == .armv8 else { return nil }
    self.isExact = isExact
    sorter = StoreSorter(without: omitted)
    numbers = GrowableBuffer(capacity: 1_024)
    present = StoreOrder(cpus: cpus, domains: GraceDomain.count, units: units)
    cpuCount = cpus
    flushable = .allocate(capacity: cpus)
    flushable.initialize(repeating: Flushable(), count: cpus)
    uses = Array(repeating: FutureUse(), count: cpus)
    usePlaces = .allocate(capacity: cpus)
    usePlaces.initialize(repeating: Int.min, count: cpus)
    known = [:]
    addNumbers()
    known[0] = 0..<numbers.count
  }

  deinit {
    present.deallocate()
    for cpu in 0..<cpuCount { flushable[cpu].places.deallocate() }
    flushable.deallocate()
    hidden.deallocate()
    usePlaces.deallocate()
    numbers.deallocate()
  }

  func change<Result>(
    named memoryName: UInt64, _ body: (inout StoreOrder) -> Result
  ) -> Result {
    find(memoryName)
    isOpen = true
    forgetFlushable()
    return body(&present)
  }

  /// The number of pending stores of a CPU that may become visible next.
  func flushableCount(of cpu: Int) -> Int {
    findFlushable(of: cpu)
    return flushable[cpu].places.count
  }

  /// The place of one of them in the buffer.
  func flushable(_ choice: Int, of cpu: Int) -> Int {
    findFlushable(of: cpu)
    return flushable[cpu].places[choice]
  }

  private func findFlushable(of cpu: Int) {
    if flushable[cpu].isKnown { return }
    present.findFlushable(of: cpu, &flushable[cpu].places)
    flushable[cpu].isKnown = true
  }

  private func forgetFlushable() {
    for cpu in 0..<cpuCount { flushable[cpu].isKnown = false }
  }

  /// Sets what a CPU may still do; the same place says the same.
  func setUse(of cpu: Int, at place: Int, _ use: () -> FutureUse) {
    if usePlaces[cpu] == place { return }
    usePlaces[cpu] = place
    uses[cpu] = use()
  }

  /// Makes the order present whose name memory has.
  @inline(__always)
  func find(_ memoryName: UInt64) {
    if isOpen || memoryName == name { return }
    bringBack(memoryName)
  }

  private func bringBack(_ name: UInt64) {
    read(name, into: &present)
    self.name = name
    forgetFlushable()
  }

  /// Forgets changes of a step that failed half-way.
  func abandon() {
    guard isOpen else { return }
    isOpen = false
    bringBack(name)
  }

  /// Names the present order, after a step.
  func close() -> UInt64 {
    isOpen = false
    let start = numbers.count
    addNumbers()
    var hash = OrderHash()
    for place in start..<numbers.count { hash.add(numbers[place]) }
    name = hash.name
    guard let old = known[name] else {
      known[name] = start..<numbers.count
      return name
    }
    if isExact, !hasNumbers(from: start, at: old) { hasCollision = true }
    numbers.truncate(to: start)
    return name
  }

  /// Reads a known order into another one, which has as many CPUs.
  func read(_ name: UInt64, into order: inout StoreOrder) {
    guard let place = known[name] else { fatalError("[internal] an order nobody named") }
    order.decode(UnsafeBufferPointer(rebasing: numbers.all[place]))
  }

  /// The name of an order, present or not.
  static func name(of order: StoreOrder) -> UInt64 {
    var hash = OrderHash()
    order.encode { hash.add($0) }
    return hash.name
  }

  private func addNumbers() {
    let numbers = numbers
    present.encode { numbers.append($0) }
  }

  private func hasNumbers(from start: Int, at place: Range<Int>) -> Bool {
    guard place.count == numbers.count - start else { return false }
    for offset in 0..<place.count
    where numbers[start + offset] != numbers[place.lowerBound + offset] {
      return false
    }
    return true
  }
}

/// A hash of an order's numbers, in turn.
private struct OrderHash {
  private var hash: UInt64 = 1

  mutating func add(_ number: UInt64) { hash = StableHash.extend(hash, with: number) }

  /// Never 0, which names the order at the start.
  var name: UInt64 { hash == 0 ? 1 : hash }
}
