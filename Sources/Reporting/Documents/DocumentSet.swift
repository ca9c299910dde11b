// The generated pages: every statement in them is computed.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine

/// A page of the documentation.
public struct DocumentPage: Equatable, Sendable {
  /// Its path relative to the folder of documents.
  public let path: String
  public let text: String

  /// The first line of every page: only files that begin with it are ever replaced.
  public static let mark = "<!-- Written by gracewalk document. Do not edit. -->"

  init(_ path: String, _ lines: [String]) {
    self.path = path
    let text = ([Self.mark, ""] + lines).joined(separator: "\n") + "\n"
    // Lines are not kept: one that is added to a model would date its pages.
    self.text = text.replacing(/\.swift:[0-9]+/, with: ".swift")
  }
}

/// All pages, made from the evidence of all models.
public struct DocumentSet: Sendable {
  /// Folders that contain only generated pages.
  public static let folders = ["Invariants", "Systems"]

  public let pages: [DocumentPage]

  /// - Parameter evidence: of the models of all systems, in their order.
  public init(_ systems: [ModelSystem], _ evidence: [Evidence]) {
    let known = Dictionary(uniqueKeysWithValues: evidence.map { ($0.model.name, $0) })
    let parts = systems.map { system in
      SystemPage(system: system, evidence: system.models.compactMap { known[$0.name] })
    }
    let described = InvariantCatalogue.described + evidence.map(\.model).ownInvariants
    let invariants = described.map { InvariantPage($0, evidence, systems) }
    pages =
      invariants.map(\.page) + [InvariantPage.index(described, invariants)]
      + parts.map(\.page) + [SystemPage.index(parts), QuestionsPage(parts).page]
  }
}
