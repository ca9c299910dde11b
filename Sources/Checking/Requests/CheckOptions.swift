// How to check: the choices of scenario, search and session.

import GracewalkExploration
import GracewalkMachine

/// How to check.
///
/// Scenario and search are values that determine the report. The session concerns only this run:
/// its observer, and where it is saved.
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

/// The options of a check that concern only the process that runs it.
public struct CheckSession {
  /// Called with the progress of a search; returns false to interrupt it.
  public var watch: ((SearchProgress) -> Bool)?
  /// The file to which the check is saved from time to time, and when a bound or an interrupt ends
  /// it.
  public var checkpoints: CheckpointFile?
  /// Minimum seconds between two saves.
  public var checkpointInterval = 30.0
  /// A saved check to resume; its limits may differ now, everything else must be the same.
  public var resume: Checkpoint?
  /// Whether a counterexample comes with a picture of the machine at each step.
  public var recordsPictures = false
  /// Explores units of the search in other processes; nil for none.
  package var distantRounds: DistantRounds?

  public init() {}
}
