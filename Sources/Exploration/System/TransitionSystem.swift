// The interface between searches and the system they explore, without page tables, words or fibers.

import GracewalkSupport

/// The outcome of a step.
public enum StepOutcome: Equatable, Sendable {
  /// Nothing to report.
  case clean
  /// An invariant failed; the system knows which one.
  case violation
  /// The system cannot continue (a spin, or a model that breaks the rules); the system knows why.
  case halted
}

/// Processes ("CPUs") over shared state that take undoable steps one at a time.
///
/// A search sees which CPUs are enabled, the footprints of their next steps, and whether a step
/// violated an invariant. Steps are deterministic except for the announced number of choices. It is
/// a class to subclass, not a protocol: a search makes a handful of these calls per transition, and
/// they must cost no more than a vtable dispatch.
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

  /// The number of choices of a CPU's next step: 1, unless it is nondeterministic.
  open func choiceCount(of cpu: Int) -> Int { 1 }

  /// True if a choice of a CPU's next step cannot be made forever, unless others step.
  ///
  /// A CPU that loops, and finds an old value of a word again and again, finds the new one in the
  /// end.
  open func isStale(_ cpu: Int, choice: Int) -> Bool { false }

  /// True if running another CPU instead of one that could continue counts as a preemption.
  ///
  /// It does not if the CPU would start a piece of work that may come at any moment and that no CPU
  /// waits for. True is always sound; the answer only affects which counterexample is simplest.
  open func isPreemption(leaving cpu: Int) -> Bool { true }

  /// True if the next step of a CPU is of a kind that can be disabled.
  open func isBlocking(_ cpu: Int) -> Bool { false }

  /// True if no race of the next step of a CPU can be reversed: it depends only on steps that have
  /// enabled it.
  ///
  /// False is always sound.
  open func racesWithNothing(_ cpu: Int) -> Bool { false }

  /// Of some enabled CPUs, those whose steps come first where a search is free to choose; at least
  /// one.
  ///
  /// Any answer is sound.
  open func preferred(among cpus: CPUSet) -> CPUSet { cpus }

  /// True if a search that is free to choose heeds only those steps ahead with which a step may
  /// race, and not those that it enables.
  ///
  /// Any answer is sound.
  open var ordersByRacesOnly: Bool { false }

  /// CPUs one of which must step before the disabled step of a CPU can be enabled: a necessary
  /// enabling set.
  ///
  /// The set of all CPUs is always sound; smaller sets are better.
  open func enablers(of cpu: Int) -> CPUSet { CPUSet.first(cpuCount) }

  /// Adds the objects that the next step of a CPU would read and write if taken in this state.
  open func addFootprint(of cpu: Int, to footprint: Footprint) { fatalError("abstract") }

  /// Adds the objects that a CPU's next step could read or write in this state or after steps of
  /// others.
  ///
  /// They include those that `addFootprint` adds.
  open func addPotentialFootprint(of cpu: Int, to footprint: Footprint) {
    addFootprint(of: cpu, to: footprint)
  }

  /// True if the footprint of a CPU's next step does not depend on earlier steps of others.
  ///
  /// False is always sound.
  open func hasFixedFootprint(_ cpu: Int) -> Bool { false }

  /// Takes the next step of an enabled CPU.
  open func step(_ cpu: Int, choice: Int) -> StepOutcome { fatalError("abstract") }

  /// Undoes the latest step.
  open func undo() { fatalError("abstract") }

  /// Judges the initial state, which no step leads to.
  open func judgeStart() -> StepOutcome { .clean }

  /// Judges a state in which no CPU is enabled.
  open func judgeEnd() -> StepOutcome { fatalError("abstract") }

  /// CPUs that go no further.
  ///
  /// Their execution is not considered, so it has no end to judge, and a loop of the other CPUs is
  /// no livelock.
  open var cutOffCPUs: CPUSet { CPUSet() }

  /// A hash of everything that the future of the execution depends on.
  ///
  /// Equal states, equal keys.
  open var stateKey: UInt64 { fatalError("abstract") }

  /// Adds words that are equal for two states if and only if the states are equal: the full
  /// contents of `stateKey`.
  ///
  /// Called only by searches that compare states exactly.
  open func addExactState(to words: GrowableBuffer<UInt64>) { fatalError("abstract") }

  // MARK: What is read

  /// Starts to record which words of the state are read; false if the system cannot.
  ///
  /// Words have numbers below `objectCount`. What later steps, their guards and footprints, and
  /// judgements depend on must be in words, or in the positions of CPUs.
  open func startRecordingReads() -> Bool { false }

  open func stopRecordingReads() {}

  /// Adds the words that were read since the last call, perhaps more than once each; false if
  /// something was read that is in no word and no position.
  open func takeReads(into words: GrowableBuffer<UInt32>) -> Bool { true }

  /// Adds the words that the latest step wrote, whether or not their values changed.
  open func addWordsWritten(to words: GrowableBuffer<UInt32>) {}

  /// A hash of the positions of all CPUs that have a next step, enabled or not; nil if none has.
  open var positionsKey: UInt64? { fatalError("abstract") }

  /// A hash of the values of some words.
  open func valuesKey(of words: UnsafeBufferPointer<UInt32>) -> UInt64 { fatalError("abstract") }

  // MARK: Symmetry

  /// The number of permutations of identical CPUs: a group, of which the first is the identity.
  open var permutationCount: Int { 1 }

  /// The inverse of a permutation.
  open func inverse(of permutation: Int) -> Int { permutation }

  /// Fills a buffer with the keys of the current state, one per permutation: the `stateKey` if the
  /// CPUs had been exchanged from the start.
  ///
  /// Returns false if the system cannot continue because CPUs turn out not to be identical.
  open func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    keys.removeAll()
    keys.append(stateKey)
    return true
  }

  /// The image of a CPU under a permutation.
  open func image(ofCPU cpu: Int, under permutation: Int) -> Int { cpu }

  /// The image of an object under a permutation.
  open func image(ofObject object: UInt32, under permutation: Int) -> UInt32 { object }

  // MARK: Checkpoints

  /// False if the system has found an error that makes saved results worthless.
  ///
  /// Called before a search is saved, since only this session can judge what it has seen.
  open func isFitToSave() -> Bool { true }

  /// Writes state that a later session could not recompute, such as numbers given in order of
  /// discovery.
  open func save(to writer: CheckpointWriter) {}

  /// Reads what `save` wrote; called in the initial state.
  open func restore(from reader: CheckpointReader) throws(CheckpointError) {}

  /// The number of the invariant that failed in the latest `.violation`.
  open var violatedInvariant: Int { fatalError("abstract") }
}

extension TransitionSystem {
  /// The enabled CPUs one of which must step before a disabled one can.
  ///
  /// It is the necessary enabling set, followed through CPUs that are disabled themselves.
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
