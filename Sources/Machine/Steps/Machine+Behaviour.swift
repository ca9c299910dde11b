// A hash of a model's behaviour: different hashes mean different models.

import GracewalkExploration
import GracewalkSupport

extension Machine {
  /// A hash of a few executions, to detect changes of a model.
  ///
  /// They are chosen at random, but are always the same.
  ///
  /// Call it on a fresh machine.
  package var behaviour: UInt64 {
    var hash: UInt64 = 0
    var random = SplitMix64(seed: 0)
    func note(_ value: UInt64) { hash = StableHash.extend(hash, with: value) }
    for _ in 0..<64 where failure == nil {
      var outcome = judgeStart()
      while outcome == .clean && depth < 1_000 {
        let enabled = enabledCPUs()
        note(enabled.bits)
        note(stateKey)
        if enabled.isEmpty { break }
        let able = (0..<cpuCount).filter { enabled.contains($0) }
        let cpu = random.pick(able)
        outcome = step(cpu, choice: random.below(choiceCount(of: cpu)))
      }
      if outcome == .clean && enabledCPUs().isEmpty { outcome = judgeEnd() }
      note(outcome == .clean ? 0 : outcome == .violation ? 1 + UInt64(violatedInvariant) : ~0)
      while depth > 0 { undo() }
    }
    return hash
  }
}
