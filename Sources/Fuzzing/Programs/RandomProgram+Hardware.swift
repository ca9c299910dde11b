// Random programs with guests, hardware walks and invalidation.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// Guest accesses, and changes of the tables that they use.
  static let guests: [[Instruction]] = [
    [.guestRead, .guestWrite, .guestRead, .mapLeaf],
    [.guestRead, .guestWrite, .protect, .tlbi, .dsb],
    [.guestWrite, .mapLeaf, .tlbi, .dsb, .giveAway],
    [.guestWrite, .guestRead, .wait, .load, .claim],
  ]
  static let changers: [[Instruction]] = [
    [.mapLeaf, .protect, .tlbi, .dsb, .removeLeaf],
    [.mapTable, .removeLeaf, .tlbi, .dsb, .mapLeaf],
    [.mapTable, .mapBlock, .removeTable, .tlbi, .dsb],
    [.removeLeaf, .tlbi, .dsb, .giveAway, .protect],
    [.removeLeaf, .protect, .tlbi, .dsb, .store, .claim],
    [.mapTable, .moveTable, .tlbi, .dsb, .claim, .removeTable],
  ]

  /// The program with guests for a seed.
  public init(hardwareSeed seed: UInt64, size: Size = .full) {
    var random = SplitMix64(seed: seed ^ 0x6861_7264_7761_7265)
    self.init(seed: seed, size: size)
    addGuests(&random)
    cpus = copies.indices.map { cpu in
      let mix = random.pick(hardwareLists(of: cpu))
      let length = 1 + random.below(size == .small ? 3 : 6 - copies.count)
      return Self.parts(from: mix, length: length, words: wordCount, &random)
    }
    if random.below(8) == 0 { addMistakes() }
  }

  /// Lists of instructions that work together, for a CPU with or without a unit.
  func hardwareLists(of cpu: Int) -> [[Instruction]] {
    let all = Self.changers + Self.relying
    return mmuTimes(of: cpu) == nil ? all : Self.guests + Self.relyingGuests + all
  }

  /// Replaces mappings of the last CPU by malformed ones: tables at the last level, pages above it,
  /// and misaligned or reserved blocks.
  private mutating func addMistakes() {
    let last = cpus.count - 1
    for part in cpus[last].indices {
      for step in cpus[last][part].indices
      where [.mapLeaf, .mapBlock, .protect].contains(cpus[last][part][step].instruction) {
        cpus[last][part][step].instruction = .mapWrongly
      }
    }
  }

  /// Chooses again which CPUs have memory management units.
  mutating func addGuests(_ random: inout SplitMix64) {
    let cpuCount = random.pick([2, 2, 3])
    copies = Array(repeating: 1, count: cpuCount)
    speculations = (0..<cpuCount).map { _ in random.pick([-1, 0, 0, 1]) }
    speculations[0] = random.pick([0, 0, 1])
    features = Features()
    features.breakBeforeMakeLevel = random.pick([0, 0, 2])
    features.hardwareAccessFlag = random.below(2) == 0
    features.hardwareDirtyState = random.below(2) == 0
    features.enhancedTranslationSynchronisation = random.below(2) == 0
    // Draws from a copy, so that later draws do not change.
    var others = random
    format = others.pick([.armStage2, .armStage2, .armStage1, .x86, .x86, .ept])
    if others.below(8) == 0, speculations[cpuCount - 1] >= 0 { otherWalker = cpuCount - 1 }
  }

  var hasGuests: Bool { speculations.contains { $0 >= 0 } }

  /// How often the memory management unit of a CPU walks speculatively or evicts; nil without one.
  func mmuTimes(of cpu: Int) -> Int? {
    guard speculations.indices.contains(cpu), speculations[cpu] >= 0 else { return nil }
    return speculations[cpu]
  }

  /// The memory management unit of a CPU, if its program has one.
  func mmu(of cpu: Int, _ root: TablePage) -> MMU? {
    guard let times = mmuTimes(of: cpu) else { return nil }
    return MMU(root, speculatesOn: times > 0 ? [0] : [], times: times, evicts: true)
  }

  /// Instructions that only programs with guests have.
  static func runHardware(
    _ step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    let address = Int(step.old)
    let root = step.instruction == .moveTable ? objects.root : objects.root(of: step)
    switch step.instruction {
    case .guestRead:
      return cpu.hasMMU ? try cpu.guestRead(address).code : 0
    case .guestWrite:
      return cpu.hasMMU ? try cpu.guestWrite(address).code : 0
    case .mapTable:
      guard let page = try cpu.allocateTable() else { return 0 }
      let top = try top(of: root, address, objects, cpu)
      try cpu.store(page[0], Descriptor.page(0).bits, .relaxed)
      let entry = Descriptor.table(page, writable: step.new == 1 || cpu.format == .armStage2)
      let won = try cpu.compareExchange(top, expected: 0, desired: entry.bits, .release).exchanged
      if !won { try cpu.free(page) }
      return won ? 1 : 0
    case .mapBlock:
      let top = try top(of: root, address, objects, cpu)
      try cpu.store(top, Descriptor.block(2 * Int(step.new - 1)).bits, .release)
      return 0
    case .removeTable:
      let top = try top(of: root, address, objects, cpu)
      let old = Descriptor(bits: try cpu.exchange(top, 0, .acquireRelease))
      guard let page = cpu.table(at: old) else { return 0 }
      if step.new == 2 {
        try cpu.dsb()
        try cpu.tlbi(.all, of: root)
        try cpu.dsb()
      }
      try cpu.free(page)
      return 1
    case .tlbi:
      let kinds: [TLBInvalidation] = [
        .all, .address(address), .address(address).lastLevelOnly,
        .address(address).level(Int(step.new) - (objects.isDeep ? 0 : 1)), .all.local,
      ]
      try cpu.tlbi(kinds[(address + 2 * Int(step.new)) % kinds.count], of: root)
      return 0
    case .dsb:
      try cpu.dsb()
      return 0
    case .claim:
      let addresses = step.new == 1 ? 0..<2 : address..<(address + 1)
      switch address + step.word {
      case 0: try cpu.expectUntranslated(root, addresses)
      case 1: try cpu.expectReadOnly(root, addresses)
      default: try cpu.expectCurrent(root, addresses)
      }
      return 0
    case .moveTable:
      guard let other = objects.otherRoot else { return 0 }
      let place = other[objects.isDeep ? 0 : address / 2]
      let top = try top(of: root, address, objects, cpu)
      let (from, to) = step.new == 1 ? (top, place) : (place, top)
      let table = Descriptor(bits: try cpu.exchange(from, 0, .acquireRelease))
      guard table.isTable else { return 0 }
      return try cpu.compareExchange(
        to, expected: 0, desired: table.bits, .release
      ).exchanged ? 1 : 0
    case .giveAway:
      try cpu.handOver(objects.frames[address], to: step.new == 1 ? .nobody : .guest)
      return 0
    default:
      let top = try top(of: root, address, objects, cpu)
      return try runLeaf(step, top, address, root, cpu)
    }
  }

  /// Changes an entry for one address: in the table below the root's entry, or the root's itself.
  private static func runLeaf(
    _ step: Step, _ top: Location, _ address: Int, _ root: TablePage, _ cpu: VirtualCPU
  ) throws -> UInt64 {
    var slot = top
    var leaf = Descriptor.block(address / 2 * 2)
    if let page = cpu.table(at: Descriptor(bits: try cpu.load(top, .acquire))) {
      slot = page[address % 2]
      leaf = .page(address)
    }
    switch step.instruction {
    case .mapLeaf:
      let kinds = [leaf, leaf.withoutAccessFlag, leaf.writableClean, leaf.readOnly]
      try cpu.store(slot, kinds[(address + Int(step.new)) % 4].bits, .release)
      return 0
    case .mapWrongly:
      let mistakes: [Descriptor] = [
        .page(address), .block(1), .table(root), .block(0).withoutReads, Descriptor(bits: 3),
      ]
      try cpu.store(slot, mistakes[(address + 2 * Int(step.new)) % 5].bits, .release)
      return 0
    case .removeLeaf: return try cpu.exchange(slot, 0, .acquireRelease) % 2
    default:
      let old = Descriptor(bits: try cpu.load(slot, .relaxed))
      guard old.isLeaf else { return 0 }
      let new = step.new == 1 ? old.readOnly : old.writable
      return try cpu.compareExchange(
        slot, expected: old.bits, desired: new.bits, .release
      ).exchanged ? 1 : 0
    }
  }
}
