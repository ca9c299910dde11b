// What a memory model decides, question by question; one that is added answers all of them.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  // MARK: What a step may read

  /// How many values the step may read now; the search tries each, as a choice.
  @inline(__always)
  func readableCount(_ action: Action, by cpu: Int) -> Int {
    switch memoryModel {
    case .sequentialConsistency: 1
    }
  }

  /// The value that an access reads by a choice below `readableCount`.
  @inline(__always)
  func read(_ action: Action, choosing choice: Int, by cpu: Int) -> UInt64 {
    switch memoryModel {
    case .sequentialConsistency: memory[action.cell]
    }
  }

  /// The value that a read-modify-write finds: it has no choice.
  @inline(__always)
  func readLatest(_ action: Action, by cpu: Int) -> UInt64 {
    switch memoryModel {
    case .sequentialConsistency: memory[action.cell]
    }
  }

  // MARK: When others see a store

  // A model whose stores are seen later than they are made keeps them in words of its own, and
  // makes each visible in a step of its own, by a CPU of its own, as walks are steps of walkers.

  /// Makes a store: a word, or a table entry, with all that follows from its being written.
  @inline(__always)
  func store(_ value: UInt64, for action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency: write(value, to: action.cell, by: cpu)
    }
  }

  /// The same for what arithmetic makes, which is a number and no entry.
  @inline(__always)
  func storeNumber(_ value: UInt64, for action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency: memory[action.cell] = value
    }
  }

  // MARK: What is ordered

  /// Orders what the CPU has done against what it does from now on, as far as the action asks for
  /// it: an access with an ordering, a fence, a lock, a grace period, an interrupt.
  ///
  /// Comes before the action takes effect.
  @inline(__always)
  func order(_ action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency: break
    }
  }

  /// True for an action that may have to wait until others see what the CPU has stored, or for
  /// what its kind waits for anyway.
  @inline(__always)
  func mayHaveToWait(_ action: Action) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: action.isBlocking
    }
  }

  /// True if others see all stores that they have to see before the action can be taken.
  @inline(__always)
  func storesAllow(_ action: Action, by cpu: Int) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    }
  }

  /// True if a fence concerns nobody but the CPU, so that it needs no scheduling point.
  var fencesAreLocal: Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    }
  }

  // MARK: Footprints

  /// Adds what reading a word touches.
  @inline(__always)
  func addRead(_ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: footprint.read(action.cell)
    }
  }

  /// Adds what storing a value touches now.
  @inline(__always)
  func addStore(of value: UInt64, _ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: addWrite(of: value, to: action.cell, footprint)
    }
  }

  /// Adds what arithmetic on a word touches.
  @inline(__always)
  func addNumber(_ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: footprint.write(action.cell)
    }
  }

  /// Adds what `order` touches.
  @inline(__always)
  func addOrder(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: break
    }
  }

  /// Adds what `order` could touch, whatever others do before it.
  func addPotentialOrder(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: break
    }
  }

  /// True if what is added for the model follows from the action alone.
  @inline(__always)
  func orderIsFixed(_ action: Action) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    }
  }
}

extension CPUImages {
  /// Says what the words that the memory model keeps for itself tell about CPUs.
  func describeOrdering(of model: MemoryModel) {
    switch model {
    case .sequentialConsistency: break  // It keeps none.
    }
  }
}
