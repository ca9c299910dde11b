// Loops: a turn that only reads and comes back to the same local state is a wait.
//
// A turn of a loop is *void* if the thread comes back to a local state in which it was since it
// last changed anything, with its own memory as it was. What it read in the turn makes no
// difference to it: an execution without the turn's reads has the same other steps, and the thread
// goes on from the same state. So executions with void turns need not be explored. Where a read's
// value would lead straight back, the read is not enabled: it waits for another value. Where the
// way back is longer, the thread stops for good when it is back, and the execution without the turn
// is explored because each read in the turn races with the write that changes its value.

import GracewalkSupport

extension ProgramMachine {
  /// An action of a thread since it last changed anything.
  struct Turn: BitwiseCopyable {
    /// Of the local state in which it was.
    var loopHash: UInt64
    /// The index of the one before, plus one; 0 for none.
    var previous: Int32
    var privateHash: UInt64
    var address: UInt64
    var value: UInt64
    var size: Int32
  }

  /// What an action did.
  struct Effect {
    var result: UInt64 = 0
    /// Whether others may see a difference.
    var isVisible = false
    /// What it read, if it only read.
    var address: UInt64 = 0
    var size = 0
  }

  /// Records an action for the rule above.
  ///
  /// - Parameter change: by how much it has changed the hash of memory.
  func note(
    _ effect: Effect, at node: Int, _ request: Request, by cpu: Int, change: UInt64, _ isLocal: Bool
  ) {
    if isLocal || request.kind == .wide, !effect.isVisible {
      // The thread's own memory is part of where it is.
      let word = word(cpu, ThreadWord.privateHash)
      threads[word] = threads[word] &+ change
    } else if effect.isVisible || change != 0 {
      return forgetTurn(cpu)
    }
    guard request.isInLoop else { return }
    let last = word(cpu, ThreadWord.turn)
    turns.append(
      Turn(
        loopHash: graph.points[node].loopHash, previous: Int32(threads[last]),
        privateHash: threads[word(cpu, ThreadWord.privateHash)], address: effect.address,
        value: effect.result, size: Int32(effect.size)))
    threads[last] = UInt64(turns.count)
    let hash = word(cpu, ThreadWord.turnHash)
    threads[hash] =
      threads[hash]
      &+ StableHash.share(
        of: StableHash.extend(threads[word(cpu, ThreadWord.privateHash)], with: effect.result),
        at: graph.points[node].loopHash)
  }

  func forgetTurn(_ cpu: Int) {
    threads[word(cpu, ThreadWord.turn)] = 0
    threads[word(cpu, ThreadWord.turnHash)] = 0
    threads[word(cpu, ThreadWord.privateHash)] = 0
  }

  /// Whether the thread was at a node since it last changed anything.
  func wasHere(_ cpu: Int, _ node: Int) -> Bool {
    let privateHash = threads[word(cpu, ThreadWord.privateHash)]
    let loopHash = graph.points[node].loopHash
    var index = Int(threads[word(cpu, ThreadWord.turn)])
    while index > 0 {
      let turn = turns[index - 1]
      if turn.loopHash == loopHash, turn.privateHash == privateHash { return true }
      index = Int(turn.previous)
    }
    return false
  }

  /// Whether a request may have to wait for another value.
  @inline(__always)
  func mayWait(_ request: Request) -> Bool {
    guard options.awaitsAssumptions else { return false }
    // A plain read that was never taken would hide its race with a write of the same value.
    if request.kind == .load, !request.isAtomic, options.findsRaces { return false }
    switch request.kind {
    case .load, .compareExchange, .update, .tryLock:
      return request.isInLoop && options.waitsInLoops || image.assumes
    default: return false
    }
  }

  /// The furthest that a read is followed.
  private static let lookAheadMax = 16

  /// Where a thread's present value would lead it in vain.
  enum DeadEnd {
    case assumption, turn
  }

  /// Whether the present value leads straight back, or into an assumption that does not hold.
  func deadEnd(_ cpu: Int) -> DeadEnd? {
    guard let result = resultWithoutChange(node(of: cpu), cpu) else { return nil }
    return deadEnd(cpu, reading: result)
  }

  /// The same for any result of its next request.
  func deadEnd(_ cpu: Int, reading result: UInt64) -> DeadEnd? {
    let start = node(of: cpu)
    let origin = graph.points[start].loopHash
    var result = result
    var node = start
    for _ in 0..<Self.lookAheadMax {
      let next = graph.successor(of: node, observing: result)
      let point = graph.points[next]
      if point.request.kind == .blocked { return .assumption }
      if options.waitsInLoops, point.request.isInLoop,
        point.loopHash == origin || wasHere(cpu, next)
      {
        landing = point.loopHash
        return .turn
      }
      guard isLocalRead(next, cpu), let value = resultWithoutChange(next, cpu) else {
        return nil
      }
      (node, result) = (next, value)
    }
    return nil
  }

  private func isLocalRead(_ node: Int, _ cpu: Int) -> Bool {
    graph.points[node].request.kind == .load && isLocal(node, cpu)
  }

  /// The result of a request now, if it would change nothing.
  private func resultWithoutChange(_ node: Int, _ cpu: Int) -> UInt64? {
    let request = graph.points.pointer(to: node).pointee.request
    if graph.points.pointer(to: node).pointee.isFast, request.kind != .tryLock {
      return fastResultWithoutChange(graph.points[node])
    }
    guard let (record, offset) = try? locate(request, request.size) else { return nil }
    switch request.kind {
    case .load: return read(record, offset, request.size) & mask(request.bits)
    case .compareExchange:
      let old = read(record, offset, request.size)
      return old != request.a || request.b == old ? old : nil
    case .update:
      let old = read(record, offset, request.size)
      let new = Arithmetic.updated(request.update, bits: request.bits, old, request.a)
      return new & mask(request.size * 8) == old ? old : nil
    case .tryLock: return read(record, offset, 4) != 0 ? ProgramMachine.busy : nil
    default: return nil
    }
  }

  /// Whether all that a waiting thread read still has the values it read.
  func waitsForever(_ cpu: Int) -> Bool {
    // A read that leads straight back to itself waits for nothing but its own word.
    var here = point(of: cpu).pointee.loopHash
    if status(of: cpu) == Status.present, deadEnd(cpu) == .turn {
      if landing == here { return true }
      here = landing
    }
    var index = Int(threads[word(cpu, ThreadWord.turn)])
    while index > 0 {
      let turn = turns[index - 1]
      if turn.size > 8 { return false }
      if turn.size > 0 {
        var request = Request(.load)
        request.address = turn.address
        guard let (record, offset) = try? locate(request, Int(turn.size)) else { return false }
        let now = read(record, offset, Int(turn.size))
        if now & mask(Int(turn.size) * 8) != turn.value & mask(Int(turn.size) * 8) { return false }
      }
      if turn.loopHash == here { return true }
      index = Int(turn.previous)
    }
    return true
  }
}
