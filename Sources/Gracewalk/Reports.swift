// Reports, traces and errors as text and as pages.

import GracewalkChecking
import GracewalkMachine
import GracewalkReporting
import GracewalkTraces

extension CheckReport: CustomStringConvertible {
  /// The output of `check`: verdict, scope and counts, and the counterexample if there is one.
  public var text: String {
    let text = CheckText(self, showsSources: true)
    let parts = counterexample == nil ? [] : [""] + text.body
    return (text.header + parts).joined(separator: "\n")
  }

  public var description: String { text }

  /// The counterexample as one HTML page, as `check --html` writes it; nil if there is none.
  ///
  /// - Parameter model: the checked model.
  /// - Throws: `ReplayFailure` if the counterexample is not of this model.
  public func page(of model: Model) throws -> String? { try counterexample?.page(of: model) }
}

extension Trace: CustomStringConvertible {
  /// The steps as a table with a column for each CPU, and the violation.
  public var text: String {
    TraceText(self, showsSources: true).body.joined(separator: "\n")
  }

  public var description: String { text }

  /// The trace as one self-contained HTML page: the story, lanes, tables and caches.
  ///
  /// - Parameter model: the model of the trace, which is run again for the pictures.
  /// - Throws: `ReplayFailure` if the trace does not fit the model, `CheckError` if the model lacks
  ///   its parameters or invariants.
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
  /// The output of `ablate`: for each step whether it is needed, and the invariants that fail
  /// without it.
  public var text: String { AblationText(self).lines.joined(separator: "\n") }

  public var description: String { text }
}

extension SweepReport: CustomStringConvertible {
  /// The output of `sweep`: its scope, and the smallest combinations that fail.
  public var text: String {
    let text = SweepText(self)
    return (text.header + (failures.isEmpty ? [] : [""] + text.body)).joined(separator: "\n")
  }

  public var description: String { text }
}
