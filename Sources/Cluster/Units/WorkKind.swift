// The kinds of units that a program can do when it gets them as bytes.

import Foundation
import GracewalkChecking

/// What a unit needs from the process that runs it.
package struct WorkPlace: Sendable {
  /// The model with a name.
  package var model: @Sendable (String) -> Model?
  /// Asked from time to time whether to continue.
  package var goesOn: @Sendable () -> Bool
  /// The same for a unit that can go on later: false also when its time is up.
  var isInTime: @Sendable () -> Bool

  package init(
    model: @escaping @Sendable (String) -> Model?, goesOn: @escaping @Sendable () -> Bool
  ) {
    self.model = model
    self.goesOn = goesOn
    isInTime = goesOn
  }
}

/// A kind of unit.
package struct WorkKind: Sendable {
  let name: String
  /// Whether a unit that is told to end saves what it has done.
  let isResumable: @Sendable (_ unit: NamedUnit) -> Bool
  /// Runs a unit; returns its result as JSON, and whether that is final, or nil if it was told to
  /// end before it had one.
  let run:
    @Sendable (_ unit: NamedUnit, WorkPlace, WorkFolder) throws(FolderError) -> (
      json: [UInt8], isFinal: Bool
    )?

  package init<Unit: WorkUnit>(_ kind: Unit.Type) {
    name = kind.workName
    isResumable = { named in
      (try? JSONDecoder().decode(Unit.self, from: Data(named.unit.utf8)))?.isResumable ?? false
    }
    run = { named, place, folder throws(FolderError) in
      guard let unit = try? JSONDecoder().decode(Unit.self, from: Data(named.unit.utf8)),
        NamedUnit(unit) == named
      else { throw FolderError("a unit of kind \(named.kind) does not fit this program") }
      let ended = Flag()
      let context = WorkContext<Unit.Progress>(
        checkpoint: folder.saved(named.name), files: folder,
        watch: { _ in
          let goesOn = unit.isResumable ? place.isInTime() : place.goesOn()
          if !goesOn { ended.isSet = true }
          return !ended.isSet
        }, model: place.model)
      let result = Result { () throws(Unit.Failure) in try unit.run(context) }
      if ended.isSet { return nil }
      if case .failure(let error) = result, !Unit.isFinal(result) { throw FolderError("\(error)") }
      let isFinal = !unit.isTimed && Unit.isFinal(result)
      return (AnswerFile.json(Outcome(result)), isFinal)
    }
  }
}

/// Set by whichever thread runs a unit.
private final class Flag: @unchecked Sendable {
  var isSet = false
}
