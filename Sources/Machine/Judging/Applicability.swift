// Where an invariant has something to say, so that no model forgets to require it.

/// The scenarios that an invariant is for.
public enum Applicability: Equatable, Sendable {
  /// All that make use of these.
  case wherever(Facets)
  /// Those whose model chooses to require it, for a reason: nothing else tells which they are.
  case chosen(String)

  /// True if a scenario that makes use of these must meet the invariant.
  public func includes(_ facets: Facets) -> Bool {
    guard case .wherever(let needed) = self else { return false }
    return facets.isSuperset(of: needed)
  }

  public var text: String {
    switch self {
    case .wherever([]): "every scenario"
    case .wherever(let facets): "every scenario with " + facets.names.joined(separator: ", ")
    case .chosen(let reason): "where a model requires it: \(reason)"
    }
  }
}
