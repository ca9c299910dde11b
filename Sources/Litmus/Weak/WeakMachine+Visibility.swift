// When stores become visible.

import GracewalkMachine

extension WeakMachine {
  /// Makes a store visible after all others, and returns its time.
  func append(_ value: UInt64, to word: Int, by process: Int, in state: inout WeakState) -> View {
    let time = state.order.append(value, to: UInt32(word), over: 0)
    noteStore(to: word, by: process, in: &state)
    return time
  }

  /// Takes the word from the monitors of other processes.
  func noteStore(to word: Int, by process: Int, in state: inout WeakState) {
    if state.order.hasMetCap { noteCap() }
    for other in state.processes.indices where other != process {
      if let monitor = state.processes[other].monitor, Int(monitor.word) == word,
        monitor.pending == 0
      {
        state.processes[other].monitor = nil
      }
    }
  }

  /// The steps that make a pending store of a process visible.
  func flushes(of process: Int, in state: WeakState) -> [WeakChoice] {
    state.order.flushable(of: process, inOrder: model != .armv8).map { .flush($0) }
  }

  func flush(_ index: Int, of process: Int, in state: inout WeakState) {
    let entry = state.order.flush(index, of: process, over: 0)
    let word = Int(entry.number)
    noteStore(to: word, by: process, in: &state)
    if let monitor = state.processes[process].monitor, Int(monitor.word) == word,
      monitor.pending > 0
    {
      state.processes[process].monitor?.pending -= 1
    }
  }
}
