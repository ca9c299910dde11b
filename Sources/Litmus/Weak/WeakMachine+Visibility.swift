// When stores become visible, and which must wait for which.

import GracewalkMachine

extension WeakMachine {
  /// Makes a store visible after all others, and returns its time.
  func append(_ value: UInt64, to word: Int, by process: Int, in state: inout WeakState) -> View {
    state.now += 1
    state.words[word].append(VisibleStore(value: value, time: state.now))
    if state.words[word].count > Self.entriesMax { noteCap() }
    for other in state.processes.indices where other != process {
      if let monitor = state.processes[other].monitor, Int(monitor.word) == word,
        monitor.pending == 0
      {
        state.processes[other].monitor = nil
      }
    }
    return state.now
  }

  /// True if another process's read-modify-write keeps a word to itself.
  func isLocked(_ word: Int, for process: Int, in state: WeakState) -> Bool {
    state.processes.indices.contains { other in
      other != process && state.processes[other].locks(word)
    }
  }

  /// The steps that make a pending store of a process visible.
  func flushes(of process: Int, in state: WeakState) -> [WeakChoice] {
    let buffer = state.processes[process].buffer
    var choices: [WeakChoice] = []
    for index in buffer.indices where canFlush(index, of: process, in: state) {
      if mayCloseCycle(index, in: buffer) {
        var copy = state
        flush(index, of: process, in: &copy)
        if hasCycle(copy) { continue }
      }
      choices.append(.flush(index))
    }
    return choices
  }

  /// True if the next pending store to the word locks it from then on.
  private func mayCloseCycle(_ index: Int, in buffer: [PendingEntry]) -> Bool {
    let word = buffer[index].number
    let next = buffer[(index + 1)...].first { $0.kind == .store && $0.number == word }
    return next?.isLocking ?? false
  }

  func canFlush(_ index: Int, of process: Int, in state: WeakState) -> Bool {
    let buffer = state.processes[process].buffer
    let entry = buffer[index]
    guard entry.kind == .store else { return false }
    for earlier in buffer[..<index] where earlier.kind != .sectionEnd {
      if model != .armv8 || earlier.kind == .barrier { return false }
      if earlier.number == entry.number || entry.isRelease { return false }
    }
    return !isLocked(Int(entry.number), for: process, in: state)
  }

  func flush(_ index: Int, of process: Int, in state: inout WeakState) {
    let entry = state.processes[process].buffer[index]
    let word = Int(entry.number)
    let time = append(entry.value, to: word, by: process, in: &state)
    noteVisible(entry, at: time, by: process, in: &state)
    if let monitor = state.processes[process].monitor, Int(monitor.word) == word,
      monitor.pending > 0
    {
      state.processes[process].monitor?.pending -= 1
    }
    for end in state.processes[process].buffer[(index + 1)...] where end.kind == .sectionEnd {
      let domain = Int(end.number)
      let view = max(state.processes[process].sectionEnds[domain], time)
      state.processes[process].sectionEnds[domain] = view
      raiseGracePeriods(end.waiters, to: time, in: &state)
    }
    state.processes[process].buffer.remove(at: index)
  }

  func noteVisible(
    _ entry: PendingEntry, at time: View, by process: Int, in state: inout WeakState
  ) {
    let word = Int(entry.number)
    state.processes[process].coherence[word] = time
    state.processes[process].oldWrites = max(state.processes[process].oldWrites, time)
    if entry.isRelease {
      state.processes[process].releases = max(state.processes[process].releases, time)
    }
    state.processes[process].own[word] = OwnStore(
      time: time, view: entry.view, readView: entry.readView, pick: max(entry.view, entry.pick))
  }

  // MARK: Cycles

  /// True if pending stores must become visible before each other in a circle.
  ///
  /// Only read-modify-writes with release can bring that about, by keeping words to themselves
  /// while they wait for stores before them. Such an execution has no end.
  func hasCycle(_ state: WeakState) -> Bool {
    var nodes: [(process: Int, index: Int)] = []
    for (process, known) in state.processes.enumerated() {
      for index in known.buffer.indices where known.buffer[index].kind == .store {
        nodes.append((process, index))
      }
    }
    // Remove stores that none of the others must precede, until there is no such store left.
    var left = Array(nodes.indices)
    while true {
      let kept = left.filter { node in
        left.contains { mustPrecede(nodes[$0], nodes[node], in: state) }
      }
      if kept.isEmpty { return false }
      if kept.count == left.count { return true }
      left = kept
    }
  }

  private func mustPrecede(
    _ a: (process: Int, index: Int), _ b: (process: Int, index: Int), in state: WeakState
  ) -> Bool {
    let buffer = state.processes[a.process].buffer
    let first = buffer[a.index]
    let second = state.processes[b.process].buffer[b.index]
    if a.process == b.process {
      guard a.index < b.index else { return false }
      return first.number == second.number || second.isRelease
        || buffer[a.index..<b.index].contains { $0.kind == .barrier }
    }
    return first.number == second.number && first.isLocking
      && !buffer[..<a.index].contains { $0.kind == .store && $0.number == first.number }
  }
}
