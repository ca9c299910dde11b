// Names and text for the machine's objects and actions.

import GracewalkSupport

extension Machine {
  public func name(ofCPU cpu: Int) -> String {
    cpu < cpus.count ? cpus[cpu].name : "boot"
  }

  /// The names of all CPUs, those that run callbacks last.
  public var cpuNames: [String] { cpus.map(\.name) }

  /// The name of an operation of a CPU.
  public func name(ofOperation operation: Int, cpu: Int) -> String {
    switch cpus[cpu].role {
    case .program(let program):
      operation < program.operations.count ? program.operations[operation].name : "end"
    case .callbacks: "callback \(operation)"
    case .walker: "speculation \(operation)"
    case .drainer: "visibility"
    case .boot: "boot"
    }
  }

  /// A page is named after the CPU that allocated it, so the name is the same in every
  /// interleaving.
  public func name(ofPage id: Int) -> String {
    let index = layout.space.index(ofPage: id)
    guard let owner = layout.owner(ofPage: id) else {
      if let slab = slabNumber(ofPage: id) {
        return "\(scenario.slabs[slab].name).\(id - scenario.slabs[slab].slab.firstID)"
      }
      return index < scenario.rootNames.count ? scenario.rootNames[index] : "boot.\(index)"
    }
    return "\(name(ofCPU: owner)).\(index)"
  }

  /// The origin of a page, as an apposition: "allocated by walker in map 0x2".
  public func origin(of page: TablePage) -> String {
    guard let allocation = allocation(of: page) else { return "there from the start" }
    let operation = name(ofOperation: allocation.operation, cpu: allocation.cpu)
    return "allocated by \(name(ofCPU: allocation.cpu)) in \(operation)"
  }

  public func name(ofCell cell: UInt32) -> String {
    if let entry = layout.entry(at: cell) {
      return "\(name(ofPage: entry.page))[\(entry.index)]"
    }
    if let page = layout.pageID(at: cell) {
      switch layout.offsetInPage(cell) {
      case Layout.referencesOffset: return "\(name(ofPage: page)).references"
      case Layout.privateOffset: return "\(name(ofPage: page)).private"
      case Layout.lockOffset: return "\(name(ofPage: page)).lock"
      default: return name(ofPage: page)
      }
    }
    if let index = scenario.wordCells.firstIndex(of: cell) { return scenario.words[index].name }
    return "cell \(cell)"
  }

  /// The object of an action, for pictures: a table page, or other memory.
  func object(of action: Action) -> String? {
    guard action.cell != 0 else { return nil }
    return layout.pageID(at: action.cell).map { name(ofPage: $0) } ?? RecordedStep.memory
  }

  /// The text of a value, according to the type of its word.
  func text(ofValue value: UInt64, in cell: UInt32) -> String {
    if layout.entry(at: cell) != nil || linkedPage(by: value) != nil {
      return text(of: Descriptor(bits: value), at: level(ofCell: cell))
    }
    if let place = name(ofAddress: value) { return "address of \(place)" }
    let number = Int64(bitPattern: value)
    // Larger numbers are not counts, but addresses that lead nowhere, or bits.
    return number.magnitude < 4_096 ? String(number) : "0x" + String(value, radix: 16)
  }

  /// The object at an address: a context, a page or one of its entries, with the small number that
  /// code keeps in the low bits.
  private func name(ofAddress value: UInt64) -> String? {
    func tagged(_ name: String, _ tag: UInt64) -> String { tag == 0 ? name : "\(name) | \(tag)" }
    let tag = value & AddressSpace.contextTagMask
    let context = contextCell(at: value & ~tag)
    if context != 0 { return tagged(name(ofCell: context), tag) }
    guard let entry = layout.space.entry(atAddress: value & ~3),
      memory[layout.page(entry.page).base] != 0
    else { return nil }
    let name = name(ofPage: entry.page)
    return tagged(entry.index == 0 ? name : "\(name)[\(entry.index)]", value & 3)
  }

  /// An entry in words, without a level.
  public func text(of descriptor: Descriptor) -> String { text(of: descriptor, at: nil) }

  func text(of action: Action) -> String {
    let place = action.cell == 0 ? "" : name(ofCell: action.cell)
    switch action.kind {
    case .finished: return "end"
    case .cutOff: return "cut off"
    case .access(let access): return accessText(access, action, place)
    case .fence: return "fence"
    case .lock(let lock): return "\(text(of: lock)) \(place)"
    case .grace(let grace): return text(of: grace)
    case .callback(let callback): return text(of: callback)
    case .page(.allocate): return "allocate table page"
    case .page(.free): return "free \(place)"
    case .page(.publish): return "publish \(place)"
    case .slab(let slab): return slabText(slab, action)
    case .context(.use): return "use \(contextText(at: action.contextAddress))"
    case .context(.release): return "release \(place)"
    case .choose: return "choose among \(action.choices)"
    case .history(.invoke): return "begin"
    case .history(.respond): return "end"
    case .hardware(let hardware): return hardwareText(hardware, action)
    case .handOver: return handOverText(action)
    case .claim: return claimText(action)
    case .threw: return "throw \(thrownError(action.errorNumber).text)"
    }
  }

  private func accessText(
    _ access: Action.Access, _ action: Action, _ place: String
  ) -> String {
    let value = { (value: UInt64) in self.text(ofValue: value, in: action.cell) }
    switch access {
    case .load:
      let kind = action.isPlain ? "plain load" : action.isDereference ? "rcu dereference" : "load"
      return "\(kind) \(place)"
    case .store: return "store \(place) ← \(value(action.stored))"
    case .compareExchange:
      return "cmpxchg \(place) \(value(action.expected)) → \(value(action.desired))"
    case .exchange: return "xchg \(place) ← \(value(action.stored))"
    case .fetchAdd:
      let amount = Int64(bitPattern: action.addend)
      return "add \(place) \(amount >= 0 ? "+" : "−")\(amount.magnitude)"
    case .incrementUnlessZero: return "inc unless zero \(place)"
    case .update(let update): return text(of: update, action, place)
    case .wait: return waitText(action, place)
    case .drain: return "make the oldest store visible"
    }
  }

  private func text(
    of update: Action.Update, _ action: Action, _ place: String
  ) -> String {
    let operand = text(ofValue: action.operand, in: action.cell)
    switch update {
    case .and: return "\(place) and \(operand)"
    case .or: return "\(place) or \(operand)"
    case .xor: return "\(place) xor \(operand)"
    case .addUnless:
      return "add \(operand) to \(place) unless \(text(ofValue: action.exempt, in: action.cell))"
    }
  }

  private func text(of lock: Action.Locking) -> String {
    switch lock {
    case .spinLock: "lock"
    case .spinUnlock: "unlock"
    case .readLock: "read lock"
    case .readUnlock: "read unlock"
    case .writeLock: "write lock"
    case .writeUnlock: "write unlock"
    case .trySpinLock: "try lock"
    case .tryReadLock: "try read lock"
    case .tryWriteLock: "try write lock"
    case .downgrade: "downgrade"
    }
  }

  private func text(of grace: Action.Grace) -> String {
    switch grace {
    case .sectionEnter: "rcu read lock"
    case .sectionLeave: "rcu read unlock"
    case .graceStart: "synchronize: begin"
    case .graceEnd: "synchronize: grace period over"
    case .maskInterrupts: "mask interrupts"
    case .unmaskInterrupts: "unmask interrupts"
    case .interruptSend: "ipi: send"
    case .interruptTaken: "ipi: all taken"
    }
  }

  private func text(of callback: Action.Callback) -> String {
    switch callback {
    case .call: "call after grace period"
    case .callbackStart: "callback: grace period over"
    case .callbackEnd: "callback: done"
    case .barrierStart: "rcu barrier: begin"
    case .barrierEnd: "rcu barrier: callbacks done"
    }
  }

  private func waitText(_ action: Action, _ place: String) -> String {
    let relation = action.awaitsDifference ? "≠" : "="
    let mask = action.mask == ~0 ? "" : " & 0x\(String(action.mask, radix: 16))"
    return "wait \(place)\(mask) \(relation) \(text(ofValue: action.awaited, in: action.cell))"
  }

  /// The result of an action, unless it is obvious.
  func outcomeText(of action: Action, observing result: UInt64) -> String {
    switch action.kind {
    case .access(let access): accessOutcome(of: access, action, observing: result)
    case .page(.allocate): name(ofPage: Int(result))
    case .slab(.allocate): result == 0 ? "none is free" : name(ofPage: Int(result) - 1)
    case .choose: "\(result)"
    case .hardware(let hardware): hardwareOutcome(of: hardware, action, observing: result)
    case .page(.free), .page(.publish), .slab(.free), .slab(.shrink): ""
    case .lock(.trySpinLock), .lock(.tryReadLock), .lock(.tryWriteLock):
      result == 0 ? "not taken" : "taken"
    case .finished, .cutOff, .fence, .lock, .grace, .callback, .context, .history, .handOver,
      .claim, .threw:
      ""
    }
  }

  private func accessOutcome(
    of access: Action.Access, _ action: Action, observing result: UInt64
  ) -> String {
    switch access {
    case .load, .wait, .exchange, .update: "is \(text(ofValue: result, in: action.cell))"
    case .compareExchange:
      result == action.expected ? "won" : "lost: is \(text(ofValue: result, in: action.cell))"
    case .fetchAdd: "now \(Int64(bitPattern: result &+ action.addend))"
    case .incrementUnlessZero: result == 0 ? "is zero" : "taken"
    case .store, .drain: ""
    }
  }

  /// A failure in words, with advice.
  public func text(of failure: MachineFailure) -> String {
    switch failure {
    case .spin(let cpu, let location):
      "\(name(ofCPU: cpu)) spins on \(location): it observes the same again and again; use "
        + "wait(until:) instead of a loop"
    case .notDeterministic(let cpu, let expected, let actual):
      "not deterministic: with the same observations \(name(ofCPU: cpu)) did '\(expected)' first "
        + "and '\(actual)' later; model code must not depend on a clock, on random numbers, on "
        + "the order of a Set, or on state outside of the machine"
    case .operationThrew(let cpu, let error): "\(name(ofCPU: cpu)) threw an error: \(error)"
    case .unpublished(let cpu, let page):
      "\(name(ofCPU: cpu)) reached page \(page), which its owner has not made reachable; link it "
        + "into a table or use publish(_:)"
    case .wildPointer(let cpu, let page):
      "\(name(ofCPU: cpu)) follows a wild pointer: it leads to page \(page), which was never "
        + "allocated"
    case .notIdentical(let text):
      "CPUs that are declared identical are not: \(text); declare them one by one, or check with "
        + "--no-symmetry"
    case .badLoop(let cpu, let text): "\(name(ofCPU: cpu)) \(text)"
    case .capacity(let text), .cap(let text), .collision(let text), .misuse(let text): text
    }
  }

  /// What is left out where CPUs may repeat, and a cap was met.
  package var capText: String {
    let (stores, values) =
      memoryModel == .armv8
      ? (StoreOrder.repeatedEntriesMax, StoreOrder.repeatedValuesMax) : (Layout.pendingMax - 1, 1)
    return "nothing is violated as long as a CPU has at most \(stores) stores pending"
      + (values > 1 ? ", and misses at most \(values - 1) stores to a word" : "")
      + "; its loops have more: let it order its stores in each turn"
  }

  /// The present tables: a tree, a line per page; then the pages to which no root leads.
  public func tableText() -> [String] {
    var lines: [String] = []
    var shown: Set<Int> = []
    for root in roots { addLines(for: root, label: "", depth: 0, &lines, &shown) }
    for view in pages where !shown.contains(view.page.id) {
      let label = label(ofUnreachable: view)
      shown.insert(view.page.id)
      lines.append(label + line(for: view))
    }
    return lines + hardwareState.map { "cached by \($0)" }
  }

  private func addLines(
    for page: TablePage, label: String, depth: Int, _ lines: inout [String], _ shown: inout Set<Int>
  ) {
    let view = view(of: page)
    let indent = String(repeating: "   ", count: max(depth - 1, 0)) + (depth > 0 ? "└ " : "")
    guard shown.insert(page.id).inserted else {
      lines.append("\(indent)\(label)\(view.name) (shown above)")
      return
    }
    let freed = view.isAllocated ? "" : "  (freed)"
    lines.append("\(indent)\(label)\(line(for: view))\(freed)")
    for (index, entry) in view.entries.enumerated() {
      guard let id = linkedPage(by: entry.bits) else { continue }
      addLines(for: layout.page(id), label: "[\(index)] ", depth: depth + 1, &lines, &shown)
    }
  }

  private func label(ofUnreachable view: PageView) -> String {
    if !view.isAllocated { return "freed: " }
    if isFreeInSlab(view.page) { return "in slab: " }
    if isObject(view.page) { return "" }
    return wordHolding(view.page).map { "held in \($0): " } ?? "unreachable: "
  }

  /// The name of a word, or of a page's private word, that holds the descriptor or address of a
  /// page.
  func wordHolding(_ page: TablePage) -> String? {
    let isHeld = { (value: UInt64) in
      value == page.address || self.linkedPage(by: value) == page.id
    }
    for (word, cell) in zip(scenario.words, scenario.wordCells) where isHeld(memory[cell]) {
      return word.name
    }
    var holder: String?
    eachAllocatedPage { other in
      let isKept = memory[other.base] & 1 == 1 && isHeld(memory[other.base + Layout.privateOffset])
      if isKept && holder == nil { holder = "\(name(ofPage: other.id)).private" }
    }
    return holder
  }

  private func line(for view: PageView) -> String {
    let level = level(ofCell: view.page[0].cell)
    let entries = view.entries.enumerated().map { "[\($0)] \(text(of: $1, at: level))" }
    return "\(view.name): \(entries.joined(separator: "  "))"
  }
}

/// A number in the form of page numbers and addresses.
func hexadecimal(_ number: Int) -> String {
  (number < 0 ? "-0x" : "0x") + String(number.magnitude, radix: 16)
}

func hexadecimal(_ bits: UInt64) -> String { "0x" + String(bits, radix: 16) }

// MARK: Words for several CPUs

extension Machine {
  /// The names of a set of CPUs, as part of a sentence.
  public func names(ofCPUs bits: UInt64) -> String {
    var set = CPUSet(bits: bits)
    var names: [String] = []
    while let cpu = set.popLowest() { names.append(name(ofCPU: cpu)) }
    return names.joined(separator: " and ")
  }

  /// "has" for one CPU, "have" for several.
  public func has(_ bits: UInt64) -> String { CPUSet(bits: bits).count == 1 ? "has" : "have" }

  /// The data frame that a word belongs to.
  public func frameName(ofCell cell: UInt32) -> String {
    let frame = scenario.dataFrames.first { $0.owner.cell == cell }
    return frame.map { "frame \(hexadecimal($0.number))" } ?? name(ofCell: cell)
  }
}
