// Reading the machine's state, for invariants, reports and pictures.

import GracewalkExploration
import GracewalkSupport

/// A table page as an invariant sees it.
public struct PageView: Equatable, Sendable {
  public var page: TablePage
  public var name: String
  public var isAllocated: Bool
  public var references: Int
  public var entries: [Descriptor]
}

extension Machine {
  /// Every page that was ever allocated, the roots first, then in the order of CPUs.
  public var pages: [PageView] {
    var views: [PageView] = []
    eachAllocatedPage { views.append(view(of: $0, isOneOfAll: true)) }
    return views
  }

  public func view(
    of page: TablePage, file: String = #fileID, line: Int = #line
  ) -> PageView {
    view(
      of: admitted(page, SourceSite(file: file, line: line)) ?? layout.page(0), isOneOfAll: false)
  }

  private func view(of page: TablePage, isOneOfAll: Bool) -> PageView {
    if let inspection {
      inspection.note(page.base, isOneOfAll: isOneOfAll)
      inspection.note(page.base + Layout.referencesOffset, isOneOfAll: isOneOfAll)
      for index in 0..<layout.geometry.entries {
        inspection.note(
          page.base + Layout.pageHeader + UInt32(index), isOneOfAll: isOneOfAll)
      }
    }
    return PageView(
      page: page, name: name(ofPage: page.id), isAllocated: memory[page.base] & 1 == 1,
      references: Int(bitPattern: UInt(memory[page.base + Layout.referencesOffset])),
      entries: (0..<layout.geometry.entries).map { index in
        Descriptor(bits: memory[page.base + Layout.pageHeader + UInt32(index)])
      })
  }

  /// The roots of the scenario.
  public var roots: [TablePage] {
    scenario.rootNames.indices.map { layout.page(owner: layout.bootOwner, index: $0) }
  }

  /// Roots that were freed although no context that could own them was released.
  public var rootsFreedInUse: [TablePage] {
    // Called at the end of every execution, so it allocates nothing in the normal case.
    for context in scenario.contexts where memory[context.state.cell] != 0 { return [] }
    var freed: [TablePage] = []
    for index in scenario.rootNames.indices {
      let page = layout.page(owner: layout.bootOwner, index: index)
      if memory[page.base] & 1 == 0 { freed.append(page) }
    }
    return freed
  }

  /// True if the page was never allocated, so its address is a wild pointer.
  public func wasNeverAllocated(
    _ page: TablePage, file: String = #fileID, line: Int = #line
  ) -> Bool {
    admitted(page, SourceSite(file: file, line: line)).map { memory[$0.base] == 0 } ?? false
  }

  /// An entry of a page; the index must be in range.
  public func entry(
    of page: TablePage, _ index: Int, file: String = #fileID, line: Int = #line
  ) -> Descriptor {
    Descriptor(bits: value(of: page[index], file: file, line: line))
  }

  /// The page with an id, or nil if the id is out of range.
  public func page(_ id: Int) -> TablePage? {
    id >= 0 && id < layout.pageCapacity ? layout.page(id) : nil
  }

  /// The tables reachable from the roots, without duplicates, parents first.
  ///
  /// With an MMU, entries of the last level lead to no table, since hardware treats them as pages.
  public var reachableTables: [PageView] {
    var found: [PageView] = []
    var depths: [Int] = []
    func add(_ page: TablePage, _ depth: Int) {
      if found.contains(where: { $0.page.id == page.id }) { return }
      found.append(view(of: page, isOneOfAll: true))
      depths.append(depth)
    }
    for root in roots {
      let isWalked = translation.units.contains { $0.mmu.root.id == root.id }
      add(root, isWalked ? 0 : Int.min)
    }
    var next = 0
    while next < found.count {
      if depths[next] < layout.geometry.lastLevel {
        for entry in found[next].entries {
          if let id = linkedPage(by: entry.bits) { add(layout.page(id), depths[next] + 1) }
        }
      }
      next += 1
    }
    return found
  }

  /// The CPU and the number of the operation that allocated a page; nil for initial pages.
  public func allocation(
    of page: TablePage, file: String = #fileID, line: Int = #line
  ) -> (cpu: Int, operation: Int)? {
    guard admitted(page, SourceSite(file: file, line: line)) != nil,
      let cpu = layout.owner(ofPage: page.id)
    else { return nil }
    return (cpu, Int(memory[page.base + Layout.allocatedInOffset]) - 1)
  }

  /// CPUs that have not finished, cannot continue, and are not merely waiting for callbacks to run.
  public var stuckCPUs: [Int] {
    guard enabledCPUs().isEmpty else { return [] }
    var stuck: [Int] = []
    var waiting = disabledCPUs()
    while let cpu = waiting.popLowest() {
      if node(of: cpu).pointee.action.kind == .access(.drain) { continue }
      if node(of: cpu).pointee.action.kind == .callback(.callbackStart) {
        let owner = cpus[cpu].callbackOwner
        let queued = memory[layout.callbacksQueued(owner)]
        if memory[layout.callbacksStarted(owner)] == queued { continue }
      }
      stuck.append(cpu)
    }
    return stuck
  }

  /// CPUs that have operations left, except idle callback CPUs.
  public var unfinishedCPUs: [Int] {
    (0..<cpuCount).filter { cpu in
      let kind = node(of: cpu).pointee.action.kind
      return !kind.isEnd && kind != .access(.drain)
        && (kind != .callback(.callbackStart) || enabledCPUs().contains(cpu))
    }
  }

  /// The next action of a CPU, in words.
  public func pendingText(of cpu: Int) -> String { text(of: node(of: cpu).pointee.action) }

  /// The value of a word.
  ///
  /// A word of another scenario, or an entry out of range, ends the check with an error.
  public func value<Value>(
    of word: Word<Value>, file: String = #fileID, line: Int = #line
  ) -> Value {
    let location = Location(word)
    if location.scenario == layout.space.scenario, location.cell != 0 {
      inspection?.note(location.cell)
      return Value(word: memory[location.cell])
    }
    misuse(
      location.scenario == layout.space.scenario
        ? entryText(location) : "a word that is looked at belongs to another scenario",
      file: file, line: line)
    return Value(word: 0)
  }

  /// The error text for an entry out of range.
  func entryText(_ location: Location) -> String {
    let page = layout.pageID(at: location.lifetime).map { name(ofPage: $0) } ?? "a page"
    return
      "\(page)[\(location.index)] is outside of the table page, whose \(layout.geometry.entries) "
      + "entries go from 0 to \(layout.geometry.entries - 1)"
  }

  /// One operation in the history of an execution, as a sequential specification sees it.
  public struct HistoryEntry: Equatable, Sendable {
    public var cpu: Int
    public var call: SpecificationCall
    /// The code of the result; nil if the operation has not returned.
    public var result: UInt64?
    /// The depths at which it began and ended.
    public var began: Int
    public var ended: Int
  }

  /// The operations of the execution so far, in the order of their beginnings.
  public var history: [HistoryEntry] {
    memory.wasReadAround = true
    var entries: [HistoryEntry] = []
    var open: [Int: Int] = [:]
    for depth in 0..<self.depth {
      let step = takenStep(depth)
      let action = localStates[step.node].pointee.action
      guard case .history(let boundary) = action.kind else { continue }
      switch boundary {
      case .invoke:
        let call = SpecificationCall(packed: action.packedCall)
        open[step.cpu] = entries.count
        entries.append(
          HistoryEntry(cpu: step.cpu, call: call, result: nil, began: depth, ended: Int.max))
      case .respond:
        guard let entry = open.removeValue(forKey: step.cpu) else { continue }
        entries[entry].result = action.resultCode
        entries[entry].ended = depth
      }
    }
    return entries
  }

  /// The hash of a CPU's local state, for comparing final states.
  public func localHash(of cpu: Int) -> UInt64 {
    memory.wasReadAround = true
    return node(of: cpu).pointee.localHash
  }
}
