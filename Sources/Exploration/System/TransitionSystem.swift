// The seam between searching and what is searched: no page tables, no words, no fibers up here.

import GracewalkSupport

/// What a step led to.
public enum StepOutcome: Equatable, Sendable {
  /// Nothing to report.
  case clean
  /// An invariant failed; the system knows which one.
  case violation
  /// The system cannot go on (a spin, or a model that breaks the rules); the system knows why.
  case halted
}

/// Processes ("CPUs") over shared state, one step at a time, each of which can be taken back.
///
/// A search sees the CPUs that can step, what their next steps touch, and whether a step broke
/// something. Steps of one CPU are deterministic except for the announced number of choices.
/// A class to be subclassed rather than a protocol: a search makes a handful of these calls per
/// transition, and a table dispatch is what they may cost.
open class TransitionSystem {
  public init() {}

  /// Number of CPUs, at most `CPUSet.capacity`.
  open var cpuCount: Int { fatalError("abstract") }

  /// One more than the largest object number a footprint can name.
  open var objectCount: Int { fatalError("abstract") }

  /// The CPUs whose next step can be taken now.
  open func enabledCPUs() -> CPUSet { fatalError("abstract") }

  /// The CPUs that have a next step which cannot be taken now.
  open func disabledCPUs() -> CPUSet { fatalError("abstract") }

  /// In how many ways the next step of a CPU can go: 1, unless it is a choice of data.
  open func choiceCount(of cpu: Int) -> Int { 1 }

  /// True if letting another CPU step in place of one that could go on interrupts something.
  ///
  /// It does not where the CPU would begin a piece of work that may come at any moment, and for
  /// which nobody waits. True is always right; it decides what counts as simple.
  open func isPreemption(leaving cpu: Int) -> Bool { true }

  /// True if the next step of a CPU is of a kind that can be disabled.
  open func isBlocking(_ cpu: Int) -> Bool { false }

  /// CPUs one of which must step before the disabled step of a CPU can be enabled: a necessary
  /// enabling set.
  ///
  /// All CPUs is always right; the fewer the better.
  open func enablers(of cpu: Int) -> CPUSet { CPUSet.first(cpuCount) }

  /// Adds the objects that the next step of a CPU would read and write if taken in this state.
  open func addFootprint(of cpu: Int, to footprint: Footprint) { fatalError("abstract") }

  /// Adds the objects that the next step of a CPU could read and write if it were taken in this
  /// state or after steps of others: at least what `addFootprint` adds.
  open func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    addFootprint(of: cpu, to: footprint)
  }

  /// True if the next step of a CPU touches the same objects in the same way whatever others do
  /// before it.
  ///
  /// False is always right.
  open func hasFixedFootprint(_ cpu: Int) -> Bool { false }

  /// Takes the next step of an enabled CPU.
  open func step(_ cpu: Int, choice: Int) -> StepOutcome { fatalError("abstract") }

  /// Takes back the latest step.
  open func undo() { fatalError("abstract") }

  /// Judges the initial state, which no step leads to.
  open func judgeStart() -> StepOutcome { .clean }

  /// Judges a state in which no CPU is enabled.
  open func judgeEnd() -> StepOutcome { fatalError("abstract") }

  /// A hash of everything that decides what can still happen.
  ///
  /// Equal states, equal keys.
  open var stateKey: UInt64 { fatalError("abstract") }

  /// Adds words that are equal to those of another state exactly if the states are the same:
  /// what `stateKey` is a hash of, in full.
  ///
  /// Asked for only by a search that compares states exactly.
  open func addExactState(to words: GrowableBuffer<UInt64>) { fatalError("abstract") }

  // MARK: Symmetry

  /// In how many ways identical CPUs can be exchanged: a group, whose first member changes nothing.
  open var permutationCount: Int { 1 }

  /// The permutation that takes back another one.
  open func inverse(of permutation: Int) -> Int { permutation }

  /// Puts the keys of the present state into a buffer, one per permutation: what `stateKey` would
  /// be if the CPUs had been exchanged from the start.
  ///
  /// Returns false if the system cannot go on, because CPUs turn out not to be identical.
  open func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    keys.removeAll()
    keys.append(stateKey)
    return true
  }

  /// The CPU that takes the place of another one.
  open func image(ofCPU cpu: Int, under permutation: Int) -> Int { cpu }

  /// The object that takes the place of another one.
  open func image(ofObject object: UInt32, under permutation: Int) -> UInt32 { object }

  // MARK: Checkpoints

  /// False if the system has found an error that makes saved results worthless.
  ///
  /// Asked before a search is saved: what only this session has seen must be judged by it, too.
  open func isFitToSave() -> Bool { true }

  /// Writes what a later session could not find out again, such as numbers that depend on the order
  /// in which things were met.
  open func save(to writer: CheckpointWriter) {}

  /// Reads what `save` wrote; called in the initial state.
  open func restore(from reader: CheckpointReader) throws(CheckpointError) {}

  /// Which invariant the latest `.violation` was about.
  open var violatedInvariant: Int { fatalError("abstract") }
}

extension TransitionSystem {
  /// The enabled CPUs one of which must step before a disabled one can: its necessary enabling set,
  /// followed through CPUs that are disabled themselves.
  func enablers(of cpu: Int, among enabled: CPUSet, disabled: CPUSet) -> CPUSet {
    var found = CPUSet()
    var followed = CPUSet(cpu)
    var next = enablers(of: cpu)
    while let enabler = next.popLowest() {
      if enabled.contains(enabler) {
        found.insert(enabler)
      } else if disabled.contains(enabler) && !followed.contains(enabler) {
        followed.insert(enabler)
        next = next.union(enablers(of: enabler).subtracting(followed))
      }
    }
    return found
  }
}
