// Dependencies of Armv8, which follow values through registers and a process's own stores.

struct Dependencies {
  /// What orders events behind an `ISB`: results that decide a branch, or an address, before it.
  private struct Context {
    var process: Int
    var step: Int
    var loads: [Int] = []
  }

  private let events: [Events.Event]
  private let contexts: [Context]
  /// Per load, those that its value depends on: itself, and where it reads a store of its own
  /// process, those that the store depends on.
  private var results: [Events.Row]

  init(_ events: Events) {
    self.events = events.all
    results = events.all.map { _ in 0 }
    func load(_ process: Int, _ step: Int) -> Int? {
      events.all.firstIndex { $0.process == process && $0.step == step && !$0.isWrite }
    }
    var contexts: [Context] = []
    for (process, steps) in events.program.processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .fence(.instructions) = step else { continue }
        var context = Context(process: process, step: number)
        for earlier in steps[..<number] {
          switch earlier {
          case .branch(let source): context.loads += [load(process, source)].compactMap { $0 }
          case .access(let access):
            if let source = access.address {
              context.loads += [load(process, source)].compactMap { $0 }
            }
          case .fence: break
          }
        }
        if !context.loads.isEmpty { contexts.append(context) }
      }
    }
    self.contexts = contexts
  }

  /// Adds the order of dependencies to a relation that begins at `first`.
  ///
  /// - Parameter sources: per load, the store it reads.
  /// - Returns: true if the relation has changed.
  mutating func add(to rows: inout [Events.Row], from first: Int, sources: [Int]) -> Bool {
    var hasChanged = false
    for event in events.indices where events[event].process >= 0 {
      var before = of(events[event].address)
      if events[event].isWrite {
        before |= of(events[event].data)
      } else {
        results[event] = 1 << Events.Row(event)
        let source = sources[event]
        if events[source].process == events[event].process {
          // To read what one's own store will have written is to depend on what it depends on.
          let stored = of(events[source].address) | of(events[source].data)
          before |= stored
          results[event] |= stored
          if events[source].access.adds { results[event] |= of(events[source].partner) }
        }
        for context in contexts.indices
        where contexts[context].process == events[event].process
          && contexts[context].step < events[event].step
        {
          for load in contexts[context].loads { before |= results[load] }
        }
      }
      hasChanged = hasChanged || before & ~rows[first + event] != 0
      rows[first + event] |= before
    }
    return hasChanged
  }

  private func of(_ load: Int) -> Events.Row { load < 0 ? 0 : results[load] }
}
