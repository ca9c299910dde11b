// The decisions of a memory model, question by question; a new model must answer all of them.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  // MARK: What a step may read

  /// The number of values that the step may read now; the search tries each, as a choice.
  @inline(__always)
  func readableCount(_ action: Action, by cpu: Int) -> Int {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder: 1
    case .armv8: orderChoices(action, by: cpu)
    }
  }

  /// The value that an access reads by a choice below `readableCount`.
  @inline(__always)
  func read(_ action: Action, choosing choice: Int, by cpu: Int) -> UInt64 {
    switch memoryModel {
    case .sequentialConsistency: memory[action.cell]
    case .totalStoreOrder, .armv8: forwarded(action.cell, to: cpu) ?? memory[action.cell]
    }
  }

  /// The value that a read-modify-write reads, which is never a choice.
  @inline(__always)
  func readLatest(_ action: Action, by cpu: Int) -> UInt64 {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8: memory[action.cell]
    }
  }

  // MARK: When others see a store

  // Delayed stores are kept in additional words, and each becomes visible in a step of another CPU,
  // just as walks are steps of walkers: see Machine+StoreBuffers.swift.

  /// Performs a store to a word or table entry, with all its consequences.
  @inline(__always)
  func store(_ value: UInt64, for action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8: write(value, to: action.cell, by: cpu)
    }
  }

  /// The same for the result of arithmetic, which is a number and never an entry.
  @inline(__always)
  func storeNumber(_ value: UInt64, for action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8: memory[action.cell] = value
    }
  }

  // MARK: What is ordered

  /// Orders the CPU's earlier actions against its later ones, as the action requires.
  ///
  /// It may be an access with an ordering, a fence, a lock, a grace period or an interrupt.
  ///
  /// Runs before the action takes effect.
  @inline(__always)
  func order(_ action: Action, by cpu: Int) {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8: break
    }
  }

  /// True for an action that may have to wait for the visibility of the CPU's stores, or because of
  /// its kind.
  @inline(__always)
  func mayHaveToWait(_ action: Action) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: action.isBlocking
    case .totalStoreOrder:
      action.isBlocking || waitsForStores(action) || mayRepeat && mayBePutInBuffer(action)
    case .armv8: action.isBlocking || orderMayForbid(action) || mayRepeat
    }
  }

  /// True if all stores that must be visible before the action are visible.
  @inline(__always)
  func storesAllow(_ action: Action, by cpu: Int) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    case .totalStoreOrder:
      (!waitsForStores(action) || hasNoPending(cpu))
        && (!mayRepeat || !isPutInBuffer(action, by: cpu) || hasRoom(cpu))
    case .armv8: orderAllows(action, by: cpu) && (!mayRepeat || hasRoom(cpu))
    }
  }

  /// True if a fence affects only its CPU, so that it needs no scheduling point.
  func isLocalFence(_ action: Action) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    case .totalStoreOrder, .armv8: !waitsForStores(action)
    }
  }

  /// True if the effects of an action become visible in a later step.
  @inline(__always)
  func isDeferred(_ action: Action, by cpu: Int) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: false
    case .totalStoreOrder: isPutInBuffer(action, by: cpu)
    case .armv8: isOrderedAlone(action, by: cpu)
    }
  }

  // MARK: Footprints

  /// Adds the footprint of reading a word.
  @inline(__always)
  func addRead(_ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency, .armv8: footprint.read(action.cell)
    case .totalStoreOrder: addBufferedRead(action, by: cpu, to: footprint)
    }
  }

  /// Adds the footprint of storing a value now.
  @inline(__always)
  func addStore(of value: UInt64, _ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8:
      addWrite(of: value, to: action.cell, footprint)
    }
  }

  /// Adds the footprint of arithmetic on a word.
  @inline(__always)
  func addNumber(_ action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency, .totalStoreOrder, .armv8: footprint.write(action.cell)
    }
  }

  /// Adds the footprint of `order`.
  @inline(__always)
  func addOrder(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: break
    case .totalStoreOrder: addBuffer(of: action, by: cpu, to: footprint)
    case .armv8: addOrdered(action, by: cpu, to: footprint)
    }
  }

  /// Adds what `order` could touch after steps of others.
  func addPotentialOrder(of action: Action, by cpu: Int, to footprint: Footprint) {
    switch memoryModel {
    case .sequentialConsistency: break
    case .totalStoreOrder: addPotentialBuffer(of: action, by: cpu, to: footprint)
    case .armv8: addPotentialOrdered(action, by: cpu, to: footprint)
    }
  }

  /// True if the model's part of the footprint depends only on the action.
  @inline(__always)
  func orderIsFixed(_ action: Action) -> Bool {
    switch memoryModel {
    case .sequentialConsistency: true
    case .totalStoreOrder, .armv8: false
    }
  }
}

extension CPUImages {
  /// Describes how the memory model's own words name CPUs.
  func describeOrdering(of model: MemoryModel) {
    switch model {
    case .sequentialConsistency: break
    case .totalStoreOrder: describeBuffers()
    case .armv8: describeOrders()
    }
  }
}
