// Calls through one helper are steps of their own: named, left out and replayed one by one.

import Gracewalk
import GracewalkChecking
import GracewalkMachine
import GracewalkTraces
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct CallPathTests {
  private static func flush(_ cpu: VirtualCPU, _ root: TablePage) throws {
    try cpu.dsb()
    try cpu.tlbi(.address(0), of: root)
    try cpu.dsb()
  }

  /// Unmaps, flushes, gives the frame away, and flushes once more, which is redundant.
  private static let model = Model(
    name: "flush-twice", summary: "flushes before the frame is given away, and after",
    scenario: "A guest reads a page while the host unmaps it.", expectation: .holds
  ) { _ in
    scenario { cpu, root, frame in
      try flush(cpu, root)
      try cpu.handOver(frame, to: .nobody)
      try flush(cpu, root)
    }
  }

  /// A guest reads a page that a host unmaps, and then does `rest`.
  private static func scenario(
    _ rest: @escaping @Sendable (VirtualCPU, TablePage, DataFrame) throws -> Void
  ) -> Scenario {
    let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
    let root = scenario.rootTable()
    let frames = scenario.dataFrames(2)
    scenario.boot { cpu in
      try cpu.store(root[0], Descriptor.block(0).bits, .relaxed)
      try cpu.dsb()
    }
    scenario.require(InvariantCatalogue.hardware)
    scenario.require(DonatedPageUnreachable())
    scenario.cpu(
      "host",
      CPUOperation("unmap 0x0") { cpu in
        try cpu.store(root[0], 0, .release)
        try rest(cpu, root, frames[0])
      })
    scenario.cpu("guest", mmu: MMU(root), CPUOperation("read") { cpu in _ = try cpu.guestRead(0) })
    return scenario
  }

  private static func tlbi() throws -> AblationReport.Row {
    try #require(try model.ablate().rows.first { $0.step.weakening == .noTLBI })
  }

  private static func isNecessary(_ row: AblationReport.Row) -> Bool {
    if case .necessary = row.finding { true } else { false }
  }

  @Test func oneCallIsNecessaryAndTheOtherIsNot() throws {
    let row = try Self.tlbi()
    #expect(row.step.path == nil)
    #expect(Self.isNecessary(row))
    let rows = row.calls
    #expect(rows.map(\.step.path) == [1, 2])
    #expect(rows.map(Self.isNecessary) == [true, false])
    #expect(rows[0].step.subject == "unmap in flush (call path 1)")
    #expect(rows[1].step.text.hasSuffix("#2"))
    for row in rows { #expect(WeakenedStep(text: row.step.text) == row.step) }
  }

  /// Two flushes before the frame is given away: each alone could go, but not both.
  @Test func callsThatStandInForOneAnother() throws {
    let model = Model(
      name: "flush-twice-before", summary: "flushes twice", scenario: "As above.",
      expectation: .holds
    ) { _ in
      Self.scenario { cpu, root, frame in
        try Self.flush(cpu, root)
        try Self.flush(cpu, root)
        try cpu.handOver(frame, to: .nobody)
      }
    }
    let row = try #require(try model.ablate().rows.first { $0.step.weakening == .noTLBI })
    #expect(Self.isNecessary(row))
    #expect(row.calls.map(Self.isNecessary) == [false, false])
  }

  /// With a number one call, without a number all; an unknown number is an error.
  @Test func checksTakeTheNames() throws {
    let first = try Self.tlbi().step
    func verdict(_ path: Int?) throws -> Verdict {
      var options = CheckOptions()
      options.without = WeakenedStep(.noTLBI, in: first.operation, label: first.label, path: path)
      return try Self.model.check(options).verdict
    }
    #expect(try verdict(1) == .violated)
    #expect(try verdict(2) == .holds)
    #expect(try verdict(nil) == .violated)
    let third = WeakenedStep(.noTLBI, in: first.operation, label: first.label, path: 3)
    #expect(throws: CheckError.unknownStep(third)) { try verdict(3) }
    #expect(throws: AblationError.self) { try Self.model.ablate(only: [third]) }
    let all = WeakenedStep(.noTLBI, in: first.operation, label: first.label)
    #expect(try Self.model.ablate(only: [all]).rows.map(Self.isNecessary) == [true])
  }

  @Test func tracesKeepTheNames() throws {
    let row = try Self.tlbi().calls[0]
    guard case .necessary(_, let trace) = row.finding else { return #expect(Bool(false)) }
    let file = try TraceFile(text: TraceFile(trace).text)
    #expect(file.without == row.step)
    let scenario = try Self.model.scenario(invariants: file.invariants, without: file.without)
    #expect(try Recording(file.schedule, of: scenario) == trace.recording)
  }

  @Test func threadsAgreeOnTheNumbers() throws {
    var options = CheckOptions()
    options.takesCensus = true
    func calls() throws -> [WeakenedStep] {
      let paths = try Self.model.check(options).callPaths
      return paths.steps.flatMap(paths.calls)
    }
    let calls1 = try calls()
    #expect(calls1.count == 10)
    options.jobs = 2
    #expect(try calls() == calls1)
    options.strategy = .exhaustive
    options.jobs = 1
    #expect(try calls() == calls1)
  }

  /// The turns of a loop are one call, and so are operations that differ in an address alone.
  @Test func singleCallsHaveNoNumber() throws {
    let model = Model(
      name: "one-call", summary: "adds in a loop", scenario: "Two CPUs add.",
      parameters: [Parameter("turns", "of the loop", 1...9, standard: 3)], expectation: .holds
    ) { values in
      let turns = values["turns"]
      let scenario = Scenario()
      let word = scenario.word("w")
      @Sendable func add(_ cpu: VirtualCPU) throws {
        _ = try cpu.fetchAdd(word, 1, .relaxed)
      }
      scenario.cpu(
        "a",
        CPUOperation("add 0x0") { cpu in for _ in 0..<turns { try add(cpu) } },
        CPUOperation("add 0x1") { cpu in try add(cpu) })
      scenario.cpu("b", CPUOperation("add 0x0") { cpu in try add(cpu) })
      return scenario
    }
    #expect(try model.ablate().rows.map(\.calls.count) == [0])
  }

  @Test func numbersAreReadAsWritten() {
    let text = "unmap/flush/no-tlbi"
    #expect(WeakenedStep(text: "\(text)#12")?.path == 12)
    for end in ["#", "#0", "#-1", "#02", "#x", "#1#2", "#99999999999999999999"] {
      #expect(WeakenedStep(text: text + end) == nil, "\(end)")
    }
  }
}
