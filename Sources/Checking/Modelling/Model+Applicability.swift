// Which invariants a model should require: those that apply to what its scenario makes use of.

import GracewalkInvariants
import GracewalkMachine

/// An invariant that applies to what a scenario makes use of, and that nothing required.
public struct UnjudgedInvariant: Equatable, Codable, Sendable {
  /// The invariant's id.
  public let invariant: String
  /// Which scenarios it is for, as a phrase: "every scenario with tables".
  public let appliesTo: String

  public init(_ invariant: String, appliesTo: String) {
    self.invariant = invariant
    self.appliesTo = appliesTo
  }
}

extension Model {
  /// Ids of invariants that apply to what a complete search covered, and that the model with those
  /// parameters neither requires nor is exempt from; in the order of the catalogue.
  public func missingInvariants(
    for coverage: Coverage, parameters: [String: Int] = [:]
  ) throws(CheckError) -> [String] {
    notJudged(coverage, by: try scenario(parameters: parameters).invariants.map(\.id))
      .map(\.invariant)
  }

  /// What applies to what executions came by, is not among those required, and has no exemption.
  func notJudged(_ coverage: Coverage, by required: [String]) -> [UnjudgedInvariant] {
    let exempt = exempt.map(\.invariant)
    return InvariantCatalogue.described.filter { $0.applicability.includes(coverage.facets) }
      .filter { !required.contains($0.id) && !exempt.contains($0.id) }
      .map { UnjudgedInvariant($0.id, appliesTo: $0.applicability.text) }
  }
}

extension Collection<Model> {
  /// Invariants that models require and that are none of the catalogue's, each once.
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
