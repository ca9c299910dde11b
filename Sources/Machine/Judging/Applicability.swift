// Which scenarios an invariant applies to, so that no model forgets to require it.

/// The scenarios that an invariant applies to.
public enum Applicability: Equatable, Sendable {
  /// All that use these features.
  case wherever(Facets)
  /// Those whose model chooses to require it; the reason says why that cannot be decided
  /// automatically.
  case chosen(String)

  /// True if it includes scenarios with these features.
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
