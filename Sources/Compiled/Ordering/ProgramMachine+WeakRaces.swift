// Weaker memory: a load takes what the store that it reads has released, which may be an old one.

import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  /// The number of what the newest visible store to a cell has released.
  func messageNow(of cell: Int, _ weak: WeakMemory) -> UInt32 {
    guard racesCount else { return 0 }
    return weak.message(message(at: cell))
  }

  /// A store to a cell has become visible that releases this.
  func setMessage(of cell: Int, _ message: UInt32, _ weak: WeakMemory) {
    guard racesCount else { return }
    setMessage(at: cell) { weak.messages.epoch(message, of: $0) }
  }

  /// A read takes what the store has released.
  func acquire(_ message: UInt32, _ ordering: IROrdering, by cpu: Int, _ weak: WeakMemory) {
    guard racesCount else { return }
    take(
      { weak.messages.epoch(message, of: $0) }, acquires: ordering.acquires, by: cpu)
  }

  /// What a store releases; one that continues a release sequence adds to it.
  func release(
    _ request: Request, continuing old: UInt32?, by cpu: Int, _ weak: WeakMemory
  ) -> UInt32 {
    guard racesCount, request.isAtomic || request.kind != .store else { return 0 }
    let source = clock(request.ordering.releases ? .happensBefore : .released, cpu)
    let message = weak.message(
      (0..<threadCount).map { thread in
        max(order[source + thread], old.map { weak.messages.epoch($0, of: thread) } ?? 0)
      })
    tickAfterRelease(by: cpu)
    return message
  }

  /// Which older and pending stores know of an access, as a hash.
  func weakMessages(thatKnow epoch: UInt64, of thread: Int) -> UInt64 {
    guard let weak else { return 0 }
    var hash: UInt64 = 0
    for entry in weak.order.words.entries {
      for (place, store) in weak.order.words[entry.word].dropLast().enumerated()
      where weak.messages.epoch(store.message, of: thread) >= epoch {
        hash &+= StableHash.mix(UInt64(entry.word) << 8 | UInt64(place) | 1 << 48)
      }
    }
    for (cpu, known) in weak.order.cpus.enumerated() {
      for (place, entry) in known.buffer.enumerated()
      where entry.kind == .store && weak.messages.epoch(entry.message, of: thread) >= epoch {
        hash &+= StableHash.mix(UInt64(cpu) << 8 | UInt64(place) | 1 << 49)
      }
    }
    return hash
  }
}
