// The local state of a thread, as a value.

import GracewalkSupport

/// One call that has not returned.
struct Frame {
  var function: Int32
  var block: Int32 = 0
  var index: Int32 = 0
  /// Its first slot.
  var base: Int32
  /// Where its result goes in the caller's slots, or -1, and how many slots it has.
  var result: Int32 = -1
  var resultCount: Int32 = 0
  /// The number of objects on the stack when it was entered.
  var firstObject: Int32
  /// The line of the call.
  var place: Int32 = -1
  /// Turns of loops, by the number of the head, if loops are cut.
  var turns: [Int32: Int32] = [:]
}

/// Everything that a thread knows.
struct ThreadState {
  var frames: [Frame] = []
  var slots: [UInt64] = []
  /// Objects on its stack, those that are not slots.
  var objectCount: Int32 = 0
  /// Objects it has allocated, and threads it has created.
  var allocationCount: Int32 = 0
  var childCount: Int32 = 0
  /// Read-side sections of RCU that it is in.
  var sectionDepth: Int32 = 0
  /// Set while what a thread does at its end is done; its result is in `argument`.
  var isEnding = false
  /// Set while what was registered for the exit is run.
  var isExiting = false
  /// The function that a created thread begins with, and its argument.
  var entry: UInt64 = 0
  var argument: UInt64 = 0
  /// The slot that the result of the request goes to, or -1; for a compare-exchange also the next.
  var target: Int32 = -1
  var request = Request(.start)
  /// What its slots depend on; empty if that makes no difference.
  var dependencies = Dependencies()

  /// A hash of everything that its future depends on.
  ///
  /// - Parameter countsTurns: whether turns of loops count, which are only there to be bounded.
  func hash(_ functions: [Function], countsTurns: Bool = true) -> UInt64 {
    var hash: UInt64 = 0x6C6F_6361_6C73
    func add(_ value: UInt64) { hash = StableHash.extend(hash, with: value) }
    if request.kind == .ended || request.kind == .blocked || request.kind == .cut {
      // What it has done makes no difference any more.
      add(UInt64(request.kind.rawValue))
      return hash
    }
    add(UInt64(UInt32(bitPattern: objectCount)) << 32 | UInt64(UInt32(bitPattern: allocationCount)))
    add(UInt64(UInt32(bitPattern: childCount)) << 32 | UInt64(request.kind.rawValue))
    add(UInt64(UInt32(bitPattern: sectionDepth)) << 2 | (isExiting ? 2 : 0) | (isEnding ? 1 : 0))
    if isEnding { add(argument) }
    add(request.address)
    add(request.a)
    add(request.b)
    add(UInt64(bitPattern: Int64(request.size)))
    if request.kind == .start { return hash }
    let hasDependencies = !dependencies.slots.isEmpty
    if hasDependencies {
      for set in [dependencies.address, dependencies.value, dependencies.expected] { add(set) }
      add(UInt64(dependencies.result) << 1 | (dependencies.isUnused ? 1 : 0))
    }
    for (depth, frame) in frames.enumerated() {
      add(
        UInt64(UInt32(bitPattern: frame.function)) << 32 | UInt64(UInt32(bitPattern: frame.block)))
      add(
        UInt64(UInt32(bitPattern: frame.index)) << 32
          | UInt64(UInt32(bitPattern: frame.firstObject)))
      if countsTurns {
        for head in frame.turns.keys.sorted() {
          add(
            UInt64(UInt32(bitPattern: head)) << 32
              | UInt64(UInt32(bitPattern: frame.turns[head] ?? 0)))
        }
      }
      let isTop = depth == frames.count - 1
      let target = isTop ? self.target : frames[depth + 1].result
      let count = isTop ? 1 : frames[depth + 1].resultCount
      // The instruction at `index` is still to be completed, or, after a `releaseStack`, to be run.
      let isRunAgain = isTop && request.kind == .releaseStack
      let live = functions[Int(frame.function)].live(
        after: Int(frame.index) - (isRunAgain ? 1 : 0), in: Int(frame.block))
      for slot in live {
        let absolute = frame.base + slot
        if absolute >= target, absolute < target + count, target >= 0 { continue }
        add(UInt64(UInt32(bitPattern: slot)))
        add(slots[Int(absolute)])
        if hasDependencies { add(dependencies.slots[Int(absolute)]) }
      }
    }
    return hash
  }

  /// Places of the calls that it is in, outermost first.
  var callPlaces: [Int32] { frames.dropFirst().map(\.place) }
}
