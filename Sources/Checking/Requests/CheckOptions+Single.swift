// The options one by one, so that callers need not know whether scenario, search or session has
// them.

import GracewalkExploration
import GracewalkMachine

extension CheckOptions {
  /// Values for the model's parameters, by name; others have their default values.
  public var parameters: [String: Int] {
    get { scenario.parameters }
    set { scenario.parameters = newValue }
  }

  /// Ids of the only invariants to require; nil for all of the model's.
  public var invariants: [String]? {
    get { scenario.invariants }
    set { scenario.invariants = newValue }
  }

  /// Features of the modelled MMU; nil for those of the model's scenario.
  public var features: Features? {
    get { scenario.features }
    set { scenario.features = newValue }
  }

  /// The memory that the code runs on; nil for what the model's scenario says.
  public var memoryModel: MemoryModel? {
    get { scenario.memoryModel }
    set { scenario.memoryModel = newValue }
  }

  /// A step of the code to leave out or to weaken.
  public var without: WeakenedStep? {
    get { scenario.without }
    set { scenario.without = newValue }
  }

  package var takesCensus: Bool {
    get { scenario.takesCensus }
    set { scenario.takesCensus = newValue }
  }

  package var judgesErrors: Bool {
    get { scenario.judgesErrors }
    set { scenario.judgesErrors = newValue }
  }
}

extension CheckOptions {
  public var strategy: Strategy {
    get { search.strategy }
    set { search.strategy = newValue }
  }

  public var limits: Limits {
    get { search.limits }
    set { search.limits = newValue }
  }

  /// Whether states that differ only by an exchange of identical CPUs are merged.
  public var usesSymmetry: Bool {
    get { search.usesSymmetry }
    set { search.usesSymmetry = newValue }
  }

  /// Seed of a search that samples.
  public var seed: UInt64 {
    get { search.seed }
    set { search.seed = newValue }
  }

  /// Priority changes per execution, for `pct`.
  public var priorityChanges: Int {
    get { search.priorityChanges }
    set { search.priorityChanges = newValue }
  }

  /// Threads of a stateful search.
  public var jobs: Int {
    get { search.jobs }
    set { search.jobs = newValue }
  }

  /// Whether a long search also samples executions.
  public var usesSamples: Bool {
    get { search.usesSamples }
    set { search.usesSamples = newValue }
  }

  /// Whether states are kept and compared in full, for a search that merges states.
  public var isExact: Bool {
    get { search.isExact }
    set { search.isExact = newValue }
  }

  /// Units into which a long stateful search is divided, for several machines; 1 for none.
  public var units: Int {
    get { search.units }
    set { search.units = newValue }
  }

  /// Whether to search for the simplest counterexample once one is found.
  public var minimises: Bool {
    get { search.minimises }
    set { search.minimises = newValue }
  }
}

extension CheckOptions {
  /// Called with the progress of a search; returns false to interrupt it.
  public var watch: ((SearchProgress) -> Bool)? {
    get { session.watch }
    set { session.watch = newValue }
  }

  /// The file to which the check is saved from time to time, and when a bound or an interrupt ends
  /// it.
  public var checkpoints: CheckpointFile? {
    get { session.checkpoints }
    set { session.checkpoints = newValue }
  }

  /// Minimum seconds between two saves.
  public var checkpointInterval: Double {
    get { session.checkpointInterval }
    set { session.checkpointInterval = newValue }
  }

  /// A saved check to resume.
  public var resume: Checkpoint? {
    get { session.resume }
    set { session.resume = newValue }
  }

  /// Whether a counterexample comes with a picture of the machine at each step.
  public var recordsPictures: Bool {
    get { session.recordsPictures }
    set { session.recordsPictures = newValue }
  }
}
