// Random programs: searches agree, and mutated programs are refused or judged.

import GracewalkExploration
import GracewalkFuzzing
import GracewalkSupport
import Testing

/// A system that hides some of what it reads, so that a search matches states that differ.
private final class ReadsHidden: TransitionSystem {
  private let base: TransitionSystem

  init(_ base: TransitionSystem) {
    self.base = base
    super.init()
  }

  override var cpuCount: Int { base.cpuCount }
  override var objectCount: Int { base.objectCount }
  override func enabledCPUs() -> CPUSet { base.enabledCPUs() }
  override func disabledCPUs() -> CPUSet { base.disabledCPUs() }
  override func choiceCount(of cpu: Int) -> Int { base.choiceCount(of: cpu) }
  override func isBlocking(_ cpu: Int) -> Bool { base.isBlocking(cpu) }
  override func addFootprint(of cpu: Int, to footprint: Footprint) {
    base.addFootprint(of: cpu, to: footprint)
  }
  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    base.addPotentialFootprint(of: cpu, to: footprint)
  }
  override func hasFixedFootprint(_ cpu: Int) -> Bool { base.hasFixedFootprint(cpu) }
  override func step(_ cpu: Int, choice: Int) -> StepOutcome { base.step(cpu, choice: choice) }
  override func undo() { base.undo() }
  override func judgeStart() -> StepOutcome { base.judgeStart() }
  override func judgeEnd() -> StepOutcome { base.judgeEnd() }
  override var stateKey: UInt64 { base.stateKey }
  override func startRecordingReads() -> Bool { base.startRecordingReads() }
  override func stopRecordingReads() { base.stopRecordingReads() }
  override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    let honest = GrowableBuffer<UInt32>()
    defer { honest.deallocate() }
    let isAll = base.takeReads(into: honest)
    for word in honest.all where word % 2 == 0 { words.append(word) }
    return isAll
  }
  override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    base.addWordsWritten(to: words)
  }
  override var positionsKey: UInt64? { base.positionsKey }
  override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    base.valuesKey(of: words)
  }
}

@Suite struct FuzzTests {
  @Test func searchesAgreeOnRandomThreads() {
    let report = ThreadsFuzzer().run(seeds: 0..<150)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    // Both kinds of programs occur, or the test would show little.
    #expect(report.wrong > 30 && report.programs - report.wrong - report.skipped > 30)
  }

  /// Programs until the first on which a search is found to be wrong.
  private func programsToMismatch(_ search: @escaping ThreadsFuzzer.Search) -> Int? {
    let report = ThreadsFuzzer(search).run(seeds: 0..<5_000) { $0.mismatches.isEmpty }
    return report.mismatches.isEmpty ? nil : report.programs
  }

  @Test func hiddenReadsAreFoundOut() {
    #expect(programsToMismatch { StatefulSearch(ReadsHidden($0), $1).run() } == 4)
  }

  @Test func valuesThatAreIgnoredAreFoundOut() {
    #expect(programsToMismatch { StatefulSearch($0, $1, without: .values).run() } == 4)
  }

  @Test func mutantsAreRefusedOrJudged() {
    let report = IRFuzzer().run(seeds: 0..<300)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    #expect(report.refused > 30 && report.judged > 30)
  }
}
