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

  static let models: [Model] = [
    model("swap-two-entries", "the entry with the lower address is locked first"),
    model(
      "swap-two-entries-in-any-order", "each locks first the entry that it was told first", .order,
      omission: "locking the entry with the lower address first", violates: [ProgressOfCPUs.id]),
    model(
      "swap-two-entries-keeping-the-first",
      "who finds the second entry locked begins anew and leaves the first locked", .givingBack,
      omission: "giving the first entry back where the second is locked",
      violates: [ProgressOfCPUs.id]),
  ]

  private static func model(
    _ name: String, _ summary: String, _ omitting: Omission? = nil, omission: String? = nil,
    violates: [String] = []
  ) -> Model {
    Model(
      name: name, summary: summary,
      scenario:
        "Two blocks are mapped. One CPU swaps the first with the second and another the second "
        + "with the first; a third write-protects the second. All lock entries by compare-exchange "
        + "and try again where one is locked.",
      omission: omission, origin: origin,
      expectation: violates.isEmpty ? .holds : .violates(violates),
      mustHappen: races,
      vocabulary: vocabulary(omitting)
    ) { _ in
      let (scenario, root) = start()
      scenario.cpu("swapper 0", swap(root, 0, 1, omitting))
      scenario.cpu("swapper 1", swap(root, 1, 0, omitting))
      scenario.cpu("protector", protect(root, 1))
      return scenario
    }
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
      return (scenario, operations.map { Vocabulary.Word($0) })
    }
  }

  private static func start() -> (Scenario, TablePage) {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    scenario.mayRepeat = true
    let root = scenario.rootTable()
    scenario.boot { cpu in
      for index in 0..<2 {
        try cpu.getPage(root)
        try cpu.store(Descriptor.block(frame(ofBlock: index)).bits, to: root[index], .relaxed)
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
  ) throws(Abandoned) -> Found {
    let isOrdered = omitting != .order
    let first = root[isOrdered ? min(one, other) : one]
    let second = root[isOrdered ? max(one, other) : other]
    return try cpu.repeatUntilDone { () throws(Abandoned) -> Found? in
      guard let mine = try lock(cpu, first) else { return nil }
      guard let theirs = try lock(cpu, second) else {
        if omitting != .givingBack { try cpu.store(mine, to: first, .release) }
        return nil
      }
      try cpu.store(theirs, to: first, .release)
      try cpu.store(mine, to: second, .release)
      return found(mine, in: isOrdered ? min(one, other) : one)
    }
  }

  private static func protect(
    _ cpu: VirtualCPU, _ root: TablePage, _ index: Int
  ) throws(Abandoned) -> Found {
    try cpu.repeatUntilDone { () throws(Abandoned) -> Found? in
      guard let old = try lock(cpu, root[index]) else { return nil }
      let frame = Descriptor(bits: old).dataFrame ?? 0
      try cpu.store(Descriptor.block(frame, writable: false).bits, to: root[index], .release)
      return found(old, in: index)
    }
  }

  /// At the start each entry maps the block with its own number.
  private static func found(_ entry: UInt64, in index: Int) -> Found {
    Descriptor(bits: entry).dataFrame == frame(ofBlock: index) ? .asAtStart : .swapped
  }

  /// A block's frame is a multiple of the block's size.
  private static func frame(ofBlock index: Int) -> Int { 2 * index }

  /// Locks an entry and returns what it was; nil if somebody else has it.
  private static func lock(_ cpu: VirtualCPU, _ entry: Location) throws(Abandoned) -> UInt64? {
    let old = try cpu.load(entry, .relaxed)
    if Descriptor(bits: old).isLocked { return nil }
    let result = try cpu.compareExchange(
      entry, expected: old, desired: Descriptor.locked.bits, .acquire)
    return result.exchanged ? old : nil
  }
}
