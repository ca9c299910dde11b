// Memory for one fiber: an anonymous mapping whose lowest pages are a guard.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

import Synchronization

/// A stack with a guard below it; an overflow faults instead of corrupting a neighbour.
struct FiberStack: @unchecked Sendable {
  /// Usable bytes; pages are committed only when touched.
  static let bytes = 256 * 1024
  /// Bytes of the guard, large enough that few frames reach across it; a multiple of all page
  /// sizes.
  static let guardBytes = 64 * 1024

  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int

  /// Unused stacks: mapping one can cost more than exploring a small program.
  private static let spare = Mutex<[FiberStack]>([])
  private static let spareMax = 64

  /// A spare stack, or a new one.
  static func take() -> FiberStack {
    spare.withLock { $0.popLast() } ?? FiberStack()
  }

  /// Keeps the stack for the next fiber; nothing on it is in use any more.
  func giveBack() {
    let isKept = FiberStack.spare.withLock { spare in
      if spare.count >= FiberStack.spareMax { return false }
      spare.append(self)
      return true
    }
    if !isKept { deallocate() }
  }

  private init() {
    mappedBytes = Self.bytes + Self.guardBytes
    #if canImport(Darwin)
      let flags = MAP_PRIVATE | MAP_ANON
    #else
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
    #endif
    guard let address = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, flags, -1, 0),
      address != MAP_FAILED
    else { fatalError("[internal] no memory for a fiber stack of \(mappedBytes) bytes") }
    mapping = address
    guard mprotect(mapping, Self.guardBytes, PROT_NONE) == 0 else {
      fatalError("[internal] cannot protect the guard of a fiber stack")
    }
  }

  var guardPages: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: mapping, count: Self.guardBytes)
  }

  /// One past the highest byte; page aligned, so aligned to 16 bytes as both ABIs require.
  var top: UnsafeMutableRawPointer { mapping + mappedBytes }

  private func deallocate() { munmap(mapping, mappedBytes) }
}
