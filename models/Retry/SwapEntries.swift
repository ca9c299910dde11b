// Two entries locked one after the other, the first given back where the second is taken.

import Gracewalk

/// Exchanging what two entries map, in parallel: who gets one entry and not the other steps back.
enum SwapEntries {
  /// The step a broken sibling leaves out.
  enum Omission {
    case order, givingBack
  }

  /// What an operation found where it locked what it needed.
  enum Found: UInt64, OperationResult {
    /// The frames are where they were at the start.
    case asAtStart
    /// They have changed places.
    case swapped
  }

  static let origin = Origin(
    author: "Oliver Upton", list: "linux-arm-kernel", date: "2022-04-21",
    subject: "[RFC PATCH 09/17] KVM: arm64: Tear down unlinked page tables in parallel walk",
    question:
      "The patch locks one entry of a subtree after the other while others do the same. Can CPUs "
      + "that lock several entries keep each other from ever getting all of them?")

  private static let variants: [Variant<Omission?>] = [
    .holds("swap-two-entries", "the entry with the lower address is locked first"),
    .broken(
      "swap-two-entries-in-any-order", "each locks first the entry that it was told first", .order,
      omits: "locking the entry with the lower address first", violates: [ProgressOfCPUs.id]),
    .broken(
      "swap-two-entries-keeping-the-first",
      "who finds the second entry locked begins anew and leaves the first locked", .givingBack,
      omits: "giving the first entry back where the second is locked",
      violates: [ProgressOfCPUs.id]),
  ]

  static let models = Model.family(
    variants,
    scenario:
      "Two blocks are mapped. One CPU swaps the first with the second and another the second with "
      + "the first; a third write-protects the second. All lock entries by compare-exchange and "
      + "try again where one is locked.",
    origin: origin, mustHappen: races, vocabulary: vocabulary
  ) { _, omitting in
    let (scenario, root) = start()
    scenario.cpu("swapper 0", swap(root, 0, 1, omitting))
    scenario.cpu("swapper 1", swap(root, 1, 0, omitting))
    scenario.cpu("protector", protect(root, 1))
    return scenario
  }

  private static func vocabulary(_ omitting: Omission?) -> Vocabulary {
    Vocabulary(
      start: "Two blocks are mapped.",
      // In any order: the entries are alike. By their order: both swaps lock the same first.
      symmetries: omitting == .order ? [[1, 0, 3, 2]] : [[1, 0, 2, 3]]
    ) {
      let (scenario, root) = start()
      let operations = [
        swap(root, 0, 1, omitting), swap(root, 1, 0, omitting), protect(root, 0), protect(root, 1),
      ]
      return (scenario, operations)
    }
  }

  private static func start() -> (Scenario, TablePage) {
    let scenario = Scenario()
    scenario.mayRepeat = true
    let root = scenario.rootTable()
    scenario.boot { cpu in
      for index in 0..<2 {
        try cpu.getPage(root)
        try cpu.store(root.entry(index), .block(frame(ofBlock: index)), .relaxed)
      }
    }
    scenario.require(InvariantCatalogue.tables)
    return (scenario, root)
  }

  private static func swap(
    _ root: TablePage, _ one: Int, _ other: Int, _ omitting: Omission?
  ) -> CPUOperation {
    CPUOperation("swap \(one), \(other)") { try swap($0, root, one, other, omitting) }
  }

  private static func protect(_ root: TablePage, _ index: Int) -> CPUOperation {
    CPUOperation("protect \(index)") { try protect($0, root, index) }
  }

  /// Each operation comes before a swap, and after one.
  private static let races = ["swap 0, 1", "swap 1, 0", "protect 1"].flatMap { operation in
    ["asAtStart", "swapped"].map { ExpectedOutcome(operation, $0) }
  }

  private static func swap(
    _ cpu: VirtualCPU, _ root: TablePage, _ one: Int, _ other: Int, _ omitting: Omission?
  ) throws -> Found {
    let isOrdered = omitting != .order
    let first = root.entry(isOrdered ? min(one, other) : one)
    let second = root.entry(isOrdered ? max(one, other) : other)
    return try cpu.repeatUntilDone { () -> Found? in
      guard let mine = try lock(cpu, first) else { return nil }
      guard let theirs = try lock(cpu, second) else {
        if omitting != .givingBack { try cpu.store(first, mine, .release) }
        return nil
      }
      try cpu.store(first, theirs, .release)
      try cpu.store(second, mine, .release)
      return found(mine, in: isOrdered ? min(one, other) : one)
    }
  }

  private static func protect(_ cpu: VirtualCPU, _ root: TablePage, _ index: Int) throws -> Found {
    try cpu.repeatUntilDone { () -> Found? in
      guard let old = try lock(cpu, root.entry(index)) else { return nil }
      let frame = old.dataFrame ?? 0
      try cpu.store(root.entry(index), .block(frame, writable: false), .release)
      return found(old, in: index)
    }
  }

  /// At the start each entry maps the block with its own number.
  private static func found(_ entry: Descriptor, in index: Int) -> Found {
    entry.dataFrame == frame(ofBlock: index) ? .asAtStart : .swapped
  }

  /// A block's frame is a multiple of the block's size.
  private static func frame(ofBlock index: Int) -> Int { 2 * index }

  /// Locks an entry and returns what it was; nil if somebody else has it.
  private static func lock(_ cpu: VirtualCPU, _ entry: Entry) throws -> Descriptor? {
    let old = try cpu.load(entry, .relaxed)
    if old.isLocked { return nil }
    let result = try cpu.compareExchange(
      entry, expected: old, desired: .locked, .acquire)
    return result.exchanged ? old : nil
  }
}
