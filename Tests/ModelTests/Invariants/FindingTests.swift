// Findings in a user's code are counterexamples, and their traces show nothing superfluous.

import Gracewalk
import GracewalkReporting
import Testing

struct Unexpected: Error { var text: String }

/// An error that shows its text as it is.
private struct Raw: Error, CustomStringConvertible { var description: String }

private func model(
  _ name: String, _ fill: @escaping @Sendable (Scenario, TablePage) -> Void
) -> Model {
  Model(name: name, summary: name, scenario: name, expectation: .holds) { _ in
    let scenario = Scenario()
    fill(scenario, scenario.rootTable())
    return scenario
  }
}

/// A page is freed and then written, both before any other CPU could observe it.
private let usesOwnPage = model("uses-own-page") { scenario, _ in
  scenario.cpu(
    "a",
    CPUOperation("free, then store") { cpu in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.free(table)
      try cpu.store(table[0], 1, .relaxed)
    })
  scenario.require(InvariantCatalogue.tables)
}

private func noise(_ times: Int) -> Model {
  model("noise-\(times)") { scenario, root in
    let frames = scenario.dataFrames(1)
    scenario.boot { cpu in
      guard let table = try cpu.allocateTable() else { return }
      try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
      try cpu.store(root[0], Descriptor.table(table).bits, .release)
    }
    scenario.cpu("other", mmu: MMU(root, speculatesOn: [0], times: times), [])
    scenario.cpu(
      "host",
      CPUOperation("unmap") { cpu in
        let entry = Descriptor(bits: try cpu.load(root[0], .acquire))
        guard let table = cpu.table(at: entry) else { return }
        try cpu.store(table[0], 0, .relaxed)
        try cpu.handOver(frames[0], to: .nobody)
      })
    scenario.require(NoReuseWhileCached())
  }
}

private let throwsAnError = model("throws") { scenario, _ in
  let x = scenario.word("x")
  scenario.cpu("a", CPUOperation("set") { cpu in try cpu.store(x, 1, .relaxed) })
  scenario.cpu(
    "b",
    CPUOperation("check") { cpu in
      if try cpu.load(x, .relaxed) == 1 { throw Raw(description: "1\u{1B}[2J") }
    })
}

@Suite struct FirstStepFindingTests {
  @Test(arguments: Strategy.allCases)
  func aViolationBeforeTheFirstStepIsFound(strategy: Strategy) throws {
    var options = CheckOptions()
    options.strategy = strategy
    options.recordsPictures = true
    let report = try usesOwnPage.check(options)
    #expect(report.verdict == .violated)
    #expect(report.violatedInvariant == "no-use-after-free")
    let trace = try #require(report.counterexample)
    #expect(trace.recording.schedule == Schedule())
    #expect(trace.isMinimal)
    #expect(trace.recording.steps.map(\.action).prefix(2) == ["allocate table page", "free a.0"])
    #expect(trace.recording.steps.count == 3)
    #expect(TraceMoments(trace).moments.map(\.label) == ["0", "0.1", "0.2", "0.3"])
    let text = CheckText(report)
    #expect(text.verdict.hasPrefix("violated — no-use-after-free fails; 1 CPU"))
    #expect(text.body.contains("  0 preemptions, 0 steps; no simpler execution shows it"))
  }

  @Test func itsTraceIsReplayed() throws {
    let trace = try #require(try usesOwnPage.check().counterexample)
    #expect(try usesOwnPage.replay("").violation?.invariant == "no-use-after-free")
    let file = try TraceFile(text: TraceFile(trace).text)
    #expect(try TraceReplay.replay(file, of: usesOwnPage) == trace)
    let command = TraceText(trace).replayCommand(namesInvariants: false)
    #expect(command == "gracewalk replay uses-own-page --schedule ''")
    #expect(throws: ReplayFailure.self) { try usesOwnPage.replay("0") }
  }

  /// The first picture is from before any CPU runs; local actions come after it.
  @Test func initiallyNothingHasHappened() throws {
    let early = model("early") { scenario, root in
      scenario.cpu(
        "a",
        CPUOperation("map") { cpu in
          guard let table = try cpu.allocateTable() else { return }
          try cpu.store(table[0], Descriptor.page(0).bits, .relaxed)
          _ = try cpu.load(root[1], .relaxed)
          try cpu.store(root[0], Descriptor.table(table).bits, .release)
          try cpu.free(table)
        })
      scenario.require(NoFreedPageReachable())
    }
    var options = CheckOptions()
    options.recordsPictures = true
    let recording = try #require(try early.check(options).counterexample).recording
    #expect(recording.initialTables == ["root: [0] invalid  [1] invalid"])
    #expect(recording.pictures[0].pages.map(\.name) == ["root"])
    #expect(recording.pictures[1].pages.map(\.name) == ["root", "a.0"])
    #expect(recording.steps[0].isLocal && recording.steps[0].action == "allocate table page")
    #expect(recording.visibleSteps == 3)
  }
}

@Suite struct NoiseTests {
  /// Walks that an MMU may still take do not make a trace longer.
  @Test(arguments: [1, 2, 3])
  func superfluousWalksAreNotTaken(times: Int) throws {
    let trace = try #require(try noise(times).check().counterexample)
    #expect(trace.recording.schedule.text == "2*3,1*3")
    #expect(trace.recording.preemptions == [])
    #expect(trace.isMinimal)
  }

  /// Switching away in the middle of a walk or callback is a preemption; delaying its start is not.
  @Test func delayingAStartIsNoPreemption() throws {
    let inWalk = try Recording(
      try #require(Schedule(text: "2*2,1")), of: try noise(2).scenario())
    #expect(inWalk.preemptions == [2])
    let between = try Recording(
      try #require(Schedule(text: "2*3,1")), of: try noise(2).scenario())
    #expect(between.preemptions == [])
    let callbacks = model("callbacks") { scenario, _ in
      let x = scenario.word("x")
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("call twice") { cpu in
          for _ in 0..<2 { try cpu.callRCU { cpu in try cpu.store(x, 1, .relaxed) } }
          try cpu.store(x, 2, .relaxed)
        })
    }
    func preemptions(_ text: String) throws -> [Int] {
      try callbacks.replay(text).recording.preemptions
    }
    #expect(try preemptions("0*2,1*3,0") == [2])
    #expect(try preemptions("0*2,1*2,0") == [2, 4])
  }
}

@Suite struct ThrownErrorTests {
  @Test(arguments: Strategy.allCases)
  func anErrorIsACounterexample(strategy: Strategy) throws {
    var options = CheckOptions()
    options.strategy = strategy
    let report = try throwsAnError.check(options)
    #expect(report.violatedInvariant == "operations-do-not-throw")
    let trace = try #require(report.counterexample)
    #expect(trace.recording.schedule.text == "0,1")
    #expect(trace.isMinimal)
    let violation = try #require(trace.violation?.report)
    #expect(violation.message == "b throws an error in check: 1\\u{1b}[2J")
    #expect(violation.details.count == 1)
    #expect(violation.details[0].contains("FindingTests.swift:"))
    let last = try #require(trace.recording.steps.last)
    #expect(last.action.hasPrefix("throw 1") && last.isLocal && last.site.line > 0)
  }

  /// It is judged whatever the options require, and need not be named for a replay.
  @Test func itIsAlwaysJudged() throws {
    var options = CheckOptions()
    options.invariants = ["progress"]
    let trace = try #require(try throwsAnError.check(options).counterexample)
    #expect(trace.invariants == ["progress", "operations-do-not-throw"])
    #expect(
      TraceText(trace).replayCommand(namesInvariants: true)
        == "gracewalk replay throws --invariant progress --schedule 0,1")
    let again = try throwsAnError.replay("0,1", invariants: ["progress"])
    #expect(again.violation?.invariant == "operations-do-not-throw")
    let file = try TraceFile(text: TraceFile(trace).text)
    #expect(try TraceReplay.replay(file, of: throwsAnError) == trace)
  }

  /// Older files name fewer invariants.
  @Test func olderTracesStayTraces() throws {
    var trace = try #require(try usesOwnPage.check().counterexample)
    trace.invariants.removeAll { $0 == "operations-do-not-throw" }
    let file = try TraceFile(text: TraceFile(trace).text)
    #expect(try TraceReplay.replay(file, of: usesOwnPage) == trace)
  }

  @Test func callbacksAndBootCodeAreJudged() throws {
    let callback = model("callback") { scenario, _ in
      scenario.cpu(
        "a", usesCallbacks: true,
        CPUOperation("call") { cpu in try cpu.callRCU { _ in throw Unexpected(text: "late") } })
    }
    let late = try #require(try callback.check().counterexample)
    let message = try #require(late.violation?.report.message)
    #expect(message.hasPrefix("a/rcu throws an error in callback 0: "))
    let boots: [@Sendable (VirtualCPU) throws -> Void] = [
      { _ in throw Unexpected(text: "early") },
      { cpu in try cpu.callRCU { _ in throw Unexpected(text: "early") } },
      // Code that catches the resulting `Abandoned` has still thrown the error.
      { cpu in try? cpu.callRCU { _ in throw Unexpected(text: "early") } },
    ]
    for boot in boots {
      let model = model("boot") { scenario, root in
        scenario.boot(boot)
        scenario.cpu("a", CPUOperation("load") { cpu in _ = try cpu.load(root[0], .relaxed) })
      }
      let trace = try #require(try model.check().counterexample)
      #expect(trace.recording.schedule == Schedule())
      let message = try #require(trace.violation?.report.message)
      #expect(message == "boot throws an error: Unexpected(text: \"early\")")
    }
  }

  @Test func bootCodeIsJudged() throws {
    let model = model("boot-double-free") { scenario, root in
      scenario.boot { cpu in
        guard let table = try cpu.allocateTable() else { return }
        try cpu.free(table)
        try cpu.free(table)
      }
      scenario.cpu("a", CPUOperation("load") { cpu in _ = try cpu.load(root[0], .relaxed) })
      scenario.require(InvariantCatalogue.tables)
    }
    #expect(try model.check().violatedInvariant == "no-double-free")
  }

  /// Code that wraps every error it catches, and is abandoned again and again, has thrown nothing.
  @Test(arguments: Strategy.allCases)
  func abandonedCodeMayThrowAnything(strategy: Strategy) throws {
    let model = model("wraps") { scenario, root in
      for name in ["a", "b"] {
        scenario.cpu(
          name,
          CPUOperation("wrap") { cpu in
            do {
              for _ in 0..<3 { _ = try cpu.fetchAdd(root[0], 1, .relaxed) }
            } catch {
              // Uses the machine, which may be gone, while unwinding.
              _ = cpu.table(at: Descriptor(bits: 0))
              throw Unexpected(text: "\(error)")
            }
          })
      }
    }
    var options = CheckOptions()
    options.strategy = strategy
    options.limits.executions = strategy.isComplete ? nil : 50
    let report = try model.check(options)
    #expect(report.violatedInvariant == nil)
    if strategy.isComplete { #expect(report.verdict == .holds) }
  }
}

@Suite struct EndlessCodeTests {
  /// Code that catches `Abandoned` forever is left suspended.
  @Test func codeThatIsNeverAbandonedEnds() throws {
    let model = model("never-ends") { scenario, root in
      for name in ["a", "b"] {
        scenario.cpu(
          name,
          CPUOperation("swallow") { cpu in
            var seen: UInt64?
            while seen == nil { seen = try? cpu.fetchAdd(root[0], 1, .relaxed) }
            seen = nil
            while seen == nil { seen = try? cpu.fetchAdd(root[0], 1, .relaxed) }
          })
      }
    }
    // It is abandoned only at the end.
    #expect(try model.check().verdict == .holds)
  }

  @Test func bootCodeThatNeverEndsIsRefused() throws {
    let bodies: [@Sendable (VirtualCPU, Location) throws -> Void] = [
      { cpu, word in while try cpu.load(word, .relaxed) == 0 {} },
      { cpu, word in while (try? cpu.load(word, .relaxed)) != 1 {} },
      { cpu, _ in
        @Sendable func again(_ cpu: VirtualCPU) throws { try cpu.callRCU(again) }
        try cpu.callRCU(again)
      },
    ]
    for body in bodies {
      let model = model("boot-loops") { scenario, _ in
        let word = scenario.word("word")
        scenario.boot { cpu in try body(cpu, word) }
        scenario.cpu("a", CPUOperation("load") { cpu in _ = try cpu.load(word, .relaxed) })
      }
      let error = #expect(throws: CheckError.self) { try model.check() }
      #expect("\(try #require(error))".contains("before the CPUs start"))
    }
  }
}
