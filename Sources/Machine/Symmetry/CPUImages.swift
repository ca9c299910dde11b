// The effect of exchanging identical CPUs on words, values, actions and their results.

import GracewalkSupport

/// The images of everything that names a CPU, under each permutation of identical ones.
///
/// A permutation acts on a CPU's words and pages, on sets of CPUs, on the holder of a lock, on the
/// keys of callbacks, and on the address of a page wherever a model keeps it.
final class CPUImages {
  /// How the value of a word names CPUs.
  enum Content: UInt8, BitwiseCopyable {
    case number
    /// A value stored by a model: a table descriptor names the CPU that allocated the page.
    case modelValue
    /// The number of a lock's holder, plus one.
    case holder
    case cpuSet
    case callbackKey
    /// The first word of an entry of a store buffer: the word that it stores to, in its upper half.
    case pendingEntry
    /// The number of another word.
    case cell
    /// A set of callbacks, a bit each.
    case callbackSet
    /// The name of an order of stores.
    case order
  }

  private struct HistoryKey: Hashable {
    var cpu: Int
    var seen: UInt64
  }

  private unowned let machine: Machine
  private let permutations: CPUPermutations
  private let contents: GrowableBuffer<Content>
  /// The start of a cell's row in `cellImages`, or -1 if it is its own image.
  private let cellRows: GrowableBuffer<Int32>
  /// Per permutation, the image of a cell.
  private let cellImages = GrowableBuffer<UInt32>(capacity: 1_024)
  private var callbackKeys: [[UInt64: UInt64]]
  /// Operations completed per CPU, by the observation of a CPU that began one.
  private var histories: [HistoryKey: [UInt64]] = [:]
  private var orders: OrderImages?

  init(_ machine: Machine) {
    self.machine = machine
    permutations = machine.permutations
    callbackKeys = Array(repeating: [:], count: permutations.count)
    contents = GrowableBuffer(repeating: .number, count: machine.layout.cellCount)
    cellRows = GrowableBuffer(repeating: -1, count: machine.layout.cellCount)
    describeNamedWords()
    describePages()
    describeCPUs()
    describeOrdering(of: machine.memoryModel)
  }

  deinit {
    contents.deallocate()
    cellRows.deallocate()
    cellImages.deallocate()
  }

  func content(of cell: UInt32) -> Content { contents[Int(cell)] }

  // MARK: Cells

  private func describe(
    _ cell: UInt32, of cpu: Int, _ content: Content, _ image: (Int) -> UInt32
  ) {
    contents[Int(cell)] = content
    guard permutations.moves(cpu) else { return }
    cellRows[Int(cell)] = Int32(truncatingIfNeeded: cellImages.count)
    for permutation in 0..<permutations.count { cellImages.append(image(permutation)) }
  }

  private func describeNamedWords() {
    let scenario = machine.scenario
    for cell in scenario.wordCells { contents[Int(cell)] = .modelValue }
    // Pages of slabs exist from the start, so the word of free pages names no CPU.
    for slab in scenario.slabs { contents[Int(slab.slab.freePages.cell)] = .number }
    for cell in scenario.spinLockCells { contents[Int(cell)] = .holder }
    for cell in scenario.readWriteLockCells {
      contents[Int(cell)] = .cpuSet
      for cpu in 0..<machine.layout.cpuCount {
        describe(cell + 1 + UInt32(cpu), of: cpu, .number) {
          cell + 1 + UInt32(permutations.image(of: cpu, under: $0))
        }
      }
    }
  }

  private func describePages() {
    let layout = machine.layout
    let entries = UInt32(layout.geometry.entries)
    for owner in 0...layout.cpuCount {
      for index in 0..<layout.space.capacity.pagesPerCPU {
        let page = layout.page(owner: owner, index: index)
        for offset in 0..<(Layout.pageHeader + entries) {
          let content: Content =
            switch offset {
            case Layout.referencesOffset, Layout.privateOffset, Layout.pageHeader...: .modelValue
            case Layout.readersOffset, Layout.readersAtUnlinkOffset: .cpuSet
            case Layout.lockOffset: .holder
            default: .number
            }
          describe(page.base + offset, of: owner, content) {
            let image = permutations.image(of: owner, under: $0)
            return layout.page(owner: image, index: index).base + offset
          }
        }
        for offset in 0..<2 as Range<UInt32> {
          describe(layout.masked(ofPage: page.id) + offset, of: owner, .cpuSet) {
            let image = permutations.image(of: owner, under: $0)
            return layout.masked(ofPage: layout.page(owner: image, index: index).id) + offset
          }
        }
      }
    }
  }

  /// Describes the words of each CPU and of boot code.
  private func describeCPUs() {
    let layout = machine.layout
    for cpu in 0...layout.cpuCount {
      for offset in 0..<Layout.cpuStride {
        let isSet = layout.section(cpu) + offset == layout.graceReaders(cpu)
        describe(layout.section(cpu) + offset, of: cpu, isSet ? .cpuSet : .number) {
          layout.section(permutations.image(of: cpu, under: $0)) + offset
        }
      }
      describe(layout.mask(cpu), of: cpu, .number) {
        layout.mask(permutations.image(of: cpu, under: $0))
      }
    }
    for cpu in 0..<layout.cpuCount {
      describe(layout.interruptReceivers(cpu), of: cpu, .cpuSet) {
        layout.interruptReceivers(permutations.image(of: cpu, under: $0))
      }
      describeCallbacks(of: cpu)
      describeBarriers(of: cpu)
    }
  }

  /// Describes the words of each callback that a CPU may queue.
  private func describeCallbacks(of cpu: Int) {
    let layout = machine.layout
    for index in 0..<layout.callbacksPerCPU {
      let first = layout.callbackReaders(cpu, index)
      for offset in 0..<Layout.callbackStride {
        let content: Content =
          switch first + offset {
          case first, layout.callbackReadersAtCall(cpu, index): .cpuSet
          case layout.callbackKey(cpu, index): .callbackKey
          default: .number
          }
        describe(first + offset, of: cpu, content) {
          layout.callbackReaders(permutations.image(of: cpu, under: $0), index) + offset
        }
      }
    }
  }

  /// Describes the number of callbacks of each other CPU that a barrier waits for: a word for each
  /// pair.
  private func describeBarriers(of cpu: Int) {
    let layout = machine.layout
    for other in 0..<layout.cpuCount {
      let moved = permutations.moves(cpu) ? cpu : other
      describe(layout.barrierTarget(cpu, other), of: moved, .number) {
        layout.barrierTarget(
          permutations.image(of: cpu, under: $0), permutations.image(of: other, under: $0))
      }
    }
  }

  /// Describes the entries of each CPU's store buffer.
  func describeBuffers() {
    let layout = machine.layout
    let omitted = machine.scenario.omittedRules
    if omitted.contains(.exchangedBuffers) { return }
    let contents: [Content] =
      omitted.contains(.exchangedEntries)
      ? Array(repeating: .number, count: Int(Layout.pendingStride))
      : [.pendingEntry, .cell, .modelValue, .number, .cpuSet, .callbackSet]
    for cpu in 0..<layout.bufferedCPUs {
      for index in 0..<Layout.pendingMax {
        for (offset, content) in contents.enumerated() {
          describe(layout.pending(cpu, index) + UInt32(offset), of: cpu, content) {
            layout.pending(permutations.image(of: cpu, under: $0), index) + UInt32(offset)
          }
        }
      }
    }
  }

  /// Describes the objects for what each CPU knows and has pending, and the order's name.
  ///
  /// The object for grace periods, which is among those of CPU 0, concerns all CPUs.
  func describeOrders() {
    guard let keeper = machine.orders else { return }
    let layout = machine.layout
    let omitted = machine.scenario.omittedRules
    for cpu in 0..<layout.bufferedCPUs {
      for index in 0..<2 {
        describe(layout.pending(cpu, index), of: cpu, .number) {
          layout.pending(permutations.image(of: cpu, under: $0), index)
        }
      }
    }
    contents[Int(layout.orderName)] = .order
    orders = OrderImages(keeper, self, count: permutations.count, without: omitted)
  }

  func image(ofCPU cpu: Int, under permutation: Int) -> Int {
    permutations.image(of: cpu, under: permutation)
  }

  func image(ofCell cell: UInt32, under permutation: Int) -> UInt32 {
    let row = Int(cellRows[Int(cell)])
    return row < 0 ? cell : cellImages[row + permutation]
  }

  // MARK: Values

  func image(
    of value: UInt64, _ content: Content, under permutation: Int
  ) -> UInt64 {
    switch content {
    case .number: value
    case .modelValue: image(ofModelValue: value, under: permutation)
    case .holder:
      value == 0 ? 0 : UInt64(permutations.image(of: Int(value) - 1, under: permutation)) + 1
    case .cpuSet: image(ofCPUs: value, under: permutation)
    case .callbackKey: image(ofCallback: value, under: permutation)
    case .pendingEntry:
      value & 0xFFFF_FFFF
        | UInt64(image(ofCell: UInt32(value >> 32), under: permutation)) << 32
    case .cell: UInt64(image(ofCell: UInt32(value), under: permutation))
    case .callbackSet: image(ofCallbacks: value, under: permutation)
    case .order: orders?.image(of: value, under: permutation) ?? value
    }
  }

  /// The CPU whose page a value points to, if it points to one.
  func owner(ofPageIn value: UInt64) -> (cpu: Int, page: Int)? {
    guard let id = machine.linkedPage(by: value), let cpu = machine.layout.owner(ofPage: id)
    else { return nil }
    return (cpu, id)
  }

  private func image(ofModelValue value: UInt64, under permutation: Int) -> UInt64 {
    guard let owner = owner(ofPageIn: value) else { return value }
    let id = image(ofPage: owner.page, of: owner.cpu, under: permutation)
    return value & ~Descriptor.addressMask | Descriptor.table(machine.layout.page(id)).bits
  }

  private func image(ofPage id: Int, of cpu: Int, under permutation: Int) -> Int {
    let image = permutations.image(of: cpu, under: permutation)
    let space = machine.layout.space
    return space.page(ofCPU: image, index: space.index(ofPage: id)).id
  }

  private func image(ofCallback key: UInt64, under permutation: Int) -> UInt64 {
    if key == 0 || permutation == 0 { return key }
    guard let image = callbackKeys[permutation][key] else {
      fatalError("[internal] a callback that no CPU is known to have queued")
    }
    return image
  }

  private func image(ofCallbacks bits: UInt64, under permutation: Int) -> UInt64 {
    var left = CPUSet(bits: bits)
    var image: UInt64 = 0
    while let number = left.popLowest() {
      image |= 1 << UInt64(self.image(ofCallbackNumber: number, under: permutation))
    }
    return image
  }

  /// The image of the number of a callback among those of all CPUs.
  func image(ofCallbackNumber number: Int, under permutation: Int) -> Int {
    let perCPU = machine.layout.callbacksPerCPU
    return permutations.image(of: number / perCPU, under: permutation) * perCPU + number % perCPU
  }

  /// Bits that represent no CPU are unchanged.
  private func image(ofCPUs bits: UInt64, under permutation: Int) -> UInt64 {
    var left = CPUSet(bits: bits).intersection(.first(machine.layout.cpuCount))
    var image = CPUSet(bits: bits).subtracting(left)
    while let cpu = left.popLowest() {
      image.insert(permutations.image(of: cpu, under: permutation))
    }
    return image.bits
  }

  /// The image of an action, which the code of the image CPU must ask for.
  func image(of action: Action, under permutation: Int) -> Action {
    var image = action
    image.cell = self.image(ofCell: action.cell, under: permutation)
    image.lifetime = self.image(ofCell: action.lifetime, under: permutation)
    switch action.kind {
    case .access(.store), .access(.exchange):
      image.stored = self.image(ofModelValue: action.stored, under: permutation)
    case .access(.compareExchange):
      image.expected = self.image(ofModelValue: action.expected, under: permutation)
      image.desired = self.image(ofModelValue: action.desired, under: permutation)
    case .access(.wait):
      if Self.seesWholeAddresses(action.mask) {
        image.awaited = self.image(ofModelValue: action.awaited, under: permutation)
      }
    case .grace(.graceEnd), .grace(.interruptTaken):
      image.awaitedCPUs = self.image(ofCPUs: action.awaitedCPUs, under: permutation)
    // The rest has plain numbers as operands; callback keys are handled when callbacks are found.
    case .access(.load), .access(.fetchAdd), .access(.incrementUnlessZero), .access(.update),
      .access(.drain):
      break
    case .grace(.sectionEnter), .grace(.sectionLeave), .grace(.graceStart), .grace(.maskInterrupts),
      .grace(.unmaskInterrupts), .grace(.interruptSend):
      break
    case .finished, .cutOff, .threw, .fence, .lock, .callback, .page, .slab, .context, .choose,
      .history:
      break
    // With hardware, no CPUs are exchanged.
    case .hardware, .handOver, .claim: break
    }
    return image
  }

  static func seesWholeAddresses(_ mask: UInt64) -> Bool {
    let bits = Descriptor.addressMask | Descriptor.tableBit | Descriptor.validBit
    return mask & bits == bits
  }

  /// The image of an action's result.
  func image(
    ofResult result: UInt64, of action: Action, by cpu: Int, under permutation: Int
  ) -> UInt64 {
    switch action.kind {
    case .access(.load), .access(.wait), .access(.compareExchange), .access(.exchange),
      .access(.fetchAdd), .access(.update):
      return image(ofModelValue: result, under: permutation)
    case .page(.allocate):
      return UInt64(image(ofPage: Int(result), of: cpu, under: permutation))
    case .grace(.graceStart), .grace(.interruptSend):
      return image(ofCPUs: result, under: permutation)
    case .callback(.callbackStart): return image(ofCallback: result, under: permutation)
    case .history(.invoke):
      guard let completed = histories[HistoryKey(cpu: cpu, seen: result)] else {
        fatalError(
          "[internal] what a CPU saw at the start of an operation was not recorded")
      }
      let back = permutations.inverse(of: permutation)
      return machine.historySeen(by: permutations.image(of: cpu, under: permutation)) {
        completed[permutations.image(of: $0, under: back)]
      }
    case .access(.store), .access(.incrementUnlessZero), .access(.drain), .page(.free),
      .page(.publish), .callback(.call), .callback(.callbackEnd), .callback(.barrierStart),
      .callback(.barrierEnd),
      .history(.respond):
      return result
    case .grace(.sectionEnter), .grace(.sectionLeave), .grace(.graceEnd), .grace(.maskInterrupts),
      .grace(.unmaskInterrupts), .grace(.interruptTaken):
      return result
    case .finished, .cutOff, .threw, .fence, .lock, .slab, .context, .choose, .hardware, .handOver,
      .claim:
      return result
    }
  }

  /// True if exchanging CPUs may change a value.
  func namesCPU(_ value: UInt64, _ content: Content) -> Bool {
    switch content {
    case .number: false
    case .modelValue: machine.linkedPage(by: value) != nil
    case .holder, .cpuSet, .callbackKey, .pendingEntry, .cell, .callbackSet, .order: value != 0
    }
  }

  // MARK: What is learnt on the way

  /// Records that a callback key is the image of another; false if the image is already a different
  /// one.
  func noteCallback(_ key: UInt64, inPlaceOf other: UInt64, under permutation: Int) -> Bool {
    let known = callbackKeys[permutation].updateValue(key, forKey: other)
    return known == nil || known == key
  }

  /// Records the progress of others that a CPU observes, as a hash, when it begins an operation.
  func noteHistory(_ seen: UInt64, by cpu: Int) {
    let key = HistoryKey(cpu: cpu, seen: seen)
    guard histories[key] == nil else { return }
    histories[key] = (0..<machine.layout.cpuCount).map {
      machine.memory[machine.layout.history($0)]
    }
  }
}
