// The start of an execution: words, locks, tables, slabs, frames, boot code, CPUs.

import GracewalkFibers
import GracewalkSupport

/// The starting point of a check: memory, CPUs and their operations.
///
/// A model's `build` closure makes a fresh one for every machine, so it must depend only on its
/// parameters.
public final class Scenario {
  public let geometry: Geometry
  /// The layout of the words and pages that it declares.
  let space: AddressSpace
  /// The meaning of the bits of table entries.
  public var format: EntryFormat
  /// A number that is unique in the process.
  let number: UInt32
  /// The first mistake made while building it, with its place.
  public internal(set) var problem: String?
  /// Whether a machine was made from it: each machine needs a fresh one.
  var isTaken = false
  /// The place where it was created.
  let site: SourceSite
  /// The step that its model leaves out, in words.
  let omission = MisuseSink.omission
  private var names: Set<String> = []
  private(set) var words: [(name: String, initial: UInt64)] = []
  private(set) var wordCells: [UInt32] = []
  private(set) var nextCell: UInt32 = 1
  private(set) var spinLockCells: [UInt32] = []
  private(set) var readWriteLockCells: [UInt32] = []
  private(set) var rootNames: [String] = []
  public private(set) var dataFrames: [DataFrame] = []
  /// Owners of data frames other than the guest and nobody.
  private(set) var frameOwners: [FrameOwner] = []
  private(set) var slabs: [(name: String, kind: Slab.Kind, slab: Slab)] = []
  private(set) var contexts: [Context] = []
  /// Whether pages belong to a context, so that allocating and freeing them are steps.
  private(set) var tracksPages = false
  public private(set) var programs: [Program] = []
  /// Groups of CPUs that run the same program, by number.
  public private(set) var identicalCPUs: [[Int]] = []
  private(set) var bootBodies: [(VirtualCPU) throws -> Void] = []
  /// The required invariants; the number of an invariant is its position here.
  public private(set) var invariants: [any Invariant] = []
  /// Whether allocations may fail, which makes each a choice.
  public var mayRunOutOfMemory = false
  /// Whether code may use `VirtualCPU.repeatUntilDone`.
  ///
  /// The search must know in advance: executions may then loop forever, so it looks for livelocks
  /// and uses no reduction.
  public var mayRepeat = false
  /// Which sections of other CPUs `synchronizeRCU` and callbacks wait for.
  public var readCopyUpdate = ReadCopyUpdate.consolidated
  /// The memory model: the values of loads, and the visibility of stores.
  public var memoryModel = MemoryModel.standard
  /// Whether code may use `plainLoad`: under Armv8 the old contents of pages are then kept until
  /// nobody can find them any more.
  public var readsPlainly = false
  /// Rules of weaker memory that a test leaves out.
  package var omittedRules: OmittedRules = []
  /// The features of the modelled MMU.
  public var features = Features()
  /// What else its CPUs could be told to do, for a sweep.
  package var offer: (any Sendable)?
  /// Whether it is one of the combinations of a sweep.
  package var isCombination = false
  /// Whether an error thrown by code merely ends its CPU's program, if no invariant judges it.
  package var letsErrorsPass = false
  /// The treatment of steps that order CPUs.
  public var ablation = Ablation.none
  /// The name of the scenario in reports on its code, or nil.
  var origin: CodeOrigin?
  /// Where a step that is weakened is, as far as its name does not say so.
  package var weakenedPlaces = WeakenedPlaces()

  public init(
    geometry: Geometry = Geometry(levels: 2, entries: 2), format: EntryFormat = .armStage2,
    capacity: Capacity = .standard, file: String = #fileID, line: Int = #line
  ) {
    self.geometry = geometry
    self.format = format
    number = ScenarioNumber.next()
    let isPossible = capacity.problem == nil
    space = AddressSpace(geometry, isPossible ? capacity : .standard, scenario: number)
    site = SourceSite(file: file, line: line)
    if let text = geometry.problem ?? capacity.problem { note(text, site) }
  }

  /// Stores a mistake, which the check will throw; only the first is kept.
  func note(_ text: String, _ site: SourceSite? = nil) {
    if problem == nil { problem = "\((site ?? self.site).text): \(text)".printable }
  }

  /// Stores a mistake in something that the scenario is built from.
  package func note(_ text: String, file: String, line: Int) {
    note(text, SourceSite(file: file, line: line))
  }

  /// Checks that an object has a name that is unique among objects of its kind.
  private func claim(_ name: String, _ kind: String, _ site: SourceSite) {
    if name.allSatisfy(\.isWhitespace) {
      note("\(kind) has no name", site)
    } else if !names.insert("\(kind) \(name)").inserted {
      note("\(kind) of the name '\(name)' exists already: reports could not tell them apart", site)
    }
  }

  private func reserve(
    _ name: String, _ site: SourceSite, kind: String = "a word", initial: UInt64 = 0,
    cells: UInt32 = 1
  ) -> Location {
    claim(name, kind, site)
    guard space.hasRoom(for: cells, at: nextCell) else {
      note(
        "the scenario has room for \(space.capacity.words) words, of which a lock for readers and "
          + "writers takes \(1 + Machine.cpuCountMax) and a data frame three: give it room for "
          + "more with Scenario(capacity:)", site)
      return Location(cell: 1, lifetime: 0, scenario: number)
    }
    let location = Location(cell: nextCell, lifetime: 0, scenario: number)
    words.append((name.printable, initial))
    wordCells.append(nextCell)
    nextCell += cells
    return location
  }

  /// A shared word.
  public func word(
    _ name: String, initial: UInt64 = 0, file: String = #fileID, line: Int = #line
  ) -> Location {
    reserve(name, SourceSite(file: file, line: line), initial: initial)
  }

  /// A shared word that holds values of a type.
  public func variable<Value: WordValue>(
    _ name: String, initial: Value, file: String = #fileID, line: Int = #line
  ) -> Word<Value> {
    Word(word(name, initial: initial.word, file: file, line: line))
  }

  public func spinLock(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> SpinLock {
    spinLockCells.append(nextCell)
    return SpinLock(location: reserve(name, SourceSite(file: file, line: line), kind: "a lock"))
  }

  /// A reader–writer lock.
  ///
  /// The cells after its word are only objects in footprints, one for each possible reader, so that
  /// two CPUs take the lock for reading independently.
  public func readWriteLock(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> ReadWriteLock {
    readWriteLockCells.append(nextCell)
    return ReadWriteLock(
      location: reserve(
        name, SourceSite(file: file, line: line), kind: "a lock",
        cells: 1 + UInt32(Machine.cpuCountMax)))
  }

  /// A table page that exists from the start, at which walks begin.
  public func rootTable(
    _ name: String = "root", file: String = #fileID, line: Int = #line
  ) -> TablePage {
    let site = SourceSite(file: file, line: line)
    claim(name, "a root table", site)
    guard rootNames.count + slabPageCount < space.capacity.pagesPerCPU else {
      note(pagesText, site)
      return space.page(0)
    }
    rootNames.append(name.printable)
    return space.page(rootNames.count - 1)
  }

  private var pagesText: String {
    "at most \(space.capacity.pagesPerCPU) pages exist from the start, root tables and those of "
      + "slabs: give the scenario room for more with Scenario(capacity:)"
  }

  /// Pages that exist from the start and are allocated and freed repeatedly.
  ///
  /// They count towards the initial pages: `Capacity.pagesPerCPU`.
  public func slab(
    _ name: String, pages: Int, kind: Slab.Kind = .tables,
    file: String = #fileID, line: Int = #line
  ) -> Slab {
    let site = SourceSite(file: file, line: line)
    let freePages = reserve(name, site, kind: "a slab")
    let last = space.capacity.pagesPerCPU - slabPageCount
    guard (1...Slab.pagesMax).contains(pages), pages <= last - rootNames.count else {
      let bound =
        pages < 1 ? "at least one" : pages > Slab.pagesMax ? "at most \(Slab.pagesMax)" : nil
      note(bound.map { "a slab of \(pages) pages: it has \($0)" } ?? pagesText, site)
      return Slab(freePages: freePages, firstID: 0, count: 1, space: space)
    }
    // Slabs use ids from the top, since more roots may follow at the bottom.
    let slab = Slab(
      freePages: freePages, firstID: last - pages, count: pages, space: space)
    slabs.append((name.printable, kind, slab))
    return slab
  }

  func addContext(_ name: String, ownsPages: Bool, _ site: SourceSite) -> Context {
    let context = Context(
      state: reserve(name, site, kind: "a context"),
      address: AddressSpace.address(ofContext: contexts.count),
      ownsPages: ownsPages)
    contexts.append(context)
    if ownsPages { tracksPages = true }
    return context
  }

  var slabPageCount: Int { slabs.reduce(0) { $0 + $1.slab.count } }

  /// Code that runs alone before the CPUs start, for example to create initial mappings.
  ///
  /// It is judged like all other code. It must not wait, since no CPU runs yet.
  public func boot(_ body: @escaping (VirtualCPU) throws -> Void) { bootBodies.append(body) }

  /// Adds a CPU; the first added is CPU 0.
  ///
  /// `mmu`: what translates its guest's accesses, if it runs a guest.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, _ operations: CPUOperation...,
    file: String = #fileID, line: Int = #line
  ) {
    cpu(name, usesCallbacks: usesCallbacks, mmu: mmu, operations, file: file, line: line)
  }

  /// Adds a CPU; the first added is CPU 0.
  ///
  /// `mmu`: what translates its guest's accesses, if it runs a guest.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, _ operations: [CPUOperation],
    file: String = #fileID, line: Int = #line
  ) {
    let site = SourceSite(file: file, line: line)
    claim(name, "a CPU", site)
    if usesCallbacks { claim(Machine.callbackName(name), "a CPU", site) }
    if let mmu, mmu.times > 0 { claim(Machine.walkerName(name), "a CPU", site) }
    admit(operations, site)
    if let mmu { admit(mmu, of: name, site) }
    programs.append(
      Program(
        name: name.printable, operations: operations, usesCallbacks: usesCallbacks, mmu: mmu,
        code: nil))
  }

  /// Adds a CPU that runs code other than closures.
  ///
  /// - Parameter code: makes its code; called once for each machine.
  package func cpu(
    _ name: String, operations: [String], file: String = #fileID, line: Int = #line,
    code: @escaping @Sendable (MachineCPU) -> any CPUCode
  ) {
    claim(name, "a CPU", SourceSite(file: file, line: line))
    programs.append(
      Program(
        name: name.printable, operations: operations.map { CPUOperation(named: $0) },
        usesCallbacks: false, mmu: nil, code: code))
  }

  /// Adds a CPU that runs one operation, whose result traces show.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, runs operation: String,
    call: SpecificationCall? = nil, file: String = #fileID, line: Int = #line,
    function: String = #function,
    _ body: @escaping @Sendable (VirtualCPU) throws -> any OperationResult
  ) {
    let operations = [CPUOperation(operation, call: call, function: function, body)]
    cpu(name, usesCallbacks: usesCallbacks, mmu: mmu, operations, file: file, line: line)
  }

  /// Adds a CPU that runs one operation, which returns nothing.
  public func cpu(
    _ name: String, usesCallbacks: Bool = false, mmu: MMU? = nil, runs operation: String,
    file: String = #fileID, line: Int = #line, function: String = #function,
    _ body: @escaping @Sendable (VirtualCPU) throws -> Void
  ) {
    let operations = [CPUOperation(operation, function: function, body)]
    cpu(name, usesCallbacks: usesCallbacks, mmu: mmu, operations, file: file, line: line)
  }

  /// Adds CPUs that run the same operations and differ in nothing but their names.
  ///
  /// A search may then merge states that differ only by an exchange of such CPUs. Code of identical
  /// CPUs must not tell them apart: it must not look at `VirtualCPU.index` or at the order of page
  /// addresses, and must not do arithmetic on addresses. A search that uses symmetry detects
  /// violations.
  public func cpus(
    _ names: [String], usesCallbacks: Bool = false, _ operations: CPUOperation...,
    file: String = #fileID, line: Int = #line
  ) {
    cpus(names, usesCallbacks: usesCallbacks, operations, file: file, line: line)
  }

  /// Adds CPUs that run the same operations and differ in nothing but their names.
  public func cpus(
    _ names: [String], usesCallbacks: Bool = false, _ operations: [CPUOperation],
    file: String = #fileID, line: Int = #line
  ) {
    if names.count > 1 {
      identicalCPUs.append(Array(programs.count..<(programs.count + names.count)))
    }
    for name in names {
      cpu(name, usesCallbacks: usesCallbacks, operations, file: file, line: line)
    }
  }

  /// A note if there are too many identical CPUs to exchange them all; nil if all are exchanged.
  public var symmetryLimit: String? {
    let permutations = CPUPermutations(of: identicalCPUs, callers: [], programs.count)
    guard permutations.exchangedCount < permutations.declaredCount else { return nil }
    return
      "only \(permutations.exchangedCount) of \(permutations.declaredCount) identical CPUs are "
      + "exchanged: more than \(CPUPermutations.countMax) orders would cost more than they save"
  }

  /// Adds data frames to map, numbered from 0.
  ///
  /// Each has words for its owner, the count of the writes that reached it, and that count at the
  /// time of its last copy. Without frames, guests' accesses end at the translation.
  public func dataFrames(
    _ count: Int, file: String = #fileID, line: Int = #line
  ) -> [DataFrame] {
    let site = SourceSite(file: file, line: line)
    let countMax = space.capacity.words / 3
    if !dataFrames.isEmpty { note("a scenario declares its data frames once", site) }
    if count < 0 { note("\(count) data frames: there cannot be less than none", site) }
    if count > countMax { note("\(count) data frames are too many", site) }
    guard dataFrames.isEmpty else { return dataFrames }
    // After a mistake, too: the lines that follow may index them, and must not trap.
    for number in 0..<max(0, min(count, countMax)) {
      let name = "frame \(hexadecimal(number))"
      dataFrames.append(
        DataFrame(
          number: number, owner: reserve("\(name) owner", site),
          content: reserve("\(name) content", site), copied: reserve("\(name) copy", site)))
    }
    return dataFrames
  }

  /// Adds a possible owner of data frames.
  public func frameOwner(
    _ name: String, file: String = #fileID, line: Int = #line
  ) -> FrameOwner {
    claim(name, "an owner of frames", SourceSite(file: file, line: line))
    let owner = FrameOwner(id: 2 + frameOwners.count, name: name, scenario: number)
    frameOwners.append(owner)
    return owner
  }

  /// True if some CPU has a memory management unit.
  public var hasHardware: Bool { programs.contains { $0.mmu != nil } }

  /// True if the scenario has page tables.
  public var hasTables: Bool { !rootNames.isEmpty }

  /// Requires an invariant; requiring it again has no effect.
  public func require(
    _ invariant: any Invariant, file: String = #fileID, line: Int = #line
  ) {
    let site = SourceSite(file: file, line: line)
    if let known = invariants.first(where: { $0.id == invariant.id }) {
      if String(reflecting: known) == String(reflecting: invariant) { return }
      note("two different invariants are called \(invariant.id)", site)
    }
    if !invariant.id.isOneWord {
      note("'\(invariant.id)' is not an id of an invariant: lower case, with hyphens", site)
    }
    admit(invariant, site)
    invariants.append(invariant)
  }

  public func require(
    _ list: [any Invariant], file: String = #fileID, line: Int = #line
  ) {
    for invariant in list { require(invariant, file: file, line: line) }
  }

  /// False if an invariant is about locks and there are none, so that it need not be listed.
  public func mayViolate(_ invariant: any Invariant) -> Bool {
    guard case .wherever(let facets) = invariant.applicability, facets.contains(.locks) else {
      return true
    }
    return !spinLockCells.isEmpty || !readWriteLockCells.isEmpty
  }

  /// Takes all CPUs out again, for others to be put in.
  package func removeCPUs() {
    programs = []
    identicalCPUs = []
    names = names.filter { !$0.hasPrefix("a CPU ") }
  }

  /// Drops all invariants except those with matching ids.
  public func keepInvariants(_ isKept: (String) -> Bool) {
    invariants.removeAll { !isKept($0.id) }
  }
}
