// Page tables: each access to a page that has an entry is translated first, in a step of its own.

import GracewalkMachine

/// A fault of a process, which is its last one.
struct PageFault: Equatable {
  var instruction: Int
  var page: Int
}

extension WeakMachine {
  /// The ways to translate what an instruction accesses; nil if there is nothing to translate.
  func translationChoices(
    _ instruction: Instruction, by process: Int, in state: WeakState
  ) -> [WeakChoice]? {
    guard hasEntries, state.processes[process].translation == nil,
      let access = access(instruction, by: process, faults: false, in: state)
    else { return nil }
    let stores = state.order.words[access.entry]
    return stores.indices.reversed().filter { place in
      let faults = Self.faults(stores[place].value)
      let views = state.order.cpus[process]
      // Stores before a `DMB ST` come before a fault; with FEAT_ETS2 all comes before its walk.
      let waits = hasETS2 ? views.hasPendingStore : views.buffer.contains { $0.kind == .barrier }
      if faults, waits { return false }
      let access = self.access(instruction, by: process, faults: faults, in: state) ?? access
      return state.order.translation(of: access, by: process, place, faults: faults) != nil
    }.map { .translate($0) }
  }

  private static func faults(_ entry: UInt64) -> Bool { PageEntry(bits: entry)?.isValid != true }

  /// The access of an instruction, if its page has an entry.
  private func access(
    _ instruction: Instruction, by process: Int, faults: Bool, in state: WeakState
  ) -> TranslatedAccess? {
    guard let address = instruction.addressOperand else { return nil }
    let known = state.processes[process]
    guard let page = LitmusTest.word(at: known.value(of: address), of: test.words.count),
      let entry = test.words[page].entry
    else { return nil }
    let views = state.order.cpus[process]
    var walkView = max(state.order.walks[process].floor, known.view(of: address))
    if faults, hasETS2 { walkView = max(walkView, views.everything) }
    var view = max(known.view(of: address), views.newReads)
    var stores = false
    switch instruction {
    case .load(_, _, let order, _): if order.acquiresInOrder { view = max(view, views.releases) }
    default:
      stores = true
      // A store waits for the loads before it; one that faults does not.
      if !faults { view = max(view, views.everything) }
    }
    if faults { view = max(view, state.order.walks[process].stored) }
    return TranslatedAccess(
      entry: UInt32(entry), walkView: walkView, view: view, stores: stores)
  }

  /// Translates an access, or faults.
  func translate(
    _ place: Int, _ instruction: Instruction, by process: Int, in state: inout WeakState
  ) {
    guard let address = instruction.addressOperand else { return }
    let known = state.processes[process]
    guard let page = LitmusTest.word(at: known.value(of: address), of: test.words.count),
      let word = test.words[page].entry
    else { return }
    let value = state.order.words[UInt32(word)][place].value
    let faults = Self.faults(value)
    guard let access = access(instruction, by: process, faults: faults, in: state),
      let found = state.order.translation(of: access, by: process, place, faults: faults)
    else { return }
    let views = state.order.cpus[process]
    state.order.cpus[process].control = max(views.control, known.pick(of: address), found.view)
    guard !faults, let entry = PageEntry(bits: value) else {
      return fault(at: page, by: process, in: &state)
    }
    state.order.walks[process].found = max(state.order.walks[process].found, found.view)
    state.processes[process].translation = PageTranslation(word: entry.page, by: found)
  }

  /// Goes on in the fault handler, or not at all.
  private func fault(at page: Int, by process: Int, in state: inout WeakState) {
    let code = test.processes[process]
    let counter = state.processes[process].counter
    state.processes[process].fault = PageFault(instruction: counter, page: page)
    guard let handler = code.handler else {
      state.processes[process].counter = code.instructions.count
      return
    }
    guard counter < handler else {
      return stop(process, "faults in its fault handler", in: &state)
    }
    // An exception is a context synchronisation event.
    state.order.orderInstructions(of: process)
    state.processes[process].counter = handler
  }

  /// True if an instruction, or any, has faulted on a page; what an instruction comes to is all of
  /// one line.
  func hasFaulted(
    _ process: Int, at instruction: Int?, _ page: Int, in state: WeakState
  ) -> Bool {
    guard let fault = state.processes[process].fault, fault.page == page else { return false }
    let lines = test.processes[process].lines
    guard let instruction else { return true }
    return instruction < lines.count && lines[fault.instruction] == lines[instruction]
  }

  // MARK: Accesses

  /// The number of the word that is accessed; nil where there is none.
  func place(of address: Operand, by process: Int, in state: WeakState) -> Int? {
    let known = state.processes[process]
    return known.translation?.word
      ?? LitmusTest.word(at: known.value(of: address), of: test.words.count)
  }

  /// What an access depends on by its address.
  func view(of address: Operand, by process: Int, in state: WeakState) -> View {
    let known = state.processes[process]
    return max(known.view(of: address), known.translation?.found.view ?? 0)
  }

  // MARK: Invalidations

  /// Issues an invalidation, which the next `DSB` completes.
  func invalidate(
    _ operand: Operand?, isLocal: Bool, by process: Int, in state: inout WeakState
  ) {
    let known = state.processes[process]
    var word: UInt32?
    var view = max(
      state.order.cpus[process].synchronised, state.order.walks[process].branches)
    if let operand {
      let address = known.value(of: operand) << 12
      guard let page = LitmusTest.word(at: address, of: test.words.count),
        let entry = test.words[page].entry
      else { return }
      word = UInt32(entry)
      view = max(view, known.view(of: operand), known.pick(of: operand))
    }
    state.order.walks[process].issued.append(
      Invalidation(cpu: process, word: word, isLocal: isLocal, view: view))
  }

  /// The way to pass a `DSB` that completes invalidations; none while it waits.
  func completionChoices(by process: Int, in state: WeakState) -> [WeakChoice] {
    if state.order.cpus[process].hasPendingStore { return [] }
    for invalidation in state.order.walks[process].issued {
      for other in state.processes.indices {
        var pending = state.order.cpus[other].buffer.compactMap(\.translation)
        if let known = state.processes[other].translation { pending.append(known.found) }
        let waits = pending.contains { state.order.mustWait(invalidation, for: $0, of: other) }
        if waits { return [] }
      }
    }
    return [.complete]
  }

  /// Passes a `DSB`; false while it has to wait, or if it is a step.
  func synchronise(_ fence: Fence, _ process: Int, in state: inout WeakState) -> Bool {
    let views = state.order.cpus[process]
    switch fence {
    case .synchroniseLoads:
      guard hasEntries else {
        state.order.orderLoads(of: process)
        return true
      }
      state.order.synchronise(process, upTo: views.oldReads, hasETS2: hasETS2)
      return true
    default: break
    }
    if views.hasPendingStore { return false }
    guard hasEntries else {
      if fence == .synchroniseStores {
        state.order.cpus[process].see(views.oldWrites)
      } else {
        state.order.orderEverything(of: process)
      }
      return true
    }
    if fence == .synchroniseAll {
      guard state.order.walks[process].issued.isEmpty else { return false }
      passAll(process, in: &state)
    } else {
      state.order.synchronise(process, upTo: views.oldWrites, hasETS2: hasETS2)
    }
    return true
  }

  private func passAll(_ process: Int, in state: inout WeakState) {
    let view = max(state.order.cpus[process].everything, state.order.walks[process].found)
    state.order.synchronise(process, upTo: view, hasETS2: hasETS2)
  }

  func complete(by process: Int, in state: inout WeakState) {
    state.order.completeInvalidations(of: process)
    if state.order.hasMetCap { noteCap() }
    passAll(process, in: &state)
  }
}
