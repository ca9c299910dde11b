// Random programs that rely on cached entries being gone, by being told or by claims.

import GracewalkMachine

extension RandomProgram {
  /// Instructions that each take several steps.
  ///
  /// A wrong use of a cached entry takes several steps in the right order, which single
  /// instructions rarely produce.
  static let relyingGuests: [[Instruction]] = [
    [.mapUsed, .readTold, .guestRead, .mapLeaf],
    [.mapUsed, .guestWrite, .takeFrame, .claim],
    [.moveUsed, .tlbi, .dsb, .guestRead, .claim],
  ]
  static let relying: [[Instruction]] = [
    [.removeAndTell, .mapLeaf, .removeAndClaim, .tlbi],
    [.removeAndClaim, .takeFrame, .mapUsed, .giveAway],
  ]

  /// Instructions for the one address that most programs share.
  static func runReliance(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let address = Int(step.old) / 2 * 2
    let root = objects.root(of: cpu)
    switch step.instruction {
    case .mapUsed:
      let entry = try top(of: root, address, objects, cpu)
      return try mapUsed(address, isWritable: step.new == 1, entry, cpu)
    case .removeAndTell:
      let entry = try top(of: root, address, objects, cpu)
      try cpu.store(entry, 0, .relaxed)
      try cpu.store(objects.words[step.word], step.new, .release)
      if step.old == 1 { try cpu.store(entry, Descriptor.block(address).bits, .release) }
      return 0
    case .readTold:
      if step.new == 2 {
        let entry = try top(of: root, address, objects, cpu)
        _ = try mapUsed(address, isWritable: true, entry, cpu)
      }
      let told = try cpu.load(objects.words[step.word], .acquire)
      return cpu.hasMMU ? try cpu.guestRead(address).code : told
    case .takeFrame:
      // The frame keeps what guests have written to it.
      let frame = objects.frames[address]
      let seen = try cpu.load(frame.content, .acquire)
      if step.new == 2 { try cpu.handOver(frame, to: .nobody) }
      return seen
    case .moveUsed: return try moveUsed(step, objects, cpu)
    default:
      let entry = try top(of: root, address, objects, cpu)
      try cpu.store(entry, 0, .release)
      if step.new == 2 {
        try cpu.dsb()
        try cpu.tlbi(.all, of: root)
        try cpu.dsb()
      }
      try cpu.expectUntranslated(root, address)
      return 0
    }
  }

  private static func mapUsed(
    _ address: Int, isWritable: Bool, _ entry: Location, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let leaf = Descriptor.block(address)
    try cpu.store(entry, (isWritable ? leaf : leaf.readOnly).bits, .release)
    return cpu.hasMMU ? try cpu.guestRead(address).code : 0
  }

  /// Links a table, walks it, and links it below another root.
  private static func moveUsed(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    guard let other = objects.otherRoot, let page = try cpu.allocateTable() else { return 0 }
    try cpu.store(page[0], Descriptor.page(0).bits, .relaxed)
    let table = Descriptor.table(page).bits
    try cpu.store(objects.root[0], table, .release)
    if cpu.hasMMU { _ = try cpu.guestRead(0) }
    try cpu.store(objects.root[0], 0, .release)
    if step.new == 2 {
      try cpu.dsb()
      try cpu.tlbi(.all, of: objects.root)
      try cpu.dsb()
    }
    try cpu.store(other[0], table, .release)
    return 1
  }
}
