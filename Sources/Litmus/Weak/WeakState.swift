// The state of a weak memory machine: the order of stores, and what each process is about to do.

import GracewalkMachine

struct RegisterState: Equatable {
  var value: UInt64 = 0
  /// What the value depends on.
  var view: View = 0
  /// What the choice of the value depends on, which only a branch and an `ISB` behind it order.
  var pick: View = 0
}

/// What the last exclusive load has found.
struct ExclusiveMonitor: Equatable {
  var word: UInt8
  /// The process's pending stores to the word, up to the one that was read; 0 if that was visible.
  var pending: UInt8
  /// The view of the load.
  var view: View
}

/// A process, without what it knows of the order of stores.
struct WeakProcess {
  var counter = 0
  /// It will never do anything again.
  var isStuck = false
  /// How deep its sections of read-copy-update nest.
  var depth: UInt8 = 0
  var registers: [RegisterState]
  /// Per word, what the value of the process's latest store to it depends on, besides that store's
  /// address and operand.
  ///
  /// That is what a read-modify-write has read whose result goes into the value. Empty if the code
  /// has none.
  var valueViews: [View] = []
  var monitor: ExclusiveMonitor?
  /// By what the access of the next instruction is translated.
  var translation: PageTranslation?
  var fault: PageFault?
}

extension WeakProcess {
  func valueView(of word: Int) -> View { valueViews.isEmpty ? 0 : valueViews[word] }

  /// Notes the latest store to a word.
  mutating func noteValue(of word: Int, dependingOn view: View = 0) {
    if !valueViews.isEmpty { valueViews[word] = view }
  }
}

/// Where an access goes, and by which entry.
struct PageTranslation: Equatable {
  var word: Int
  var found: Translation

  init(word: Int, by found: Translation) {
    self.word = word
    self.found = found
  }
}

/// A read-side section: of read-copy-update, one per process; of the sleepable kind, one per place.
struct SectionState: Equatable {
  var isOpen = false
  /// Grace periods that wait for its end, as a set of processes.
  var waiters: UInt64 = 0
}

/// All state that steps change.
struct WeakState {
  /// Visible stores, and what each process knows of them and has pending; domain 0 is that of
  /// read-copy-update.
  var order: StoreOrder {
    get { owned.order }
    _modify { yield &owned.order }
  }
  private var owned: OwnedOrder
  var processes: [WeakProcess]
  var sections: [SectionState]

  /// - Parameter order: one that nobody else changes.
  init(order: StoreOrder, processes: [WeakProcess], sections: [SectionState]) {
    owned = OwnedOrder(order)
    self.processes = processes
    self.sections = sections
  }
}
