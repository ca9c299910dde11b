// Lies about a system that searches of more than one kind are told.

import GracewalkExploration
import TestSupport

/// Says that a step can touch no more than it would now.
final class PotentialHidden: Forwarding {
  override func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    base.addFootprint(of: cpu, to: footprint)
  }
}

/// Translates the CPUs of steps, but not what they touch.
final class ObjectsUntranslated: Forwarding {
  override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 { object }
}
