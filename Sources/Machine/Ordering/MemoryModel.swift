// The memory that code runs on: which values a load may read, and when others see a store.

/// A memory model.
///
/// A scenario has one, a verdict is about it, and a trace names it. What it decides is asked in
/// `Machine+Ordering.swift`, and nowhere else.
public enum MemoryModel: String, CaseIterable, Codable, Sendable {
  /// All accesses have one order, which every CPU sees.
  case sequentialConsistency = "sc"

  /// That of a scenario which names none.
  public static let standard = MemoryModel.sequentialConsistency

  /// As trace files and documents name it.
  public var name: String {
    switch self {
    case .sequentialConsistency: "SC"
    }
  }

  /// As sentences name it.
  public var text: String {
    switch self {
    case .sequentialConsistency: "sequential consistency"
    }
  }

  /// Why it makes no difference which ordering an access asks for, as a clause; nil if it makes
  /// one.
  ///
  /// Where it makes none, nothing can be said of orderings, and reports say that.
  public var whyOrderingsAreNotAsked: String? {
    switch self {
    case .sequentialConsistency: "every access is ordered"
    }
  }

  /// That as part of a sentence: "under sequential consistency every access is ordered".
  public var reasonNotToAsk: String {
    whyOrderingsAreNotAsked.map { "under \(text) \($0)" } ?? ""
  }

  /// What is said of a question that the model cannot answer.
  public var notAnswered: String { "not answered under \(text)" }

  /// The model that `name` gives; nil if there is none.
  public init?(name: String) {
    guard let model = MemoryModel.allCases.first(where: { $0.name == name }) else { return nil }
    self = model
  }
}
