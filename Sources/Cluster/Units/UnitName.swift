// Units are named by their contents and by the program, so equal questions have one answer.

import GracewalkChecking
import GracewalkSupport

/// A unit as bytes, with its name.
struct NamedUnit: Codable, Equatable {
  var kind: String
  var name: String
  /// The unit as JSON.
  var unit: String

  init<Unit: WorkUnit>(_ unit: Unit) {
    kind = Unit.workName
    self.unit = String(decoding: AnswerFile.json(unit), as: UTF8.self)
    let text = Array("\(kind) \(ProgramVersion.current)\n\(self.unit)".utf8)
    name = AnswerFile.name(of: text)
  }
}
