// A CPU's sections and waits, in words that all views share.

import GracewalkMachine

enum CPUState {
  static func texts(of cpu: Int, in picture: MachinePicture, names: [String]) -> [String] {
    let state = picture.cpus[cpu]
    var texts: [String] = []
    if state.isInSection { texts.append("in a read-side section") }
    if state.hasInterruptsMasked { texts.append("interrupts masked") }
    if let wait = state.wait {
      let awaited = list(state.awaits.map { names[$0] })
      texts.append("waits: \(wait.rawValue)" + (awaited.isEmpty ? ", over" : ", for \(awaited)"))
    } else if let place = state.blockedAt, state.role == .program {
      texts.append("cannot continue: \(place)")
    }
    for callback in state.callbacks {
      let awaited = list(callback.awaits.map { names[$0] })
      let rest =
        callback.isRunning
        ? "runs" : awaited.isEmpty ? "may run" : "waits for the section of \(awaited) to end"
      texts.append("callback \(callback.number) \(rest)")
    }
    return texts
  }
}

extension MachinePicture {
  /// The CPUs whose sections, interrupts or callbacks a CPU waits for, or whose sections its next
  /// callback waits for; nil if it is not waiting in this way.
  func awaited(by cpu: Int) -> [Int]? {
    if cpus[cpu].wait != nil { return cpus[cpu].awaits }
    guard cpus[cpu].role == .callbacks, let owner = cpus[cpu].owner else { return nil }
    return cpus[owner].callbacks.first { !$0.isRunning }?.awaits
  }

  /// How the table now differs from a cached entry; nil if it does not.
  func staleness(of entry: CachedEntry) -> String? {
    guard !entry.isCurrent else { return nil }
    guard let id = entry.page, let page = page(id), page.entries.indices.contains(entry.entry)
    else { return "stale" }
    if page.lifetime == .freed { return "stale: \(page.name) was freed" }
    return "stale: \(page.name)[\(entry.entry)] is \(page.entries[entry.entry].text) now"
  }
}
