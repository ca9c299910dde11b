// The same work on many things, several at a time.

import Dispatch

/// What `body` makes of each number below `count`, in their order, so many at a time.
///
/// Each thread takes the next number when it is done with one, so long work and short work mix.
public func concurrentMap<Result>(
  _ count: Int, jobs: Int, _ body: @escaping @Sendable (Int) -> Result
) -> [Result] {
  let results = Locked([Result?](repeating: nil, count: count))
  let next = Locked(0)
  DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, count))) { _ in
    while true {
      let number = next.withLock { next in
        next += 1
        return next - 1
      }
      guard number < count else { return }
      let result = body(number)
      results.withLock { $0[number] = result }
    }
  }
  return results.withLock { $0.compactMap { $0 } }
}
