// Contexts: uses after release, and pages that outlive the release.

import GracewalkExploration
import GracewalkSupport

extension Action {
  /// The address by which code refers to a context.
  var contextAddress: UInt64 {
    get { a }
    set { a = newValue }
  }
  /// Whether the pages belong to the released context.
  var ownsPages: Bool {
    get { flag }
    set { flag = newValue }
  }
}

extension Machine {
  /// The word of the context with an address, or 0.
  func contextCell(at address: UInt64) -> UInt32 {
    guard let number = AddressSpace.context(at: address), number < scenario.contexts.count else {
      return 0
    }
    return scenario.contexts[number].state.cell
  }

  func performContext(
    _ context: Action.ContextStep, _ action: Action, by cpu: Int
  ) -> UInt64 {
    if action.cell == 0 {
      report(.usedNoContext, cpu, value: action.contextAddress)
    } else if memory[action.cell] != 0 {
      report(.usedAfterRelease, cpu, cell: action.cell)
    }
    guard context == .release else { return 0 }
    memory[action.cell] = 1
    if action.ownsPages {
      for page in pagesInUse { report(.outlivesContext, cpu, page: page.base, cell: action.cell) }
    }
    return 0
  }

  /// Adds the footprint of an action on a context.
  ///
  /// Releasing a context that owns pages reads which pages are allocated. Each owner's count of
  /// pages stands for its pages: allocating and freeing one writes it (`addPagesOfOwner`). A slab's
  /// word of free pages stands for its pages.
  func addContext(
    _ context: Action.ContextStep, _ action: Action, to footprint: Footprint
  ) {
    if context == .use {
      if action.cell != 0 { footprint.read(action.cell) }
      return
    }
    footprint.write(action.cell)
    guard action.ownsPages else { return }
    for owner in 0...layout.bootOwner { footprint.read(layout.pagesAllocated(owner: owner)) }
    for slab in scenario.slabs where slab.kind == .tables {
      footprint.read(slab.slab.freePages.cell)
    }
  }

  /// If pages belong to a context, allocating or freeing one affects the judgement of its release.
  func addPagesOfOwner(_ owner: Int?, to footprint: Footprint) {
    guard scenario.tracksPages else { return }
    footprint.write(layout.pagesAllocated(owner: owner ?? layout.bootOwner))
  }

  func addOwner(ofPageAt cell: UInt32, to footprint: Footprint) {
    guard scenario.tracksPages, let id = layout.pageID(at: cell) else { return }
    addPagesOfOwner(layout.owner(ofPage: id), to: footprint)
  }

  /// Allocated table pages, including roots and those from slabs.
  private var pagesInUse: [TablePage] {
    var found: [TablePage] = []
    eachAllocatedPage { page in
      if memory[page.base] & 1 == 1, !isObject(page), !isFreeInSlab(page) { found.append(page) }
    }
    return found
  }

  /// The name of the context with an address.
  func contextText(at address: UInt64) -> String {
    let cell = contextCell(at: address)
    return cell == 0 ? "0x" + String(address, radix: 16) : name(ofCell: cell)
  }
}
