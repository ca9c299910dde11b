// Two entries are locked in turn, and the first is released if the second is taken.

import Gracewalk

/// Exchanging what two entries map, in parallel: a CPU that gets only one of them steps back.
enum SwapEntries {
  /// What an operation found where it locked what it needed: each block at its place, or not.
  enum Found: UInt64, OperationResult {
    case asAtStart, swapped
    /// It was locked at each turn.
    case locked
  }

  static let models = Model.family(
    [
      .holds(
        "swap-two-entries", "the entry with the lower address is locked first",
        instancesUnder: [.armv8: [["turns": 2]]]),
      .broken(
        "swap-two-entries-in-any-order", "each locks first the entry that it was told first",
        omits: "locking the entry with the lower address first", violates: [ProgressOfCPUs.id]),
      .broken(
        "swap-two-entries-keeping-the-first",
        "who finds the second entry locked begins anew and leaves the first locked",
        omits: "giving the first entry back where the second is locked",
        violates: [ProgressOfCPUs.id]),
    ],
    scenario:
      "Two blocks are mapped. One CPU swaps the first with the second and another the second with "
      + "the first; a third write-protects the second. All lock entries by compare-exchange and "
      + "try again where one is locked.",
    origin: Origin(
      author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
      subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
      question:
        "The patch locks one entry of a subtree after the other while others do the same. Can CPUs "
        + "that lock several entries keep each other from ever getting all of them?"),
    parameters: [.turns],
    mustHappen: ["swap 0, 1", "swap 1, 0", "protect 1"].flatMap {
      ExpectedOutcome.each($0, "asAtStart", "swapped")
    }
  ) { values in
    let scenario = Scenario()
    let turns = values["turns"]
    scenario.mayRepeat = turns == 0
    let root = scenario.rootTable()
    scenario.boot { cpu in
      for index in 0..<2 { try cpu.fill(root, index, .block(frame(ofBlock: index))) }
    }
    scenario.cpu("swapper 0", swap(root, 0, 1, turns))
    scenario.cpu("swapper 1", swap(root, 1, 0, turns))
    scenario.cpu("protector", protect(root, 1, turns))
    scenario.require(InvariantCatalogue.tables)
    scenario.vocabulary(
      "Two blocks are mapped.",
      // In any order, the entries are symmetric; by address, both swaps lock the same one first.
      symmetries: scenario.omits("locking the entry with the lower address first")
        ? [[1, 0, 3, 2]] : [[1, 0, 2, 3]],
      [
        swap(root, 0, 1, turns), swap(root, 1, 0, turns), protect(root, 0, turns),
        protect(root, 1, turns),
      ])
    return scenario
  }

  private static func swap(
    _ root: TablePage, _ one: Int, _ other: Int, _ turns: Int
  ) -> CPUOperation {
    CPUOperation("swap \(one), \(other)") { cpu in
      let isOrdered = !cpu.omits("locking the entry with the lower address first")
      let (low, high) = isOrdered ? (min(one, other), max(one, other)) : (one, other)
      let (first, second) = (root.entry(low), root.entry(high))
      return try cpu.tryAgain(turns, else: .locked) { () -> Found? in
        guard let mine = try lock(cpu, first) else { return nil }
        guard let theirs = try lock(cpu, second) else {
          if !cpu.omits("giving the first entry back where the second is locked") {
            try cpu.store(first, mine, .release)
          }
          return nil
        }
        try cpu.store(first, theirs, .release)
        try cpu.store(second, mine, .release)
        return found(mine, in: low)
      }
    }
  }

  private static func protect(
    _ root: TablePage, _ index: Int, _ turns: Int
  ) -> CPUOperation {
    CPUOperation("protect \(index)") { cpu in
      try cpu.tryAgain(turns, else: .locked) { () -> Found? in
        guard let old = try lock(cpu, root.entry(index)) else { return nil }
        try cpu.store(root.entry(index), old.readOnly, .release)
        return found(old, in: index)
      }
    }
  }

  private static func found(_ entry: Descriptor, in index: Int) -> Found {
    entry.dataFrame == frame(ofBlock: index) ? .asAtStart : .swapped
  }

  /// A block's frame is a multiple of the block's size.
  private static func frame(ofBlock index: Int) -> Int { 2 * index }

  /// Locks an entry and returns its old value; nil if another CPU has it.
  private static func lock(_ cpu: VirtualCPU, _ entry: Entry) throws -> Descriptor? {
    let old = try cpu.load(entry, .relaxed)
    guard !old.isLocked, try cpu.tryCompareExchange(entry, old, .locked, .acquire) else {
      return nil
    }
    return old
  }
}
