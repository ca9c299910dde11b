// Weaker memory: accesses that the memory model does not order.
//
// They are to memory that only one thread can be accessing, or plain ones in programs in which
// races are looked for. For the second: up to the first race an execution of the compiled program
// is one that C11 allows, and there a plain load reads the last write that happens before it, which
// is the newest one that is visible. No other thread can tell when a plain store becomes visible,
// either, except by an access that happens after it.

import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport

extension ProgramMachine {
  func accessDirectly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let writes = request.kind != .load && request.kind != .awaitLoad
    try prepareDirect(request.address, request.size, request, by: cpu, writes: writes, weak)
    let effect = try access(request, by: cpu)
    guard weak.isArm, let start = shadow(of: request.address) else { return effect }
    let known = dependencies(of: cpu)
    // What it reads has the view of what was stored there.
    let view = max(
      viewOfShadows(start, request.size, cpu, weak), self.view(of: known.address, cpu, weak))
    if known.result < Dependencies.tokensMax {
      weak.order.cpus[cpu].sources[UInt32(known.result)] =
        request.kind == .store || view <= weak.order.cpus[cpu].newReads ? 0 : view
    }
    if writes, request.kind != .compareExchange || effect.result == request.a {
      let given = self.view(of: known.address | known.value, cpu, weak)
      setShadow(start, request.size, request.kind == .update ? max(given, view) : given, cpu, weak)
    }
    return effect
  }

  /// Refuses what the model cannot order, and forgets older values of what is written.
  func prepareDirect(
    _ address: UInt64, _ size: Int, _ request: Request, by cpu: Int, writes: Bool,
    _ weak: WeakMemory
  ) throws(Finding) {
    guard size > 0, let (record, offset) = try? locate(address, size, writes: false),
      !layout.records[record].isConstant, !layout.records[record].isHardware,
      offset + size <= layout.records[record].capacity
    else { return }
    let isAtomic = request.isAtomic || request.kind == .update || request.kind == .compareExchange
    var isRefused = false
    layout.eachCell(record, offset, size) { cell in
      guard layout.isShared(cell) else { return }
      let isPending = weak.order.cpus[cpu].newestPending(UInt32(cell)) != nil
      if isPending || isAtomic || !options.findsRaces { isRefused = true }
      if writes { weak.order.words.replace(UInt32(cell), with: []) }
    }
    // What is not known yet is learned first, and then the search begins again.
    guard isRefused, !layout.hasGrown else { return }
    throw Finding(
      .unsupported,
      "not supported under \(weak.model.text): an access of \(size) bytes to "
        + "\(name(of: address)), of which threads access other parts")
  }

  // MARK: What memory of a thread's own depends on

  // Registers carry views, and so must memory that a thread uses like registers. A view is kept for
  // the bytes that a store began with; if they are read in other parts, the dependency is lost,
  // which allows more.

  private static let shadowBit: UInt32 = 1 << 31

  private func shadow(of address: UInt64) -> Int? {
    guard let region = Region.number(of: address) else { return nil }
    let record = layout.record(ofRegion: region)
    guard record >= 0 else { return nil }
    return base(of: record) * 8 + 8 + Region.offset(of: address)
  }

  private func viewOfShadows(_ start: Int, _ size: Int, _ cpu: Int, _ weak: WeakMemory) -> View {
    var view: View = 0
    for entry in weak.order.cpus[cpu].sources.entries where entry.word >= Self.shadowBit {
      let byte = Int(entry.word & ~Self.shadowBit)
      if byte >= start, byte < start + size { view = max(view, entry.value) }
    }
    return view
  }

  private func setShadow(
    _ start: Int, _ size: Int, _ view: View, _ cpu: Int, _ weak: WeakMemory
  ) {
    forgetShadows(start, size, cpu, weak)
    guard view > weak.order.cpus[cpu].newReads else { return }
    weak.order.cpus[cpu].sources[Self.shadowBit | UInt32(truncatingIfNeeded: start)] = view
  }

  private func forgetShadows(_ start: Int, _ size: Int, _ cpu: Int, _ weak: WeakMemory) {
    guard weak.order.cpus[cpu].sources.entries.last.map({ $0.word >= Self.shadowBit }) ?? false
    else { return }
    weak.order.cpus[cpu].sources.mapValues { word, view in
      let byte = Int(word & ~Self.shadowBit)
      return word >= Self.shadowBit && byte >= start && byte < start + size ? 0 : view
    }
  }

  /// Bytes are copied with what they depend on.
  private func copyShadows(
    from source: Int, to target: Int, _ size: Int, _ cpu: Int, _ weak: WeakMemory
  ) {
    let copied = weak.order.cpus[cpu].sources.entries.filter { entry in
      let byte = Int(entry.word & ~Self.shadowBit)
      return entry.word >= Self.shadowBit && byte >= source && byte < source + size
    }
    forgetShadows(target, size, cpu, weak)
    for entry in copied {
      let byte = Int(entry.word & ~Self.shadowBit) - source + target
      weak.order.cpus[cpu].sources[Self.shadowBit | UInt32(truncatingIfNeeded: byte)] = entry.value
    }
  }

  // MARK: Copies, and the ends of objects

  func copyWeakly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    let size = request.size
    if request.kind == .copyMemory {
      try prepareDirect(request.a, size, Request(.load), by: cpu, writes: false, weak)
    }
    try prepareDirect(request.address, size, Request(.store), by: cpu, writes: true, weak)
    let effect = try perform(request, by: cpu, choice: 0)
    guard weak.isArm, size > 0, let to = shadow(of: request.address) else { return effect }
    if request.kind == .copyMemory, let from = shadow(of: request.a) {
      copyShadows(from: from, to: to, size, cpu, weak)
    } else {
      forgetShadows(to, size, cpu, weak)
    }
    return effect
  }

  /// Frees an object, or ends objects on the stack.
  func endWeakly(
    _ request: Request, by cpu: Int, _ weak: WeakMemory
  ) throws(Finding) -> Effect {
    try eachEndedRecord(request, cpu) { record throws(Finding) in
      try forgetStores(to: record, by: cpu, weak)
    }
    return try perform(request, by: cpu, choice: 0)
  }

  /// What is pending of the thread's own is of no use to anybody; what others have is too late.
  private func forgetStores(to record: Int, by cpu: Int, _ weak: WeakMemory) throws(Finding) {
    let isThere = { (entry: PendingEntry) in
      self.layout.cells[Int(entry.number)].record == record
        && (entry.kind == .store || entry.kind == .effect)
    }
    for other in weak.order.cpus.indices {
      guard let entry = weak.order.cpus[other].buffer.first(where: isThere) else { continue }
      guard other == cpu else {
        let name = name(of: address(of: layout.cells[Int(entry.number)]))
        throw Finding(
          layout.records[record].kind == .stack ? .useAfterReturn : .useAfterFree,
          "a store of thread \(other) to \(name) is not visible yet when the object ends"
        )
      }
      weak.order.cpus[cpu].buffer.removeAll(where: isThere)
    }
    passLeading(of: cpu, weak)
    weak.order.words.removeAll { layout.cells[Int($0)].record == record }
    let start = base(of: record) * 8 + 8
    forgetShadows(start, layout.records[record].capacity, cpu, weak)
  }
}
