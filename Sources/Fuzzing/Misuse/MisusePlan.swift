// The plan of a model that misuses the API: plain data, so that each build gives the same scenario.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine

/// The scenario of such a model.
struct MisusePlan: Sendable {
  struct Step: Sendable {
    var kind: Int
    /// Operands; their meaning depends on the kind.
    var a: Int
    var b: Int
    var value: UInt64
    /// Whether the object belongs to another scenario.
    var isForeign: Bool
    /// Whether the code continues after an error.
    var swallows: Bool
  }

  struct CPU: Sendable {
    var name: String
    var usesCallbacks: Bool
    /// Address, times, and whether the root is a foreign one; nil without an MMU.
    var mmu: (address: Int, times: Int, isForeign: Bool)?
    var operations: [(name: String, call: SpecificationCall?, steps: [Step])]
    var copies: Int
  }

  var levels: Int
  var entries: Int
  var words: [String]
  var roots: [String]
  var frames: [Int]
  var slabPages: Int?
  var hasContext: Bool
  var ownerID: Int
  var boot: [Step]
  var cpus: [CPU]
  var requirements: [Int]
  var readsParameter: String?
  var mayRunOutOfMemory: Bool
  var mayRepeat: Bool
  var features: Features
  /// The invalid thing that the invariant reads.
  var look: Step

  init(_ random: inout MisuseChoices) {
    levels = random.once(in: 200) ? random.number(below: 30) : 1 + random.below(2)
    entries = random.once(in: 200) ? random.number(below: 600) : 2
    words = (0..<(1 + random.below(2))).map { _ in "" }
    for index in words.indices { words[index] = random.name("w\(index)") }
    roots = random.once(in: 200) ? (0..<20).map { "r\($0)" } : [random.name("root")]
    frames = random.once(in: 2) ? [random.number(below: 3)] : []
    if random.once(in: 200) { frames.append(1) }
    slabPages = random.once(in: 4) ? random.number(below: 3) : nil
    hasContext = random.once(in: 4)
    ownerID = random.number(below: 4)
    boot = random.once(in: 2) ? Self.steps(&random, 3) : []
    let count = random.once(in: 200) ? random.pick([0, 58, 63, 70]) : 1 + random.below(2)
    cpus = (0..<count).map { Self.cpu(&random, $0) }
    requirements = (0..<random.below(4)).map { _ in random.below(12) }
    readsParameter = random.once(in: 30) ? random.pick(["size", "sise", ""]) : nil
    mayRunOutOfMemory = random.once(in: 4)
    mayRepeat = random.once(in: 8)
    features = random.once(in: 3) ? random.pick(Architecture.all).features : Features()
    look = Self.step(&random)
  }

  private static func cpu(_ random: inout MisuseChoices, _ number: Int) -> CPU {
    var operations: [(name: String, call: SpecificationCall?, steps: [Step])] = []
    for index in 0..<(random.once(in: 200) ? 0 : 1 + random.below(2)) {
      let call =
        random.once(in: 4)
        ? SpecificationCall(
          operation: random.number(below: 3), argument: random.number(below: 3)) : nil
      operations.append((random.name("operation \(index)"), call, steps(&random, 4)))
    }
    var mmu: (address: Int, times: Int, isForeign: Bool)?
    if random.once(in: 3) {
      mmu = (random.number(below: 4), random.number(below: 2), random.once(in: 40))
    }
    if case .some(let unit) = mmu, unit.times > 3 { mmu?.times = 3 }
    return CPU(
      name: random.name("cpu \(number)"), usesCallbacks: random.once(in: 3), mmu: mmu,
      operations: operations, copies: random.once(in: 6) ? 2 : 1)
  }

  private static func steps(_ random: inout MisuseChoices, _ most: Int) -> [Step] {
    (0..<(1 + random.below(most))).map { _ in step(&random) }
  }

  private static func step(_ random: inout MisuseChoices) -> Step {
    Step(
      kind: random.below(Self.kinds), a: random.number(below: 4), b: random.number(below: 3),
      value: random.word(), isForeign: random.once(in: 150), swallows: random.once(in: 20))
  }

  /// Kinds of steps; some are told apart by ranges.
  static let kinds = 60

  // MARK: Building

  func build(_ values: ParameterValues) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: levels, entries: entries))
    if let readsParameter { _ = scenario.word("size \(values[readsParameter])") }
    let own = MisuseObjects(self, scenario)
    let foreign = MisuseObjects(self, Scenario(geometry: scenario.geometry))
    scenario.mayRunOutOfMemory = mayRunOutOfMemory
    scenario.mayRepeat = mayRepeat
    scenario.features = features
    let (boot, ownerID) = (boot, ownerID)
    if !boot.isEmpty {
      scenario.boot { _ = try MisuseCode($0, own, foreign, ownerID).run(boot) }
    }
    for cpu in cpus { add(cpu, to: scenario, own, foreign) }
    for number in requirements { scenario.require(invariant(number, own, foreign)) }
    return scenario
  }

  private func add(
    _ cpu: CPU, to scenario: Scenario, _ own: MisuseObjects, _ foreign: MisuseObjects
  ) {
    let ownerID = ownerID
    let operations = cpu.operations.map { item in
      CPUOperation(item.name, call: item.call) {
        try MisuseCode($0, own, foreign, ownerID).run(item.steps)
      }
    }
    guard let unit = cpu.mmu else {
      let names = (0..<cpu.copies).map { $0 == 0 ? cpu.name : "\(cpu.name) again" }
      return scenario.cpus(names, usesCallbacks: cpu.usesCallbacks, operations)
    }
    let mmu = MMU(
      unit.isForeign ? foreign.root : own.root, speculatesOn: [unit.address], times: unit.times,
      evicts: cpu.copies == 2, owner: ownerID < 2 ? .guest : FrameOwner(id: ownerID, name: "who"))
    scenario.cpu(cpu.name, usesCallbacks: cpu.usesCallbacks, mmu: mmu, operations)
  }

  private func invariant(
    _ number: Int, _ own: MisuseObjects, _ foreign: MisuseObjects
  ) -> any Invariant {
    let seen = look.isForeign ? foreign : own
    switch number {
    case 0:
      return NoGuestWriteWithoutDirtyRecord(frames: [
        NoGuestWriteWithoutDirtyRecord.Frame(
          name: "frame", version: seen.words[0], copied: seen.root[look.a], dirty: own.words[0],
          mapping: NoGuestWriteWithoutDirtyRecord.Mapping(
            root: seen.root, address: look.b,
            geometry: Geometry(levels: levels, entries: entries)))
      ])
    case 1: return ReverseMapAgrees(chains: [.init(frame: look.a, head: seen.words[0])])
    case 2: return PagesAccountedFor(pool: [seen.root[look.b], seen.words[0]])
    case 3: return MisuseLook(step: look, own: own, foreign: foreign)
    case 4: return GracePeriodSafety()
    case 5: return NoFreedPageReachable()
    case 6: return DonatedPageUnreachable()
    default: return InvariantCatalogue.all[abs(look.b % InvariantCatalogue.all.count)]
    }
  }
}

/// The objects that the code of such a model uses.
struct MisuseObjects: Sendable {
  var words: [Location]
  var root: TablePage
  var lock: SpinLock
  var readWriteLock: ReadWriteLock
  var frames: [DataFrame]
  var slab: Slab?
  var context: Context?
  var owner: FrameOwner
  var geometry: Geometry

  init(_ plan: MisusePlan, _ scenario: Scenario) {
    geometry = scenario.geometry
    words = plan.words.map { scenario.word($0) }
    let roots = plan.roots.map { scenario.rootTable($0) }
    root = roots[0]
    lock = scenario.spinLock("lock")
    readWriteLock = scenario.readWriteLock("rwlock")
    frames = []
    for count in plan.frames { frames = scenario.dataFrames(count) }
    slab = plan.slabPages.map { scenario.slab("slab", pages: $0) }
    context = plan.hasContext ? scenario.context("vm", ownsPages: true) : nil
    owner = scenario.frameOwner("owner")
  }
}

/// An invariant that reads things that do not exist.
struct MisuseLook: StateInvariant {
  let step: MisusePlan.Step
  let own: MisuseObjects
  let foreign: MisuseObjects

  let id = "a-look"
  let statement = "Nothing is wrong with \u{1B}[1mthis\u{1B}[0m."
  let rationale = "None."
  let source = "None."
  let applicability = Applicability.chosen("only to see what comes of it")

  func judgeState(of machine: Machine) -> Violation? {
    let seen = step.isForeign ? foreign : own
    switch step.kind % 8 {
    case 0: _ = machine.entry(of: seen.root, step.a)
    case 1: _ = machine.value(of: seen.root[step.b])
    case 2: _ = machine.view(of: seen.root)
    case 3: _ = own.geometry.index(of: step.a, at: step.b)
    case 4: _ = machine.page(step.a).map { machine.entry(of: $0, step.b) }
    case 5: _ = machine.entry(at: step.value)
    case 6: _ = machine.page(at: seen.root.address(ofEntry: step.a))
    default: return step.a == 3 ? Violation("\u{1B}[31mred\u{202E}", details: ["a\nb"]) : nil
    }
    return nil
  }
}
