// Handles of another scenario, and impossible names, declarations and boot code.

import Gracewalk
import GracewalkChecking
import GracewalkFuzzing
import GracewalkInvariants
import GracewalkMachine
import Testing

private func outcome(
  _ change: @escaping @Sendable (Scenario, Scenario) -> Void
) -> String {
  outcome(
    of: Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in
      let scenario = Scenario()
      change(scenario, Scenario())
      if scenario.programs.isEmpty { scenario.cpu("idle", CPUOperation("nothing") { _ in }) }
      return scenario
    })
}

private func outcome(of model: Model, _ options: CheckOptions = CheckOptions()) -> String {
  do { return "\(try model.check(options).verdict)" } catch {
    return "\(error)".replacing(#/ModelTests/MisuseScenarioTests\.swift:\d+: /#, with: "@ ")
  }
}

/// A model of one CPU with one operation, with a given declaration.
private func declared(
  parameters: [Parameter] = [], expectation: GracewalkChecking.Expectation = .holds,
  mustHappen: [ExpectedOutcome] = [], exempt: [Exemption] = [],
  instances: [[String: Int]] = [[:]], reading name: String? = nil
) -> String {
  outcome(
    of: Model(
      name: "m", summary: "s", scenario: "s", parameters: parameters, expectation: expectation,
      mustHappen: mustHappen, exempt: exempt, instances: instances
    ) { values in
      let scenario = Scenario()
      if let name { _ = scenario.word("\(values[name])") }
      let word = scenario.word("w")
      scenario.cpu("a", CPUOperation("load") { try $0.load(word, .relaxed) })
      return scenario
    })
}

struct MisuseScenarioTests {
  private static func foreign(_ what: String) -> String {
    "the model: @ a in op: \(what) of another scenario is used; take it from the scenario that is "
      + "being built, every time"
  }

  @Test func thingsOfAnotherScenario() {
    func used(
      _ use: @escaping @Sendable (Scenario, Scenario) -> (@Sendable (VirtualCPU) throws -> Void)
    ) -> String {
      outcome { scenario, other in scenario.cpu("a", CPUOperation("op", use(scenario, other))) }
    }
    #expect(
      used { _, other in
        let word = other.word("x")
        return { try $0.store(word, 1, .relaxed) }
      } == Self.foreign("a word"))
    #expect(
      used { _, other in
        let lock = other.spinLock("x")
        return { try $0.lock(lock) }
      } == Self.foreign("a lock"))
    #expect(
      used { _, other in
        let lock = other.readWriteLock("x")
        return { try $0.writeLock(lock) }
      } == Self.foreign("a lock"))
    #expect(
      used { _, other in
        let page = other.rootTable()
        return { try $0.free(page) }
      } == Self.foreign("a table page"))
    #expect(
      used { _, other in
        let page = other.rootTable()
        return { _ = try $0.load(page[0], .relaxed) }
      } == Self.foreign("a word"))
    #expect(
      used { _, other in
        let slab = other.slab("s", pages: 1)
        return { _ = try $0.allocate(from: slab) }
      } == Self.foreign("a slab"))
    #expect(
      used { _, other in
        let context = other.context("vm")
        return { try $0.use(context) }
      } == Self.foreign("a context"))
    #expect(
      used { _, other in
        let frame = other.dataFrames(1)[0]
        return { try $0.handOver(frame, to: .nobody) }
      } == Self.foreign("a data frame"))
    #expect(
      used { scenario, other in
        let (frame, owner) = (scenario.dataFrames(1)[0], other.frameOwner("vm"))
        return { try $0.handOver(frame, to: owner) }
      } == "the model: @ a in op: 'vm' owns frames in another scenario")
    #expect(
      used { _, other in
        let page = other.rootTable()
        return { _ in _ = Descriptor.table(page) }
      } == "the model: @ a in op: an entry is made that points to a table page of another scenario")
    #expect(
      outcome { scenario, other in
        scenario.cpu("a", mmu: MMU(other.rootTable()), CPUOperation("op") { _ in })
      } == "the model: @ the MMU of a walks a table of another scenario")
  }

  /// Handles of two scenarios differ only in the scenario, which comparisons ignore.
  @Test func handlesCompareWithoutTheirScenario() {
    let (one, other) = (Scenario(), Scenario())
    let (first, second) = (one.rootTable(), other.rootTable())
    #expect(first == second)
    #expect(first[1] == second[1])
    #expect(Set([first, second]).count == 1)
    #expect(one.word("x") == other.word("y"))
    #expect(first[2] != first[3])
  }

  @Test func invariantsThatLookElsewhere() {
    struct Look: StateInvariant {
      let page: TablePage
      let index: Int
      let id = "look", statement = "", rationale = "", source = ""
      let applicability = Applicability.chosen("a test")

      func judgeState(of machine: Machine) -> Violation? {
        machine.entry(of: page, index).isValid ? Violation("valid") : nil
      }
    }
    #expect(
      outcome { scenario, _ in scenario.require(Look(page: scenario.rootTable(), index: 2)) }
        == "the model: @ root[2] is outside of the table page, whose 2 entries go from 0 to 1")
    #expect(
      outcome { scenario, other in scenario.require(Look(page: other.rootTable(), index: 0)) }
        == "the model: @ a word that is looked at belongs to another scenario")
  }

  @Test func aScenarioThatIsBuiltOnce() {
    let text = outcome(of: Self.once)
    #expect(
      text == "the model: @ build returns the same scenario again; it must make a new one each time"
    )
  }

  private static let once: Model = {
    nonisolated(unsafe) let scenario = Scenario()
    scenario.cpu("a", CPUOperation("op") { _ in })
    return Model(name: "m", summary: "s", scenario: "s", expectation: .holds) { _ in scenario }
  }()

  // MARK: Boot

  @Test func bootCodeWaits() {
    let text = "waits for another CPU, but no CPU runs yet"
    #expect(
      outcome { scenario, _ in
        let word = scenario.word("x")
        scenario.boot { try $0.wait(until: word, .equals(1)) }
      } == "the model: @ boot: 'wait x = 1' \(text)")
    #expect(
      outcome { scenario, _ in
        let lock = scenario.spinLock("l")
        scenario.boot { cpu in
          try cpu.lock(lock)
          try cpu.lock(lock)
        }
      } == "violated")
    #expect(
      outcome { scenario, _ in
        let lock = scenario.spinLock("l")
        scenario.boot { try $0.lock(lock) }
      } == "the model: boot code ends and still holds l, which no CPU can release")
    #expect(
      outcome { scenario, _ in scenario.boot { try $0.rcuReadLock() } }
        == "the model: boot code ends inside a read-side section, which no CPU can leave")
    #expect(
      outcome { scenario, _ in scenario.boot { try $0.maskInterrupts() } }
        == "the model: boot code ends with interrupts masked")
  }

  /// Boot code is judged where it runs; its red twin frees once.
  @Test(arguments: [1, 2]) func bootCodeIsJudged(times: Int) throws {
    let scenario = Scenario()
    scenario.boot { cpu in
      guard let page = try cpu.allocateTable() else { return }
      for _ in 0..<times { try cpu.free(page) }
    }
    scenario.cpu("a", CPUOperation("nothing") { _ in })
    scenario.require(InvariantCatalogue.tables)
    let machine = Machine(scenario)
    #expect(machine.judgeStart() == (times == 1 ? .clean : .violation))
    let id = machine.violation.map { scenario.invariants[$0.invariant].id }
    #expect(id == (times == 1 ? nil : "no-double-free"))
  }

  // MARK: Names

  @Test func twoOfOneName() {
    func twice(_ make: @escaping @Sendable (Scenario) -> Void) -> String {
      outcome { scenario, _ in
        make(scenario)
        make(scenario)
      }
    }
    let end = "of the name 'x' exists already: reports could not tell them apart"
    #expect(twice { $0.cpu("x", CPUOperation("op") { _ in }) } == "the model: @ a CPU \(end)")
    #expect(twice { _ = $0.word("x") } == "the model: @ a word \(end)")
    #expect(twice { _ = $0.spinLock("x") } == "the model: @ a lock \(end)")
    #expect(twice { _ = $0.rootTable("x") } == "the model: @ a root table \(end)")
    #expect(twice { _ = $0.frameOwner("x") } == "the model: @ an owner of frames \(end)")
    // Requiring an invariant twice is allowed.
    #expect(twice { $0.require(NoDoubleFree()) } == "holds")
    #expect(
      outcome { scenario, _ in
        let (one, other) = (scenario.word("one"), scenario.word("other"))
        scenario.require(PagesAccountedFor(pool: [one]))
        scenario.require(PagesAccountedFor(pool: [other]))
      } == "the model: @ two different invariants are called pages-accounted-for")
    #expect(
      outcome { scenario, _ in
        scenario.cpu("x", usesCallbacks: true, CPUOperation("op") { _ in })
        scenario.cpu("x/rcu", CPUOperation("op") { _ in })
      }
        == "the model: @ a CPU of the name 'x/rcu' exists already: reports could not tell them "
        + "apart"
    )
  }

  @Test func emptyNames() {
    #expect(outcome { scenario, _ in _ = scenario.word("") } == "the model: @ a word has no name")
    #expect(
      outcome { scenario, _ in scenario.cpu(" ", CPUOperation("op") { _ in }) }
        == "the model: @ a CPU has no name")
    #expect(
      outcome { scenario, _ in scenario.cpu("a", CPUOperation("") { _ in }) }
        == "the model: @ an operation has no name")
  }

  @Test func controlCharacters() throws {
    let model = Model(
      name: "m\u{1B}[31m", summary: "s", scenario: "s", expectation: .violates(["progress"])
    ) { _ in
      let scenario = Scenario()
      let word = scenario.word("w\u{202E}")
      scenario.cpu("a\n", CPUOperation("op\u{7}") { try $0.wait(until: word, .equals(1)) })
      return scenario
    }
    let report = try model.check()
    let trace = try #require(report.counterexample)
    for text in ["\(trace)", report.model, "\(report.coverage)"] {
      #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("\u{7}"))
    }
    #expect(report.model == "m\\u{1b}[31m")
    #expect(trace.recording.cpus == ["a\\u{a}"])
  }

  // MARK: Declarations

  @Test func declarations() {
    #expect(declared() == "holds")
    #expect(
      declared(mustHappen: [ExpectedOutcome("laod", "0")])
        == "the model: mustHappen names the operation 'laod', which no CPU has; there are 'load'")
    #expect(
      declared(mustHappen: [ExpectedOutcome("laod", "0", where: { _, _ in false })]) == "holds")
    #expect(
      declared(expectation: .violates([]))
        == "the model: expectation .violates([]) names no invariant")
    #expect(
      declared(expectation: .violates(["progres"]))
        == "the model: is declared to violate 'progres', which it does not require; did you mean "
        + "progress?")
    #expect(
      declared(exempt: [Exemption("no-stale-usage", "why")]).hasPrefix(
        "the model: is exempt from 'no-stale-usage', which is not an invariant; did you mean "
          + "no-stale-use"
      ))
    let size = Parameter("size", "a size", 1...3, standard: 2)
    #expect(
      declared(parameters: [Parameter("size", "a size", 1...3, standard: 4)])
        == "the model: the default value of 'size', 4, is out of its range, 1 to 3")
    #expect(
      declared(parameters: [size, size]) == "the model: two parameters have the name 'size'")
    #expect(
      declared(parameters: [size], instances: [["size": 4]])
        == "the model: an instance has size=4, out of its range, 1 to 3")
    #expect(
      declared(parameters: [size], instances: [["sise": 2]])
        == "the model: an instance has a value for 'sise', which is not a parameter; did you mean "
        + "size?"
    )
    #expect(
      declared(instances: [])
        == "the model: instances is empty: there would be nothing to verify")
    #expect(
      declared(parameters: [size], reading: "sise")
        == "the model: @ the model declares no parameter 'sise'; it has size")
  }

  @Test func vocabularies() {
    func swept(_ names: [String], _ symmetries: [[Int]] = [], cpu: String? = nil) -> String {
      let model = Model(
        name: "m", summary: "s", scenario: "s", expectation: .holds,
        vocabulary: Vocabulary(start: "s", symmetries: symmetries) {
          let scenario = Scenario()
          if let cpu { scenario.cpu(cpu, CPUOperation("op") { _ in }) }
          return (scenario, names.map { Vocabulary.Word(CPUOperation($0) { _ in }) })
        }
      ) { _ in
        let scenario = Scenario()
        scenario.cpu("a", CPUOperation("op") { _ in })
        return scenario
      }
      do {
        _ = try model.sweep(SweepOptions())
        return outcome(of: model)
      } catch { return "\(error)" }
    }
    #expect(swept(["a", "b"]) == "holds")
    #expect(swept(["a 1", "a-1"]).contains("two operations that combinations would call 'a-1'"))
    #expect(
      swept(["a", "b"], [[0, 2]]).contains("is not a permutation of its 2 operations: [0, 2]"))
    #expect(swept(["?"]).contains("has no letter or digit in its name"))
    #expect(swept([]).contains("the vocabulary has no operations to combine"))
    #expect(
      swept(["a"], cpu: "extra").contains("the vocabulary's scenario has the CPU 'extra'"))
  }

  @Test func options() throws {
    let model = Self.plain
    for change: (inout CheckOptions) -> Void in [
      { $0.jobs = 0 }, { $0.limits.depth = 0 }, { $0.limits.depth = .max },
      { $0.limits.preemptions = -1 }, { $0.priorityChanges = -1 }, { $0.limits.states = 0 },
    ] {
      var options = CheckOptions()
      change(&options)
      #expect(throws: CheckError.self) { try model.check(options) }
    }
    var options = CheckOptions()
    options.limits.depth = -1
    #expect(outcome(of: model, options) == "a bound of -1 steps: it must be from 1 to 1000000000")
    #expect([model, model].listProblem == "two models have the name 'plain'")
    #expect(throws: SweepError.self) { try model.sweep(SweepOptions()) }
  }

  private static let plain = Model(
    name: "plain", summary: "s", scenario: "s", expectation: .holds
  ) { _ in
    let scenario = Scenario()
    scenario.cpu("a", CPUOperation("op") { _ in })
    return scenario
  }

  // MARK: All together

  /// 100,000 and more by the command: `gracewalk fuzz --misuse 100000`.
  @Test func madeUpModels() {
    let report = MisuseFuzzer().run(seeds: 0..<5_000)
    #expect(report.mismatches == [])
    #expect(report.models == 5_000)
    #expect(report.holding > 100 && report.violated > 50 && report.refused > 1_000)
  }
}
