// Where commands get their models from: a user's package, or the catalogue.

import Foundation
import GracewalkChecking

/// The models that commands work on, and others that they find by name.
package struct ModelSource: Sendable {
  /// The systems that a command works on if it names no model.
  package var systems: [ModelSystem]
  /// Other models that can be given by name.
  package var others: [ModelSystem]
  /// C programs that can be given by name.
  package var programs: ProgramLibrary
  /// The path of a file that code calls `Module/File.swift`, or nil.
  private let known: @Sendable (String) -> String?

  package init(
    _ systems: [ModelSystem], others: [ModelSystem] = [],
    programs: ProgramLibrary = ProgramLibrary(),
    pathOfFile known: @escaping @Sendable (String) -> String? = { _ in nil }
  ) {
    self.systems = systems
    self.others = others
    self.programs = programs
    self.known = known
    self.programs.shadowed = Set(programs.models.map(\.name)).intersection(allModels.map(\.name))
  }

  var models: [Model] { systems.flatMap(\.models) }

  var allModels: [Model] { models + others.flatMap(\.models) }

  /// The model with a name; combinations of a model's operations have names, too.
  func model(named name: String) -> Model? { allModels.model(named: name) }

  /// The same source with commands applied to the other models.
  var catalogue: ModelSource {
    ModelSource(others, others: systems, programs: programs, pathOfFile: known)
  }

  /// The path of a source file: the known one, or the usual place in a package.
  func path(ofFile id: String) -> String? {
    if let path = known(id) { return path }
    if programs.text(of: id) != nil { return "\(programs.folder)/\(id)" }
    if id.hasSuffix(".c") || id.hasSuffix(".h") { return id }
    let parts = id.split(separator: "/").map(String.init)
    guard parts.count == 2 else { return nil }
    for folder in ["Sources/\(parts[0])", "Tests/\(parts[0])"] {
      let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
      let found = files.filter { $0 == parts[1] || $0.hasSuffix("/\(parts[1])") }
      if let file = found.min() { return "\(folder)/\(file)" }
    }
    return nil
  }
}
