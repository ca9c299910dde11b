// The invariants that a model should require: those that apply to the features that its scenario
// uses.

import GracewalkInvariants
import GracewalkMachine

/// An invariant that applies to a scenario but is not required.
public struct UnjudgedInvariant: Equatable, Codable, Sendable {
  /// The invariant's id.
  public let invariant: String
  /// The scenarios that it applies to, as a phrase: "every scenario with tables".
  public let appliesTo: String

  public init(_ invariant: String, appliesTo: String) {
    self.invariant = invariant
    self.appliesTo = appliesTo
  }
}

extension Model {
  /// Ids of invariants that apply to a complete search of the model and that it neither requires
  /// nor exempts; in the order of the catalogue.
  public func missingInvariants(
    for coverage: Coverage, parameters: [String: Int] = [:]
  ) throws(CheckError) -> [String] {
    notJudged(coverage, by: try scenario(parameters: parameters).invariants.map(\.id))
      .map(\.invariant)
  }

  /// The invariants that apply to what executions covered, are not required, and have no exemption.
  func notJudged(_ coverage: Coverage, by required: [String]) -> [UnjudgedInvariant] {
    let exempt = exempt.map(\.invariant)
    return InvariantCatalogue.described.filter { $0.applicability.includes(coverage.facets) }
      .filter { !required.contains($0.id) && !exempt.contains($0.id) }
      .map { UnjudgedInvariant($0.id, appliesTo: $0.applicability.text) }
  }
}

extension Collection<Model> {
  /// Invariants that models require and that are not in the catalogue, without duplicates.
  package var ownInvariants: [any Invariant] {
    var known = InvariantCatalogue.described.map(\.id)
    var own: [any Invariant] = []
    for invariant in flatMap(\.largestScenario.invariants) where !known.contains(invariant.id) {
      known.append(invariant.id)
      own.append(invariant)
    }
    return own
  }
}
