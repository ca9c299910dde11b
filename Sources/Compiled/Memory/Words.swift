// Words with an undo log, and a hash kept up to date as they change.

import GracewalkSupport

/// 64-bit words that start at zero and grow on demand.
final class Words {
  private struct Change: BitwiseCopyable {
    var index: Int
    var old: UInt64
  }

  private let words = GrowableBuffer<UInt64>(capacity: 1024)
  private let changes = GrowableBuffer<Change>()
  private let sum = GrowableBuffer<UInt64>(repeating: 0, count: 1)
  /// Whether the words are part of the state.
  private let isHashed: Bool

  init(isHashed: Bool) { self.isHashed = isHashed }

  deinit {
    words.deallocate()
    changes.deallocate()
    sum.deallocate()
  }

  /// Invariant: the sum of the shares of all words that are not zero.
  var hash: UInt64 { sum[0] }

  /// The number of changes that can be undone.
  var mark: Int { changes.count }

  /// Adds words, and returns the index of the first.
  func extend(by count: Int) -> Int { words.extend(by: count, with: 0) }

  var count: Int { words.count }

  subscript(index: Int) -> UInt64 {
    @inline(__always) get { words[index] }
    @inline(__always) set {
      let old = words[index]
      guard newValue != old else { return }
      changes.append(Change(index: index, old: old))
      put(index, from: old, to: newValue)
    }
  }

  func undo(to mark: Int) {
    while changes.count > mark {
      let change = changes.removeLast()
      put(change.index, from: words[change.index], to: change.old)
    }
  }

  @inline(__always)
  private func put(_ index: Int, from old: UInt64, to new: UInt64) {
    words[index] = new
    guard isHashed else { return }
    var hash = sum[0]
    if old != 0 { hash &-= StableHash.share(of: old, at: UInt64(index)) }
    if new != 0 { hash &+= StableHash.share(of: new, at: UInt64(index)) }
    sum[0] = hash
  }

  /// Calls `body` with each word that is not zero.
  func eachNonzero(_ body: (Int, UInt64) -> Void) {
    for index in 0..<words.count where words[index] != 0 { body(index, words[index]) }
  }
}
