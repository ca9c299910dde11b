// A system between a search and another system, whose answers tests can change.

import GracewalkExploration
import GracewalkSupport

/// A system that forwards every call to another one; subclasses override some.
class Forwarding: TransitionSystem {
  let base: TransitionSystem

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
  override func enablers(of cpu: Int) -> CPUSet { base.enablers(of: cpu) }
  override func hasFixedFootprint(_ cpu: Int) -> Bool { base.hasFixedFootprint(cpu) }
  override func step(_ cpu: Int, choice: Int) -> StepOutcome { base.step(cpu, choice: choice) }
  override func undo() { base.undo() }
  override func isPreemption(leaving cpu: Int) -> Bool { base.isPreemption(leaving: cpu) }
  override func judgeStart() -> StepOutcome { base.judgeStart() }
  override func judgeEnd() -> StepOutcome { base.judgeEnd() }
  override var stateKey: UInt64 { base.stateKey }
  override func startRecordingReads() -> Bool { base.startRecordingReads() }
  override func stopRecordingReads() { base.stopRecordingReads() }
  override func takeReads(into words: GrowableBuffer<UInt32>) -> Bool {
    base.takeReads(into: words)
  }
  override func addWordsWritten(to words: GrowableBuffer<UInt32>) {
    base.addWordsWritten(to: words)
  }
  override var positionsKey: UInt64? { base.positionsKey }
  override func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 {
    base.valuesKey(of: words)
  }
  override func addExactState(to words: GrowableBuffer<UInt64>) { base.addExactState(to: words) }
  override var permutationCount: Int { base.permutationCount }
  override func inverse(of permutation: Int) -> Int { base.inverse(of: permutation) }
  override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool { base.permutedKeys(keys) }
  override func image(ofCPU cpu: Int, under permutation: Int) -> Int {
    base.image(ofCPU: cpu, under: permutation)
  }
  override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 {
    base.image(ofObject: object, under: permutation)
  }
  override func isFitToSave() -> Bool { base.isFitToSave() }
  override func save(to writer: CheckpointWriter) { base.save(to: writer) }
  override func restore(from reader: CheckpointReader) throws(CheckpointError) {
    try base.restore(from: reader)
  }
  override var violatedInvariant: Int { base.violatedInvariant }
}
