// Orders of stores with identical CPUs exchanged: everything in them that names a CPU.

/// Room for orders whose CPUs are exchanged.
struct ExchangeRoom {
  fileprivate var words = StoreLists()
  fileprivate var cpus = Row<CPUViews>()

  mutating func deallocate() {
    words.deallocate()
    cpus.deallocate()
  }
}

extension StoreOrder {
  /// Becomes its image under a permutation of identical CPUs.
  ///
  /// Times stay as they are, and so does the order of each buffer. In canonical form, nothing but
  /// the order of stores decides what a time is, so the image is in canonical form, too. There is
  /// no hardware where CPUs are exchanged.
  mutating func exchange(
    _ images: CPUImages, _ permutation: Int, without omitted: OmittedRules,
    _ room: inout ExchangeRoom
  ) {
    func image(_ cell: UInt32) -> UInt32 { images.image(ofCell: cell, under: permutation) }
    if !omitted.contains(.exchangedStores) {
      words.exchange(images, permutation, &room.words)
    }
    if !omitted.contains(.exchangedBuffers) {
      room.cpus.removeAll()
      for cpu in cpus.indices { room.cpus.append(cpus[cpu]) }
      for cpu in cpus.indices {
        cpus[images.image(ofCPU: cpu, under: permutation)] = room.cpus[cpu]
      }
    }
    for cpu in cpus.indices {
      if !omitted.contains(.exchangedViews) { cpus[cpu].mapWords(image) }
      if omitted.contains(.exchangedEntries) { continue }
      for index in cpus[cpu].buffer.indices {
        cpus[cpu].buffer[index].exchange(images, permutation)
      }
    }
    if omitted.contains(.exchangedKeys) { return }
    locks.mapWords(image)
    callbacks.mapWords {
      UInt32(images.image(ofCallbackNumber: Int($0), under: permutation))
    }
  }
}

extension StoreLists {
  /// Replaces each word and each value by its image.
  fileprivate mutating func exchange(
    _ images: CPUImages, _ permutation: Int, _ room: inout StoreLists
  ) {
    room.removeAll()
    var last: UInt32 = 0
    for _ in entries.indices {
      // The next one in the order of images; there are few, and no word has number 0.
      var (next, place) = (UInt32.max, 0)
      for index in entries.indices {
        let image = images.image(ofCell: entries[index].word, under: permutation)
        if image > last, image < next { (next, place) = (image, index) }
      }
      last = next
      room.appendWord(next)
      let content = images.content(of: entries[place].word)
      for index in 0..<count(at: place) {
        var store = store(at: place, index)
        store.value = images.image(of: store.value, content, under: permutation)
        room.appendStore(store)
      }
    }
    swap(&self, &room)
  }
}

extension CPUViews {
  fileprivate mutating func mapWords(_ image: (UInt32) -> UInt32) {
    coherence.mapWords(image)
    own.mapWords(image)
    sources.mapWords(image)
    entries.mapWords(image)
  }
}

extension PendingEntry {
  fileprivate mutating func exchange(_ images: CPUImages, _ permutation: Int) {
    switch kind {
    case .barrier: break
    case .sectionEnd:
      waiters = images.image(of: waiters, .cpuSet, under: permutation)
      callbacks = images.image(of: callbacks, .callbackSet, under: permutation)
    case .store, .effect:
      value = images.image(
        of: value, kind == .store ? images.content(of: number) : .modelValue, under: permutation)
      number = images.image(ofCell: number, under: permutation)
      lifetime = images.image(ofCell: lifetime, under: permutation)
    }
  }
}
