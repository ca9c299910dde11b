// Items of work, divided among threads.

import Dispatch
import Synchronization

/// Calls `body` once for each number below `count`, on some threads, including the calling one.
///
/// Each thread takes the next number when it is done with one.
func concurrently(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
  if threads <= 1 { return (0..<count).forEach(body) }
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: threads) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index)
    }
  }
}
