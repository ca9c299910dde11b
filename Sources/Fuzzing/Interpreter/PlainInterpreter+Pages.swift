// Pages of plain values: allocated, freed, taken from a slab, and owned by a context.

import GracewalkInvariants

extension PlainInterpreter {
  mutating func performPage(
    _ step: PlainStep, by cpu: Int, in state: inout PlainState
  ) -> UInt64 {
    switch step {
    case .allocate:
      let number = PlainAddress.number(
        ofPage: state.cpus[cpu].pagesAllocated, allocatedBy: cpu)
      state.cpus[cpu].pagesAllocated += 1
      let place = state.pages.firstIndex { $0.number > number } ?? state.pages.count
      state.pages.insert(PlainState.Page(number: number), at: place)
      return UInt64(number)
    case .free(let page): free(page, by: cpu, in: &state)
    case .allocateFromSlab:
      let next = mistake == .slabTakesLast ? state.freePages.last : state.freePages.first
      guard let next else { return 0 }
      state.freePages.removeAll { $0 == next }
      return UInt64(next + 1)
    case .freeToSlab(let page):
      let isFree = state.freePages.contains(page)
      guard !isFree, state.pages[state.index(ofPage: page)].isAllocated else {
        violate(NoDoubleFree.id)
        return 0
      }
      let place = state.freePages.firstIndex { $0 > page } ?? state.freePages.count
      state.freePages.insert(page, at: place)
      noteReaders(of: page, in: &state)
    case .shrink:
      if mistake == .shrinksNothing { return 0 }
      let free = state.freePages
      state.freePages = []
      for page in free { self.free(page, by: cpu, in: &state, leavesSlab: true) }
    case .use: if state.isReleased { violate(TeardownOrder.id) }
    case .release: release(&state)
    default: break
    }
    return 0
  }

  private mutating func free(
    _ number: Int, by cpu: Int, in state: inout PlainState, leavesSlab: Bool = false
  ) {
    let index = state.index(ofPage: number)
    let page = state.pages[index]
    guard page.isAllocated else {
      violate(NoDoubleFree.id)
      return
    }
    state.pages[index].isAllocated = false
    if !page.inSections.without(cpu).isEmpty || !page.masked.without(cpu).isEmpty {
      violate(GracePeriodSafety.id)
    }
    if !leavesSlab, program.isOfSlab(number) { violate(NoDoubleFree.id) }
    if number == 0, !program.hasContext { violate(NoUseAfterFree.id) }
  }

  private mutating func release(_ state: inout PlainState) {
    if state.isReleased { violate(TeardownOrder.id) }
    if mistake != .releasesNothing { state.isReleased = true }
    let isLeft = state.pages.contains { page in
      page.number != 0 && page.isAllocated && !state.freePages.contains(page.number)
    }
    if isLeft, mistake != .pagesOutliveNothing { violate(NoPageOutlivesVM.id) }
  }
}
