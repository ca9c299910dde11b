// Which invariants a model should require: those that apply to what its scenario makes use of.

import Invariants
import Machine

extension Model {
  /// Ids of invariants that apply to what a complete search came by, and that the model with those
  /// parameters neither requires nor is exempt from; in the order of the catalogue.
  public func missingInvariants(
    for coverage: Coverage, parameters: [String: Int] = [:]
  ) throws(CheckError) -> [String] {
    let required = try scenario(parameters: parameters).invariants.map(\.id)
    let exempt = exempt.map(\.invariant)
    return InvariantCatalogue.described.filter { $0.applicability.includes(coverage.facets) }
      .map(\.id).filter { !required.contains($0) && !exempt.contains($0) }
  }
}
