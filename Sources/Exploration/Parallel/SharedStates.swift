// The states that any thread has visited, with the numbers of their summaries.

import GracewalkSupport
import Synchronization

/// A map that many threads use at once: the key chooses one of many small maps, each with a lock.
///
/// A lock is held for tens of nanoseconds, so a thread that finds it taken spins, and sleeps only
/// if the holder seems to be preempted.
///
/// Plain data, so that using it touches no reference count: otherwise threads would contend for the
/// cache lines of the counts.
struct SharedStates: BitwiseCopyable, @unchecked Sendable {
  private static let shardCount = 256
  /// The distance between locks, so that no two share a cache line.
  private static let lockStride = 64
  private static let spinsMax = 2_000
  private let locks: UnsafeMutablePointer<Atomic<Bool>>
  private let maps: UnsafeMutablePointer<Unmanaged<SummaryMap>>

  /// Makes an empty map; the caller must deallocate it once.
  init() {
    let lockCount = SharedStates.shardCount * SharedStates.lockStride
    locks = .allocate(capacity: lockCount)
    for lock in 0..<lockCount { (locks + lock).initialize(to: Atomic(false)) }
    maps = .allocate(capacity: SharedStates.shardCount)
    for shard in 0..<SharedStates.shardCount {
      (maps + shard).initialize(to: .passRetained(SummaryMap(capacity: 64)))
    }
  }

  func deallocate() {
    for shard in 0..<SharedStates.shardCount { maps[shard].release() }
    locks.deinitialize(count: SharedStates.shardCount * SharedStates.lockStride)
    locks.deallocate()
    maps.deallocate()
  }

  /// The number of a state's summary, `SummaryMap.onStack` if a thread is exploring it, or nil if
  /// it is new.
  ///
  /// If it is new, the caller must explore it.
  func findOrClaim(_ key: UInt64) -> UInt32? {
    withShard(of: key) { map in
      let known = map.find(key)
      if known == nil { map.set(key, SummaryMap.onStack) }
      return known
    }
  }

  /// Records that a state is finished, with the number of its summary.
  func finish(_ key: UInt64, _ number: UInt32) { withShard(of: key) { $0.set(key, number) } }

  /// Bytes held.
  var bytes: Int {
    (0..<SharedStates.shardCount).reduce(0) { sum, shard in
      sum + withShard(of: UInt64(shard)) { $0.bytes }
    }
  }

  /// Low bits choose the shard; the map itself uses the high ones.
  @inline(__always)
  private func withShard<Result>(of key: UInt64, _ body: (SummaryMap) -> Result) -> Result {
    let shard = Int(truncatingIfNeeded: key) & (SharedStates.shardCount - 1)
    let lock = locks + shard &* SharedStates.lockStride
    var spins = 0
    while lock.pointee.exchange(true, ordering: .acquiring) {
      spins += 1
      if spins % SharedStates.spinsMax == 0 { pause(microseconds: 50) }
    }
    defer { lock.pointee.store(false, ordering: .releasing) }
    return maps[shard]._withUnsafeGuaranteedRef(body)
  }
}
