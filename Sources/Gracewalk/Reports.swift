// Reports, traces and errors as a person reads them: as text, and as a page.

import GracewalkChecking
import GracewalkMachine
import GracewalkReporting
import GracewalkTraces

extension CheckReport: CustomStringConvertible {
  /// What `check` prints: verdict, scope and counts, and the counterexample if there is one.
  public var text: String {
    let text = CheckText(self, showsSources: true)
    let parts = counterexample == nil ? [] : [""] + text.body
    return (text.header + parts).joined(separator: "\n")
  }

  public var description: String { text }

  /// The counterexample as one HTML page, as `check --html` writes it; nil if there is none.
  ///
  /// - Parameter model: the one that was checked.
  /// - Throws: `ReplayFailure` if the counterexample is not one of this model.
  public func page(of model: Model) throws -> String? { try counterexample?.page(of: model) }
}

extension Trace: CustomStringConvertible {
  /// The steps as a table, a column for each CPU, and what is wrong.
  public var text: String {
    TraceText(self, showsSources: true).body.joined(separator: "\n")
  }

  public var description: String { text }

  /// The trace as one HTML page that loads nothing: the story, lanes, tables and caches.
  ///
  /// - Parameter model: what the trace is of; it is run once more, for the pictures.
  /// - Throws: `ReplayFailure` if the trace does not fit the model, `CheckError` if its parameters
  ///   or invariants are none of the model's.
  public func page(of model: Model) throws -> String {
    let scenario = try model.scenario(ScenarioChoice(self.scenario))
    var drawn = self
    do throws(RecordingError) {
      drawn.recording = try Recording(
        recording.schedule, of: scenario, recordsPictures: true)
    } catch {
      throw ReplayFailure("the trace does not fit \(model.name): \(error.text(for: scenario))")
    }
    guard drawn == self else {
      throw ReplayFailure("the trace does not fit \(model.name): its steps are others there")
    }
    return HTMLPage(drawn, of: model).text
  }
}

extension AblationReport: CustomStringConvertible {
  /// What `ablate` prints: for each step whether it is needed, and what fails without it.
  public var text: String { AblationText(self).lines.joined(separator: "\n") }

  public var description: String { text }
}

extension SweepReport: CustomStringConvertible {
  /// What `sweep` prints: what was checked, and the smallest combinations that fail.
  public var text: String {
    let text = SweepText(self)
    return (text.header + (failures.isEmpty ? [] : [""] + text.body)).joined(separator: "\n")
  }

  public var description: String { text }
}
