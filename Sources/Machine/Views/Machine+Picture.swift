// Taking a picture of the machine: tables, words, caches, and the waits of each CPU.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// The machine as it is now.
  public var picture: MachinePicture {
    let reachable = Set(reachableTables.map(\.page.id))
    return MachinePicture(
      pages: pages.map { picture(of: $0, reachable) },
      words: scenario.words.indices.map { wordPicture($0) },
      units: translation.units.indices.map { unitPicture($0) },
      cpus: cpus.indices.map { cpuPicture($0) })
  }

  private func picture(
    of view: PageView, _ reachable: Set<Int>
  ) -> MachinePicture.Page {
    let published = memory[view.page.base + Layout.publishedOffset]
    let lowest = Layout.published(atLevel: 0)
    let level = layout.level(published: published)
    return MachinePicture.Page(
      id: view.page.id, name: view.name, isRoot: roots.contains(view.page),
      isObject: isObject(view.page),
      level: published >= lowest ? Int(published - lowest) : nil,
      lifetime: !view.isAllocated ? .freed : isFreeInSlab(view.page) ? .inSlab : .inUse,
      isReachable: reachable.contains(view.page.id), isPublished: published != 0,
      references: view.references, origin: origin(of: view.page),
      entries: view.entries.map { entry in
        MachinePicture.Entry(
          text: text(of: entry, at: level)
            + (entry.isTable && entry.isWritable ? " writable" : ""),
          kind: kind(of: entry, at: level),
          target: linkedPage(by: entry.bits))
      })
  }

  private func kind(of entry: Descriptor, at level: Int?) -> MachinePicture.EntryLook {
    if entry == .invalid { return .invalid }
    switch kind(of: entry, at: level) as EntryKind {
    case .invalid, .malformed: return .other
    case .locked: return .locked
    case .table: return linkedPage(by: entry.bits) != nil ? .table : .other
    case .writable, .readOnly, .writableNotAccessed, .readOnlyNotAccessed, .clean,
      .cleanNotAccessed:
      return .leaf
    }
  }

  // MARK: Words

  private func wordPicture(_ index: Int) -> MachinePicture.Word {
    let cell = scenario.wordCells[index]
    let isSpinLock = scenario.spinLockCells.contains(cell)
    let isLock = isSpinLock || scenario.readWriteLockCells.contains(cell)
    let value = memory[cell]
    let text: String
    if isLock {
      text = lockText(value, isSpinLock: isSpinLock)
    } else if let slab = scenario.slabs.first(where: { $0.slab.freePages.cell == cell }) {
      let free = (slab.slab.firstID..<(slab.slab.firstID + slab.slab.count)).filter {
        value & slab.slab.bit($0) != 0
      }
      let names = free.map { name(ofPage: $0) }
      text = free.isEmpty ? "none free" : "free: \(names.joined(separator: ", "))"
    } else if scenario.contexts.contains(where: { $0.state.cell == cell }) {
      text = value == 0 ? "alive" : "released"
    } else if scenario.dataFrames.contains(where: { $0.owner.cell == cell }) {
      text = name(ofOwner: value)
    } else {
      text = self.text(ofValue: value, in: cell)
    }
    return MachinePicture.Word(name: scenario.words[index].name, text: text, isLock: isLock)
  }

  private func lockText(_ value: UInt64, isSpinLock: Bool) -> String {
    guard value != 0 else { return "free" }
    if isSpinLock { return "held by \(name(ofCPU: Int(value) - 1))" }
    let holders = names(ofCPUs: value & ~Machine.writerBit)
    return value & Machine.writerBit == 0 ? "read by \(holders)" : "written by \(holders)"
  }

  // MARK: Caches

  func unitPicture(_ number: Int) -> MachinePicture.Unit {
    let unit = translation.units[number]
    var (tables, leaves): ([MachinePicture.CachedEntry], [MachinePicture.CachedEntry]) = ([], [])
    for place in cachedEntries(of: number) {
      if bits(of: place).isLeaf {
        leaves.append(cachedPicture(place))
      } else {
        tables.append(cachedPicture(place))
      }
    }
    let walkers = [unit.cpu] + (translation.walkers[number].map { [$0] } ?? [])
    return MachinePicture.Unit(
      cpu: unit.cpu, tables: tables, leaves: leaves,
      walking: walkers.compactMap { walkedPage(by: $0) })
  }

  private func cachedPicture(_ place: CachePlace) -> MachinePicture.CachedEntry {
    let source = UInt32(memory[place.source])
    let read = layout.entry(at: source)
    let isFreed = read.map { memory[layout.page($0.page).base] & 1 == 0 } ?? false
    return MachinePicture.CachedEntry(
      addresses: text(of: layout.hardware.addresses(ofPrefix: place.prefix, at: place.level)),
      text: text(of: bits(of: place), at: place.level), page: read?.page,
      entry: read?.index ?? 0, isCurrent: !isFreed && memory[source] == memory[place.cell])
  }

  // MARK: CPUs

  private func cpuPicture(_ cpu: Int) -> MachinePicture.CPU {
    // While CPUs are being started, some have no node yet.
    let hasBegun = positions[cpu] != LocalStates.none
    let action = hasBegun ? node(of: cpu).pointee.action : Action(.finished)
    let wait: MachinePicture.Wait?
    let awaited: UInt64
    switch action.kind {
    case .grace(.graceEnd): (wait, awaited) = (.gracePeriod, memory[layout.awaited(.sections, cpu)])
    case .grace(.interruptTaken):
      (wait, awaited) = (.interrupt, memory[layout.awaited(.interrupts, cpu)])
    case .callback(.barrierEnd): (wait, awaited) = (.barrier, awaitedCallbacks(by: cpu))
    case .grace, .callback, .finished, .cutOff, .access, .fence, .lock, .page, .slab, .context,
      .choose,
      .history, .hardware, .handOver, .claim, .threw:
      (wait, awaited) = (nil, 0)
    }
    let (role, owner) = roleAndOwner(of: cpu)
    // A CPU that runs callbacks is idle, not blocked, while there are none.
    let isIdle =
      action.kind == .access(.drain)
      || action.kind == .callback(.callbackStart) && callbackPictures(of: owner ?? cpu).isEmpty
    let isBlocked = mayHaveToWait(action) && !isIdle && !canTake(action, by: cpu)
    return MachinePicture.CPU(
      isInSection: isInside(.sections, cpu), hasInterruptsMasked: isInside(.interrupts, cpu),
      wait: wait, awaits: numbers(awaited), blockedAt: isBlocked ? text(of: action) : nil,
      isFinished: hasBegun && action.kind.isEnd,
      callbacks: role == .program ? callbackPictures(of: cpu) : [], role: role, owner: owner)
  }

  private func roleAndOwner(of cpu: Int) -> (MachinePicture.Role, Int?) {
    switch cpus[cpu].role {
    case .callbacks(let owner): (.callbacks, owner)
    case .walker: (.walker, translation.units[translation.unitOfCPU[cpu]].cpu)
    case .drainer(let owner): (.storeBuffer, owner)
    case .program, .boot: (.program, nil)
    }
  }

  /// The CPUs that run the callbacks which a barrier still waits for.
  private func awaitedCallbacks(by cpu: Int) -> UInt64 {
    var awaited = CPUSet()
    for other in 0..<layout.cpuCount
    where memory[layout.callbacksFinished(other)] < memory[layout.barrierTarget(cpu, other)] {
      awaited.insert(callbackCPUs[other] ?? other)
    }
    return awaited.bits
  }

  private func callbackPictures(of cpu: Int) -> [MachinePicture.Callback] {
    let finished = Int(memory[layout.callbacksFinished(cpu)])
    let started = Int(memory[layout.callbacksStarted(cpu)])
    return (finished..<max(finished, Int(memory[layout.callbacksQueued(cpu)]))).map { number in
      MachinePicture.Callback(
        number: number, isRunning: number < started,
        awaits: numbers(memory[layout.callbackReaders(cpu, number)]))
    }
  }

  private func numbers(_ bits: UInt64) -> [Int] {
    var set = CPUSet(bits: bits)
    var numbers: [Int] = []
    while let cpu = set.popLowest() { numbers.append(cpu) }
    return numbers
  }
}
