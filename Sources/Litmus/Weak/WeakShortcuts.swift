// What makes the states of a weak memory machine fewer, and no final state.

/// Parts of the canonical form, and of the choice of steps, that can be switched off.
///
/// `Docs/MemoryModels.md` has the argument for each; tests compare with machines without.
package struct WeakShortcuts: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Locks that nothing else looks at are taken and released at the earliest moment, under Armv8.
  package static let hastenedLocks = WeakShortcuts(rawValue: 1)
  /// Stores of which nobody can tell which came first are sorted, under Armv8.
  package static let sortedStores = WeakShortcuts(rawValue: 2)
  /// A step that concerns no other process is taken without alternatives.
  package static let soleSteps = WeakShortcuts(rawValue: 4)

  package static let all: WeakShortcuts = [.hastenedLocks, .sortedStores, .soleSteps]
}
