// What a machine foresees of its code: which views CPUs may still need.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// Notes what the code of a CPU may do from its present position on.
  func noteFutureUse(of cpu: Int, _ orders: OrderKeeper) {
    if isOver(cpu) { return orders.setUse(of: cpu, at: -2) { FutureUse() } }
    guard let foreseen else { return orders.setUse(of: cpu, at: -1) { .unknown } }
    let place = place(of: positions[cpu])
    orders.setUse(of: cpu, at: place) { foreseen.use(at: place) }
  }

  private func place(of node: LocalStates.Index) -> Int {
    node < 0 || Int(node) >= places.count ? -1 : Int(places[Int(node)])
  }

  /// True if the CPU that has stepped may do other things from now on than before.
  func changesUse(_ cpu: Int, from node: LocalStates.Index) -> Bool {
    guard let foreseen, cpu < layout.bufferedCPUs else { return false }
    return foreseen.number(ofUseAt: place(of: node))
      != foreseen.number(ofUseAt: place(of: positions[cpu]))
  }

  /// Notes that a CPU's code has come to a node that is new, and fails if that was not foreseen.
  func noteGrowth(_ node: LocalStates.Index, from parent: LocalStates.Index, _ cpu: Int) {
    guard let foresight else { return }
    guard isOrdered(cpu) else { return places.append(-1) }
    let known = localStates[node].pointee
    let action = known.action
    let earlier = place(of: parent)
    let before = earlier < 0 ? nil : earlier
    let reached = Foresight.Place(action, inOperation: known.operation, of: cpu)
    let (number, isNew) = foresight.note(reached, after: before) { facts(of: action) }
    if isNew { noteImages(of: reached, action, after: before, foresight) }
    places.append(Int32(truncatingIfNeeded: number))
    checkForesight(node, from: parent)
  }

  /// Notes of the CPUs that are identical what was new of one of them.
  ///
  /// So of two states that differ by an exchange of CPUs, neither forgets what the other still has.
  private func noteImages(
    of reached: Foresight.Place, _ action: Action, after earlier: Int?, _ foresight: Foresight
  ) {
    if permutations.count == 1 || scenario.omittedRules.contains(.exchangedPlaces) { return }
    let images = symmetry.images
    for permutation in 1..<permutations.count {
      let before = earlier.flatMap {
        foresight.number(ofImageOf: $0) { $0.image(images, permutation) }
      }
      foresight.note(reached.image(images, permutation), after: before) {
        facts(of: images.image(of: action, under: permutation))
      }
    }
  }

  /// The same for a node that the code had reached before.
  func noteWay(to node: LocalStates.Index, from parent: LocalStates.Index, _ cpu: Int) {
    guard let foresight, isOrdered(cpu) else { return }
    let (earlier, number) = (place(of: parent), place(of: node))
    if earlier >= 0, number >= 0 { foresight.connect(earlier, to: number) }
    checkForesight(node, from: parent)
  }

  private func checkForesight(_ node: LocalStates.Index, from parent: LocalStates.Index) {
    guard let foreseen, parent >= 0, !omits(.check) else {
      return
    }
    let (earlier, number) = (place(of: parent), place(of: node))
    let isForeseen =
      foreseen.mayChangeBuffer(behind: earlier)
      || !localStates[node].pointee.action.isLocal
      || !changesBuffer(localStates[node].pointee.action)
        && !foreseen.mayChangeBuffer(behind: number)
    if isForeseen, foreseen.use(at: earlier).covers(foreseen.use(at: number)) { return }
    outranForesight = true
    fail(.cap("[internal] code did what was not foreseen"))
  }

  /// What an action says about the views of its CPU.
  private func facts(of action: Action) -> Foresight.Facts {
    var facts = Foresight.Facts()
    facts.use.cells = FutureCells()
    facts.isLocal = action.isLocal
    facts.changesBuffer = changesBuffer(action)
    switch action.kind {
    case .access(let access): add(access, action, to: &facts.use)
    case .fence:
      if action.ordering.acquires { facts.use.ordersReads = true }
      if action.ordering == .sequentiallyConsistent { facts.use.ordersWrites = true }
    case .lock(.downgrade): facts.use.showsViews()
    case .grace(.sectionLeave), .grace(.unmaskInterrupts): facts.endsSection = true
    case .grace(.interruptSend):
      facts.sendsInterrupt = true
      facts.use.showsViews()
    case .grace(.graceStart), .callback(.call):
      facts.startsGracePeriod = true
      facts.use.showsViews()
    case .grace(.graceEnd), .grace(.interruptTaken), .callback: facts.use.showsViews()
    case .hardware:
      // What its CPU has seen before a barrier, walks behind it may not miss.
      if omits(.walks) { break }
      facts.use.showsViews()
      facts.use.loads = !omits(.walkers)
    case .lock, .grace, .page, .slab, .context, .choose, .history, .handOver, .claim, .finished,
      .cutOff, .threw:
      break
    }
    return facts
  }

  private func omits(_ rule: Foresight.Omission) -> Bool {
    foresight?.omitted.contains(rule) ?? false
  }

  /// True for a local action that changes what others may come to see.
  private func changesBuffer(_ action: Action) -> Bool {
    switch action.kind {
    case .access(.store), .page(.publish): true
    case .fence: action.ordering != .relaxed && action.ordering != .acquire
    case .access, .lock, .grace, .callback, .page, .slab, .context, .choose, .history, .hardware,
      .handOver, .claim, .threw, .finished, .cutOff:
      false
    }
  }

  /// True if an action only finds something out, and what its CPU has pending stays as it is until
  /// the next one.
  func leavesBuffer(_ action: Action, by cpu: Int) -> Bool {
    switch action.kind {
    case .access(.load), .access(.wait): if acquiresInOrder(action) { return false }
    case .choose, .grace(.sectionEnter), .grace(.maskInterrupts): break
    case .access, .fence, .lock, .grace, .callback, .page, .slab, .context, .history, .hardware,
      .handOver, .claim, .threw, .finished, .cutOff:
      return false
    }
    guard let foreseen, !followsWords else { return false }
    return !foreseen.mayChangeBuffer(behind: place(of: positions[cpu]))
  }

  private func add(_ access: Action.Access, _ action: Action, to use: inout FutureUse) {
    var (loaded, updated, reached) = (CellSet(), CellSet(), CellSet())
    if action.lifetime != 0 { reached.insert(action.lifetime) }
    switch access {
    case .store, .drain: break
    case .load, .wait, .compareExchange, .incrementUnlessZero, .update(.addUnless):
      loaded.insert(action.cell)
      use.loads = true
    case .exchange, .fetchAdd, .update(.and), .update(.or), .update(.xor): break
    }
    if access != .store, access != .load, access != .wait { updated.insert(action.cell) }
    use.cells = FutureCells(loaded: loaded, updated: updated, reached: reached)
    if access != .store, acquiresInOrder(action) { use.acquires = true }
    if access != .store, access != .load, access != .wait,
      action.ordering == .acquireRelease
        || action.ordering == .sequentiallyConsistent
    {
      use.ordersReads = true
      use.ordersWrites = true
    }
  }

  /// The steps that were taken.
  package var takenSteps: [Schedule.Step] {
    (0..<depth).map { Schedule.Step(cpu: takenStep($0).cpu, choice: Int(takenStep($0).choice)) }
  }

  /// Takes steps as long as nothing is found; false if one of them is impossible.
  func follow(_ path: [Schedule.Step]) -> Bool {
    for step in path where failure == nil {
      guard step.cpu < cpuCount, enabledCPUs().contains(step.cpu),
        step.choice < choiceCount(of: step.cpu)
      else { return false }
      guard self.step(step.cpu, choice: step.choice) == .clean else { break }
    }
    return true
  }

  /// Takes each step that is possible now, and takes it back.
  func takeEachStep() {
    let enabled = enabledCPUs()
    for cpu in 0..<cpuCount where enabled.contains(cpu) {
      for choice in 0..<choiceCount(of: cpu) where failure == nil {
        _ = step(cpu, choice: choice)
        undo()
      }
    }
  }

  /// Goes on at random to the end of an execution, and takes that back; returns the number of its
  /// steps.
  @discardableResult
  func walkAtRandom(_ random: inout SplitMix64) -> Int {
    let start = depth
    var outcome = start == 0 ? judgeStart() : .clean
    while outcome == .clean && depth < 4_096 {
      let enabled = enabledCPUs()
      if enabled.isEmpty { break }
      let able = (0..<cpuCount).filter { enabled.contains($0) }
      let cpu = random.pick(able)
      outcome = step(cpu, choice: random.below(choiceCount(of: cpu)))
    }
    let taken = depth - start
    while depth > start { undo() }
    return taken
  }
}

extension Foresight.Place {
  init(_ action: Action, inOperation operation: Int32, of cpu: Int) {
    self.init(
      cpu: UInt8(cpu), operation: operation, kind: action.kind,
      ordering: action.ordering.rawValue, cell: action.cell, lifetime: action.lifetime,
      isLocal: action.isLocal,
      isDereference: action.kind == .access(.load) && action.isDereference)
  }

  /// The place of the CPU that takes this one's place.
  func image(_ images: CPUImages, _ permutation: Int) -> Foresight.Place {
    var image = self
    image.cpu = UInt8(images.image(ofCPU: Int(cpu), under: permutation))
    image.cell = images.image(ofCell: cell, under: permutation)
    image.lifetime = images.image(ofCell: lifetime, under: permutation)
    return image
  }
}
