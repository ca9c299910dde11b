// Everything a machine starts from: words, locks, tables, slabs, frames, what runs first, CPUs.

import Fibers

/// The starting point of a check: who does what to which memory.
///
/// A model's `build` closure makes a fresh one for every machine, so it must not depend on
/// anything but its parameters.
public final class Scenario {
  public let geometry: Geometry
  /// What the bits of table entries mean.
  public var format: EntryFormat
  private(set) var words: [(name: String, initial: UInt64)] = []
  private(set) var wordCells: [UInt32] = []
  private(set) var nextCell: UInt32 = 1
  private(set) var spinLockCells: [UInt32] = []
  private(set) var readWriteLockCells: [UInt32] = []
  private(set) var rootNames: [String] = []
  public private(set) var dataFrames: [DataFrame] = []
  /// Owners of data frames besides the guest and nobody.
  private(set) var frameOwners: [FrameOwner] = []
  private(set) var slabs: [(name: String, kind: Slab.Kind, slab: Slab)] = []
  private(set) var contexts: [Context] = []
  /// Whether pages belong to a context, so that allocating and freeing them are steps.
  private(set) var tracksPages = false
  public private(set) var programs: [Program] = []
  /// Groups of CPUs that run the same program, by number.
  public private(set) var identicalCPUs: [[Int]] = []
  private(set) var bootBodies: [(VirtualCPU) throws -> Void] = []
  /// What must hold; the number of an invariant is its position here.
  public private(set) var invariants: [any Invariant] = []
  /// Whether an allocation may fail, which then is a choice.
  public var mayRunOutOfMemory = false
  /// Whether code may use `VirtualCPU.repeatUntilDone`.
  ///
  /// The search must know beforehand: executions may then loop for ever, so it looks for those
  /// that do, and reduces nothing.
  public var mayRepeat = false
  /// Which stretches of other CPUs `synchronize` and callbacks wait for.
  public var readCopyUpdate = ReadCopyUpdate.consolidated
  /// What the modelled MMU can do.
  public var features = Features()
  /// What becomes of the steps that order CPUs.
  public var ablation = Ablation.none
  /// What the scenario is called, for reports on its code; nil if nobody has said.
  var origin: CodeOrigin?

  public init(
    geometry: Geometry = Geometry(levels: 2, entries: 2), format: EntryFormat = .armStage2
  ) {
    self.geometry = geometry
    self.format = format
  }

  private func reserve(_ name: String, initial: UInt64 = 0, cells: UInt32 = 1) -> Location {
    precondition(
      nextCell + cells < Layout.namedCapacity, "a scenario holds at most 4,095 words")
    let location = Location(cell: nextCell, lifetime: 0)
    words.append((name, initial))
    wordCells.append(nextCell)
    nextCell += cells
    return location
  }

  /// A shared word.
  public func word(_ name: String, initial: UInt64 = 0) -> Location {
    reserve(name, initial: initial)
  }

  public func spinLock(_ name: String) -> SpinLock {
    spinLockCells.append(nextCell)
    return SpinLock(location: reserve(name))
  }

  /// A reader–writer lock.
  ///
  /// The cells behind its word are objects only, one for each possible reader: taking the lock for
  /// reading on two CPUs is independent.
  public func readWriteLock(_ name: String) -> ReadWriteLock {
    readWriteLockCells.append(nextCell)
    return ReadWriteLock(location: reserve(name, cells: 1 + UInt32(Machine.cpuCountMax)))
  }

  /// A table page that exists from the start and is where walks begin.
  public func rootTable(_ name: String = "root") -> TablePage {
    precondition(rootNames.count + slabPageCount < Layout.pagesPerOwner)
    rootNames.append(name)
    return Layout.page(rootNames.count - 1, geometry)
  }

  /// Pages that exist from the start and are handed out and taken back again and again.
  ///
  /// They share the places of what exists from the start, of which there are 16.
  public func slab(_ name: String, pages: Int, kind: Slab.Kind = .tables) -> Slab {
    let last = Layout.pagesPerOwner - slabPageCount
    precondition(
      pages >= 1 && rootNames.count + pages <= last, "at most 16 pages exist from the start")
    // From the top: roots come first, and more of them may follow.
    let slab = Slab(
      freePages: reserve(name), firstID: last - pages, count: pages, geometry: geometry)
    slabs.append((name, kind, slab))
    return slab
  }

  func addContext(_ name: String, ownsPages: Bool) -> Context {
    let context = Context(
      state: reserve(name), address: Context.address(ofContext: contexts.count),
      ownsPages: ownsPages)
    contexts.append(context)
    if ownsPages { tracksPages = true }
    return context
  }

  var slabPageCount: Int { slabs.reduce(0) { $0 + $1.slab.count } }

  /// Code that runs alone before the CPUs start, for example to map what is mapped already.
  public func boot(_ body: @escaping (VirtualCPU) throws -> Void) { bootBodies.append(body) }

  /// Adds a CPU; the first added is CPU 0.
  ///
  /// `mmu`: what translates its guest's accesses, if it runs a guest.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, _ operations: Operation...
  ) {
    cpu(name, usesCallbacks: usesCallbacks, mmu: mmu, operations)
  }

  /// Adds a CPU; the first added is CPU 0.
  ///
  /// `mmu`: what translates its guest's accesses, if it runs a guest.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, _ operations: [Operation]
  ) {
    programs.append(
      Program(name: name, operations: operations, usesCallbacks: usesCallbacks, mmu: mmu))
  }

  /// Adds CPUs that run the same operations and differ in nothing but their names.
  ///
  /// A search may then take states that differ only by an exchange of such CPUs for one. Code of
  /// identical CPUs must not tell them apart: it must not look at `VirtualCPU.index`, at the order
  /// of page addresses, or do arithmetic on them. A search that relies on it finds out if it does.
  public func cpus(
    _ names: [String], usesCallbacks: Bool = false, _ operations: Operation...
  ) {
    cpus(names, usesCallbacks: usesCallbacks, operations)
  }

  /// Adds CPUs that run the same operations and differ in nothing but their names.
  public func cpus(_ names: [String], usesCallbacks: Bool = false, _ operations: [Operation]) {
    if names.count > 1 {
      identicalCPUs.append(Array(programs.count..<(programs.count + names.count)))
    }
    for name in names { cpu(name, usesCallbacks: usesCallbacks, operations) }
  }

  /// What to say of identical CPUs that are too many to exchange them all; nil if all are.
  public var symmetryLimit: String? {
    let permutations = CPUPermutations(of: identicalCPUs, callers: [], programs.count)
    guard permutations.exchangedCount < permutations.declaredCount else { return nil }
    return
      "only \(permutations.exchangedCount) of \(permutations.declaredCount) identical CPUs are "
      + "exchanged: more than \(CPUPermutations.countMax) orders would cost more than they save"
  }

  /// Gives addresses that are mapped data frames to lead to, numbered from 0.
  ///
  /// Each has an owner, a count of the writes that reached it, and the count there was when it was
  /// last copied: words of their own. Without frames, guests' accesses end at the translation.
  public func dataFrames(_ count: Int) -> [DataFrame] {
    precondition(dataFrames.isEmpty, "a scenario declares its data frames once")
    for number in 0..<count {
      let name = "frame \(hexadecimal(number))"
      dataFrames.append(
        DataFrame(
          number: number, owner: word("\(name) owner"), content: word("\(name) content"),
          copied: word("\(name) copy")))
    }
    return dataFrames
  }

  /// Adds somebody who data frames may belong to.
  public func frameOwner(_ name: String) -> FrameOwner {
    let owner = FrameOwner(id: 2 + frameOwners.count, name: name)
    frameOwners.append(owner)
    return owner
  }

  /// True if some CPU has a memory management unit.
  public var hasHardware: Bool { programs.contains { $0.mmu != nil } }

  /// True if the scenario has page tables, and not only words.
  public var hasTables: Bool { !rootNames.isEmpty }

  /// Adds an invariant that must hold.
  public func require(_ invariant: any Invariant) { invariants.append(invariant) }

  public func require(_ list: [any Invariant]) { invariants += list }

  /// False if an invariant is about locks and there are none: it need not be listed then.
  public func mayViolate(_ invariant: any Invariant) -> Bool {
    guard case .wherever(let facets) = invariant.applicability, facets.contains(.locks) else {
      return true
    }
    return !spinLockCells.isEmpty || !readWriteLockCells.isEmpty
  }

  /// Drops all invariants but those with the given ids.
  public func keepInvariants(_ isKept: (String) -> Bool) {
    invariants.removeAll { !isKept($0.id) }
  }
}
