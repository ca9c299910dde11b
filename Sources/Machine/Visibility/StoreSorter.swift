// Stores of which nobody can tell which came first, in one order.

import GracewalkSupport

/// Sorts the order of stores as far as nobody can tell, so that orders with the same futures are
/// equal.
///
/// A CPU can tell which of two stores came first only if it may still read the words of both, and
/// may still miss one of them; one that shows others what it has seen counts as a reader of every
/// word. If no CPU can, and no view that might go to somebody lies between the two, they are
/// *independent*, and may change places. Of all orders that come about in this way one is taken,
/// in which the lower word comes first where there is a choice. `Docs/MemoryModels.md` says why
/// nothing is lost.
///
/// It has room of its own, so that a step allocates nothing.
package final class StoreSorter {
  /// Orders with more stores are left as they are.
  private static let storesMax = 63

  /// The number of stores in the order at hand, whose times are the numbers from 1 on.
  private var count = 0
  /// Per time, the word stored to.
  private let words = UnsafeMutablePointer<UInt32>.allocate(capacity: StoreSorter.storesMax + 1)
  /// Per time, the CPUs that may read that word.
  private let readers = UnsafeMutablePointer<UInt64>.allocate(capacity: StoreSorter.storesMax + 1)
  /// Per time, the CPUs that cannot miss the store.
  private let knowing = UnsafeMutablePointer<UInt64>.allocate(capacity: StoreSorter.storesMax + 1)
  /// Per time, the stores that have to come before.
  private let earlier = UnsafeMutablePointer<UInt64>.allocate(capacity: StoreSorter.storesMax + 1)
  /// Per time, the new one.
  private let moved = UnsafeMutablePointer<View>.allocate(capacity: StoreSorter.storesMax + 1)
  private let omitted: OmittedRules

  private static let everybody = UInt64.max

  package init(without omitted: OmittedRules = []) { self.omitted = omitted }

  deinit {
    words.deallocate()
    readers.deallocate()
    knowing.deallocate()
    earlier.deallocate()
    moved.deallocate()
  }

  /// Sorts an order whose times are ranks, and lowers each view to the latest store within it that
  /// matters to its CPU; false if nothing changes.
  ///
  /// Orders that hardware walks look at are left as they are, and so are those where nobody knows
  /// what some CPU will read.
  package func sort(_ order: inout StoreOrder, _ uses: [FutureUse]) -> Bool {
    count = Int(order.now)
    guard count > 0, count <= Self.storesMax, order.walks.isEmpty, order.invalidations.isEmpty
    else { return false }
    for use in uses where use.isUnknown { return false }
    note(order, uses)
    separateStores()
    separateViews(order, uses)
    let isMoved = arrange()
    let isChanged = replaceTimes(in: &order, uses)
    return isMoved || isChanged
  }

  /// What has become of a view of a CPU's own that is not part of the order.
  package func view(_ view: View, of cpu: Int) -> View {
    latest(within: view, for: 1 << UInt64(cpu))
  }

  // MARK: What matters to whom

  /// The CPUs to which it matters how a store to a word is ordered.
  private func readers(of word: UInt32, _ uses: [FutureUse]) -> UInt64 {
    var cpus: UInt64 = 0
    // Others come to know what a CPU with sections has seen, whatever it reads itself.
    for cpu in uses.indices where uses[cpu].hasSections || uses[cpu].mayRead(word) {
      cpus |= 1 << UInt64(cpu)
    }
    return cpus
  }

  /// The CPUs to which it matters what was visible when the first value of a word was stored.
  private func readers(
    ofFirst word: UInt32, at time: View, _ order: StoreOrder, _ uses: [FutureUse]
  ) -> UInt64 {
    var left = readers(of: word, uses)
    for cpu in order.cpus.indices where order.cpus[cpu].newReads >= time {
      left &= ~(1 << UInt64(cpu))
    }
    return left
  }

  private func note(_ order: StoreOrder, _ uses: [FutureUse]) {
    for time in 0...count { (knowing[time], earlier[time]) = (0, 0) }
    for index in order.words.entries.indices where order.words.count(at: index) > 1 {
      let word = order.words.entries[index].word
      let cpus = readers(of: word, uses)
      // Otherwise views that go to everybody would not keep it in its place.
      mustHold(cpus != 0, "a store that nobody can read is still there")
      for place in 1..<order.words.count(at: index) {
        let time = Int(order.words.store(at: index, place).time)
        (words[time], readers[time]) = (word, cpus)
      }
    }
    for cpu in order.cpus.indices where order.cpus[cpu].newReads > 0 {
      for time in 1...min(Int(order.cpus[cpu].newReads), count) {
        knowing[time] |= 1 << UInt64(cpu)
      }
    }
  }

  // MARK: Dependences

  /// Keeps the order of stores that some CPU can tell.
  private func separateStores() {
    for later in 1...count {
      for time in 1..<later {
        // Who cannot miss the later one cannot miss the other, either.
        var able = readers[time] & readers[later] & ~knowing[later]
        if omitted.contains(.orderedStores) { able = 0 }
        if words[time] == words[later] || able != 0 { earlier[later] |= 1 << UInt64(time) }
      }
    }
  }

  /// Keeps stores within a view that some CPUs may come to have before those behind it.
  private func separate(at view: View, for cpus: UInt64) {
    guard view > 0, view < count else { return }
    var within: UInt64 = 0
    for time in 1...Int(view) where readers[time] & cpus != 0 { within |= 1 << UInt64(time) }
    for later in Int(view) + 1...count where readers[later] & cpus != 0 {
      earlier[later] |= within
    }
  }

  private func separateViews(_ order: StoreOrder, _ uses: [FutureUse]) {
    for index in order.words.entries.indices where !omitted.contains(.firstValues) {
      let time = order.words.store(at: index, 0).time
      let word = order.words.entries[index].word
      separate(at: time, for: readers(ofFirst: word, at: time, order, uses))
    }
    if omitted.contains(.sharedViews) { return }
    for domain in order.finished.indices {
      separate(at: order.finished[domain], for: Self.everybody)
    }
    for index in order.locks.entries.indices {
      separate(at: order.locks.entries[index].value, for: Self.everybody)
    }
    for index in order.callbacks.entries.indices {
      separate(at: order.callbacks.entries[index].value.start, for: Self.everybody)
      separate(at: order.callbacks.entries[index].value.view, for: Self.everybody)
    }
    for cpu in order.cpus.indices {
      for domain in order.cpus[cpu].sectionEnds.indices {
        separate(at: order.cpus[cpu].sectionEnds[domain], for: Self.everybody)
      }
      separate(at: order.cpus[cpu].callbackEnd, for: Self.everybody)
      separate(at: order.cpus[cpu].graceStart, for: Self.everybody)
      separate(at: order.cpus[cpu].graceView, for: Self.everybody)
    }
  }

  // MARK: The new order

  /// Gives stores their new times: of those that may come next, the one to the lowest word is next.
  private func arrange() -> Bool {
    var left = UInt64.max >> UInt64(Self.storesMax - count) & ~1
    var isMoved = false
    for time in 1...count {
      var next = 0
      for store in 1...count where left >> UInt64(store) & 1 == 1 && earlier[store] & left == 0 {
        if next == 0 || words[store] < words[next] { next = store }
      }
      left &= ~(1 << UInt64(next))
      moved[next] = View(time)
      if next != time { isMoved = true }
    }
    return isMoved
  }

  /// The new time of the latest store within a view that matters to some CPUs.
  private func latest(within view: View, for cpus: UInt64) -> View {
    latest(within: view) { readers[$0] & cpus != 0 }
  }

  /// The new time of the latest store within a view, of those that count.
  private func latest(within view: View, where counts: (Int) -> Bool) -> View {
    var latest: View = 0
    if view == 0 { return 0 }
    for time in 1...min(Int(view), count) where moved[time] > latest && counts(time) {
      latest = moved[time]
    }
    return latest
  }

  // MARK: Views

  /// Gives everything its new time, and each view that of the latest store within it that matters.
  private func replaceTimes(in order: inout StoreOrder, _ uses: [FutureUse]) -> Bool {
    var isChanged = false
    func replaced(_ view: View, by new: View) -> View {
      if new != view { isChanged = true }
      return new
    }
    // What is read here stays as it is until views are replaced.
    let before = order
    func first(_ time: View, of word: UInt32) -> View {
      replaced(
        time, by: latest(within: time, for: readers(ofFirst: word, at: time, before, uses)))
    }
    for cpu in order.cpus.indices {
      order.cpus[cpu].own.mapValues { word, store in
        let time = Int(store.time)
        let isLater = time <= count && words[time] == word
        var store = store
        store.time = isLater ? moved[time] : first(store.time, of: word)
        return store.time == 0 ? OwnStore() : store
      }
    }
    order.words.mapTimes { word, place, time in
      place == 0 ? first(time, of: word) : moved[Int(time)]
    }
    for cpu in order.cpus.indices {
      order.cpus[cpu].mapOwnViews {
        replaced($0, by: latest(within: $0, for: 1 << UInt64(cpu)))
      } ofWord: { word, view in
        replaced(view, by: latest(within: view) { words[$0] == word })
      }
    }
    func shared(_ view: View) -> View {
      replaced(view, by: latest(within: view, for: Self.everybody))
    }
    for domain in order.finished.indices {
      order.finished[domain] = shared(order.finished[domain])
    }
    order.locks.mapValues { shared($1) }
    order.callbacks.mapValues { CallbackViews(start: shared($1.start), view: shared($1.view)) }
    for cpu in order.cpus.indices { order.cpus[cpu].mapSharedViews(shared) }
    return isChanged
  }
}
