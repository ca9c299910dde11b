// Two entries locked one after the other, the first given back where the second is taken.

import Gracewalk

/// Exchanging what two entries map, in parallel: who gets one entry and not the other steps back.
enum SwapEntries {
  /// The step a broken sibling leaves out.
  enum Omission {
    case order, givingBack
  }

  static let models: [Model] = [
    model("swap-two-entries", "the entry with the lower address is locked first"),
    model(
      "swap-two-entries-in-any-order", "each locks first the entry that it was told first", .order,
      omission: "locking the entry with the lower address first", violates: ["progress"]),
    model(
      "swap-two-entries-keeping-the-first",
      "who finds the second entry locked begins anew and leaves the first locked", .givingBack,
      omission: "giving the first entry back where the second is locked", violates: ["progress"]),
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
      omission: omission,
      expectation: violates.isEmpty ? .holds : .violates(violates)
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      scenario.mayRepeat = true
      let root = scenario.rootTable()
      scenario.boot { cpu in
        for index in 0..<2 {
          try cpu.getPage(root)
          try cpu.store(Descriptor.block(index).bits, to: root[index], .relaxed)
        }
      }
      scenario.cpu("swapper 0", Operation("swap 0, 1") { try swap($0, root, 0, 1, omitting) })
      scenario.cpu("swapper 1", Operation("swap 1, 0") { try swap($0, root, 1, 0, omitting) })
      scenario.cpu("protector", Operation("protect 1") { try protect($0, root[1]) })
      scenario.require(InvariantCatalogue.tables)
      return scenario
    }
  }

  private static func swap(
    _ cpu: VirtualCPU, _ root: TablePage, _ one: Int, _ other: Int, _ omitting: Omission?
  ) throws(Abandoned) {
    let isOrdered = omitting != .order
    let first = root[isOrdered ? min(one, other) : one]
    let second = root[isOrdered ? max(one, other) : other]
    try cpu.repeatUntilDone { () throws(Abandoned) -> Void? in
      guard let mine = try lock(cpu, first) else { return nil }
      guard let theirs = try lock(cpu, second) else {
        if omitting != .givingBack { try cpu.store(mine, to: first, .release) }
        return nil
      }
      try cpu.store(theirs, to: first, .release)
      try cpu.store(mine, to: second, .release)
      return ()
    }
  }

  private static func protect(_ cpu: VirtualCPU, _ entry: Location) throws(Abandoned) {
    try cpu.repeatUntilDone { () throws(Abandoned) -> Void? in
      guard let old = try lock(cpu, entry) else { return nil }
      let frame = Descriptor(bits: old).dataFrame ?? 0
      try cpu.store(Descriptor.block(frame, writable: false).bits, to: entry, .release)
      return ()
    }
  }

  /// Locks an entry and returns what it was; nil if somebody else has it.
  private static func lock(_ cpu: VirtualCPU, _ entry: Location) throws(Abandoned) -> UInt64? {
    let old = try cpu.load(entry, .relaxed)
    if Descriptor(bits: old).isLocked { return nil }
    let result = try cpu.compareExchange(
      entry, expected: old, desired: Descriptor.locked.bits, .acquire)
    return result.exchanged ? old : nil
  }
}
