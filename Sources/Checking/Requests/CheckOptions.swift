// How to check: what is chosen of the scenario, of the search, and of the session.

import GracewalkExploration
import GracewalkMachine

/// How to check.
///
/// Scenario and search are values that decide about the report. The session is about this run of
/// it: who watches, and where it is saved.
public struct CheckOptions {
  public var scenario = ScenarioChoice()
  public var search = SearchChoice()
  public var session = CheckSession()

  public init() {}

  public init(
    scenario: ScenarioChoice, search: SearchChoice = SearchChoice(),
    session: CheckSession = CheckSession()
  ) {
    self.scenario = scenario
    self.search = search
    self.session = session
  }
}

/// What a check has to do with the process that runs it.
public struct CheckSession {
  /// Sees the progress of a search; returns false to interrupt it.
  public var watch: ((SearchProgress) -> Bool)?
  /// Where the check is saved now and then, and when a bound or an interrupt ends it.
  public var checkpoints: CheckpointFile?
  /// Least seconds from one time to the next.
  public var checkpointInterval = 30.0
  /// A check that was saved, to go on with; its limits may be others now, all else is the same.
  public var resume: Checkpoint?
  /// Whether a counterexample comes with a picture of the machine at each step.
  public var recordsPictures = false

  public init() {}
}
