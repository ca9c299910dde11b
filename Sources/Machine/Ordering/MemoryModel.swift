// Memory models: the values of loads, and the visibility of stores.

/// A memory model.
///
/// Every scenario, verdict and trace has one. All its decisions are in `Machine+Ordering.swift`.
public enum MemoryModel: String, CaseIterable, Codable, Sendable {
  /// All accesses have a single order that all CPUs agree on.
  case sequentialConsistency = "sc"
  /// Stores wait in a buffer of their CPU and become visible in order: x86.
  case totalStoreOrder = "tso"
  /// Armv8, except that a store waits for the loads before it.
  case armv8 = "arm"

  /// The default of a scenario.
  public static let standard = MemoryModel.sequentialConsistency

  /// Whether every execution under this memory model is one under another, which has more.
  public func isStronger(than other: MemoryModel) -> Bool {
    let strongestFirst = MemoryModel.allCases
    let place = { strongestFirst.firstIndex(of: $0) ?? 0 }
    return place(self) < place(other)
  }

  /// Its name in trace files and documents.
  public var name: String {
    switch self {
    case .sequentialConsistency: "SC"
    case .totalStoreOrder: "TSO"
    case .armv8: "Armv8"
    }
  }

  /// Its name in sentences.
  public var text: String {
    switch self {
    case .sequentialConsistency: "sequential consistency"
    case .totalStoreOrder: "x86-TSO"
    case .armv8: "Armv8 without load buffering"
    }
  }

  /// Why the orderings of accesses make no difference, as a clause; nil if they do.
  ///
  /// If they make none, ablations cannot judge orderings, and reports say so.
  public var whyOrderingsAreNotAsked: String? {
    switch self {
    case .sequentialConsistency: "every access is ordered"
    case .totalStoreOrder, .armv8: nil
    }
  }

  /// The same as part of a sentence: "under sequential consistency every access is ordered".
  public var reasonNotToAsk: String {
    whyOrderingsAreNotAsked.map { "under \(text) \($0)" } ?? ""
  }

  /// The label of a question that the model cannot answer.
  public var notAnswered: String { "not answered under \(text)" }

  /// The model with a name, or nil.
  public init?(name: String) {
    guard let model = MemoryModel.allCases.first(where: { $0.name == name }) else { return nil }
    self = model
  }
}
