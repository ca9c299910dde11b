// Addresses: each object has a region of its own, whose number is a function of its name.

/// The parts of the space of addresses.
///
/// A region has 2²⁴ addresses. Globals come first; then each thread has regions for what it
/// allocates, for its stack and for thread-local variables. So the k-th object that a thread
/// allocates has the same address in every interleaving, and an address that was changed by
/// arithmetic does not reach another object by accident.
enum Region {
  static let shift: UInt64 = 24
  static let sizeMax = 1 << 24
  private static let perThread = 1 << 16
  static let allocationsMax = 1 << 15
  static let stackMax = 1 << 14
  private static let firstLocal = allocationsMax + stackMax
  /// Regions of globals and of all threads.
  static let groupCount = 66

  static func offset(of address: UInt64) -> Int { Int(address & (1 << shift - 1)) }

  /// The number of a region; nil for addresses that belong to none.
  static func number(of address: UInt64) -> Int? {
    let number = address >> shift
    return number > 0 && number < UInt64(groupCount * perThread) ? Int(number) : nil
  }

  static func group(of region: Int) -> Int { region / perThread }
  static func index(of region: Int) -> Int { region % perThread }

  static func address(ofRegion number: Int) -> UInt64 { UInt64(number) << shift }

  static func address(ofGlobal number: Int) -> UInt64 { UInt64(number + 1) << shift }

  static func global(at address: UInt64) -> Int? {
    guard let region = number(of: address), region < perThread else { return nil }
    return region - 1
  }

  private static func address(_ index: Int, thread: Int) -> UInt64 {
    UInt64((thread + 1) * perThread + index) << shift
  }

  static func address(ofAllocation index: Int, thread: Int) -> UInt64 {
    address(index, thread: thread)
  }

  static func address(ofStackObject index: Int, thread: Int) -> UInt64 {
    address(allocationsMax + index, thread: thread)
  }

  /// The address of a thread's copy of a thread-local variable.
  static func address(ofLocalAt address: UInt64, thread: Int) -> UInt64 {
    guard let global = global(at: address) else { return address }
    return self.address(firstLocal + global, thread: thread) | UInt64(offset(of: address))
  }

  enum Kind: UInt8, BitwiseCopyable {
    case global, heap, stack, threadLocal
  }

  static func kind(of region: Int) -> Kind {
    if group(of: region) == 0 { return .global }
    let index = index(of: region)
    return index < allocationsMax ? .heap : index < firstLocal ? .stack : .threadLocal
  }

  /// The thread that a region belongs to, and its number among those of its kind.
  static func owner(of region: Int) -> (thread: Int, index: Int) {
    let index = index(of: region)
    let thread = group(of: region) - 1
    return switch kind(of: region) {
    case .global: (-1, region - 1)
    case .heap: (thread, index)
    case .stack: (thread, index - allocationsMax)
    case .threadLocal: (thread, index - firstLocal)
    }
  }
}
