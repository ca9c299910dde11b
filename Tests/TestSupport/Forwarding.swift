// A system between a search and another system, whose answers tests can change.

import GracewalkExploration
import GracewalkSupport

/// A system that forwards every call to another one; subclasses override some.
open class Forwarding: TransitionSystem {
  public let base: TransitionSystem

  public init(_ base: TransitionSystem) {
    self.base = base
    super.init()
  }

  open override var cpuCount: Int { base.cpuCount }
  open override var objectCount: Int { base.objectCount }
  open override func enabledCPUs() -> CPUSet { base.enabledCPUs() }
  open override func disabledCPUs() -> CPUSet { base.disabledCPUs() }
  open override func choiceCount(of cpu: Int) -> Int { base.choiceCount(of: cpu) }
  open override func isBlocking(_ cpu: Int) -> Bool { base.isBlocking(cpu) }
  open override func addFootprint(of cpu: Int, to footprint: Footprint) {
    base.addFootprint(of: cpu, to: footprint)
  }
  open override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    base.addPotentialFootprint(of: cpu, to: footprint)
  }
  open override func racesWithNothing(_ cpu: Int) -> Bool { base.racesWithNothing(cpu) }
  open override func preferred(among cpus: CPUSet) -> CPUSet { base.preferred(among: cpus) }
  open override var ordersByRacesOnly: Bool { base.ordersByRacesOnly }
  open override func enablers(of cpu: Int) -> CPUSet { base.enablers(of: cpu) }
  open override func hasFixedFootprint(_ cpu: Int) -> Bool { base.hasFixedFootprint(cpu) }
  open override func step(_ cpu: Int, choice: Int) -> StepOutcome { base.step(cpu, choice: choice) }
  open override func undo() { base.undo() }
  open override func isStale(_ cpu: Int, choice: Int) -> Bool {
    base.isStale(cpu, choice: choice)
  }
  open override func isPreemption(leaving cpu: Int) -> Bool { base.isPreemption(leaving: cpu) }
  open override func judgeStart() -> StepOutcome { base.judgeStart() }
  open override func judgeEnd() -> StepOutcome { base.judgeEnd() }
  open override var stateKey: UInt64 { base.stateKey }
  open override func startRecordingReads() -> Bool { base.startRecordingReads() }
  open override func stopRecordingReads() { base.stopRecordingReads() }
  open override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    base.takeReads(into: words)
  }
  open override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    base.addWordsWritten(to: words)
  }
  open override var positionsKey: UInt64? { base.positionsKey }
  open override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    base.valuesKey(of: words)
  }
  open override func addExactState(to words: GrowableBuffer<UInt64>) {
    base.addExactState(to: words)
  }
  open override var permutationCount: Int { base.permutationCount }
  open override func inverse(of permutation: Int) -> Int { base.inverse(of: permutation) }
  open override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    base.permutedKeys(keys)
  }
  open override func image(ofCPU cpu: Int, under permutation: Int) -> Int {
    base.image(ofCPU: cpu, under: permutation)
  }
  open override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 {
    base.image(ofObject: object, under: permutation)
  }
  open override func isFitToSave() -> Bool { base.isFitToSave() }
  open override func save(to writer: CheckpointWriter) { base.save(to: writer) }
  open override func restore(from reader: CheckpointReader) throws(CheckpointError) {
    try base.restore(from: reader)
  }
  open override var violatedInvariant: Int { base.violatedInvariant }
}

/// A system that hides every other word that it reads, so that a search matches states that differ.
public final class ReadsHidden: Forwarding {
  public override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    let honest = GrowableBuffer<UInt32>()
    defer { honest.deallocate() }
    let isAll = base.takeReads(into: honest)
    for word in honest.all where word % 2 == 0 { words.append(word) }
    return isAll
  }
}
