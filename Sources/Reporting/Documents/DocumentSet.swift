// The pages that the tool writes about itself: nothing in them is typed in.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine

/// A page of the documentation.
public struct DocumentPage: Equatable, Sendable {
  /// Where it is, from the folder of all documents.
  public let path: String
  public let text: String

  /// What every page begins with: only such are ever replaced.
  public static let mark = "<!-- Written by gracewalk document. Do not edit. -->"

  init(_ path: String, _ lines: [String]) {
    self.path = path
    text = ([Self.mark, ""] + lines).joined(separator: "\n") + "\n"
  }
}

/// All pages, from what was found out about all models.
public struct DocumentSet: Sendable {
  /// Folders in which every page is one of these.
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
