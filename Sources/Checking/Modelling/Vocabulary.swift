// A vocabulary: operations of a model from which a sweep builds scenarios.

import GracewalkMachine
import GracewalkSupport

/// Operations of a model's code on a few addresses, and the state they start from.
///
/// A model answers a question about one scenario. Its vocabulary lists other operations of the same
/// code, so that `sweep` can build every scenario up to a size.
public struct Vocabulary: Sendable {
  /// An operation that any CPU may run at any time.
  public struct Word: Sendable {
    public let operation: CPUOperation
    /// Whether it defers work with `VirtualCPU.call`.
    public let usesCallbacks: Bool
    /// The MMU that translates it, if a guest runs it.
    public let mmu: MMU?

    public init(_ operation: CPUOperation, usesCallbacks: Bool = false, mmu: MMU? = nil) {
      self.operation = operation
      self.usesCallbacks = usesCallbacks
      self.mmu = mmu
    }

    /// The operation in the name of a combination: letters, digits and hyphens.
    var name: String {
      operation.name.hyphenated
    }
  }

  /// A description of the state before the first operation.
  public let start: String
  /// Permutations of the operations, by number, that change neither verdicts nor counts, such as
  /// those caused by exchanging addresses.
  public let symmetries: [[Int]]
  /// Makes a fresh scenario without CPUs, and the operations to choose from.
  ///
  /// The invariants that the scenario requires must be right for all combinations.
  public let build: @Sendable () -> (scenario: Scenario, words: [Word])

  public init(
    start: String, symmetries: [[Int]] = [],
    build: @escaping @Sendable () -> (scenario: Scenario, words: [Word])
  ) {
    self.start = start
    self.symmetries = symmetries
    self.build = build
  }

  /// A vocabulary of operations that need neither callbacks nor a memory management unit.
  public init(
    start: String, symmetries: [[Int]] = [],
    operations: @escaping @Sendable () -> (scenario: Scenario, operations: [CPUOperation])
  ) {
    self.init(start: start, symmetries: symmetries) {
      let (scenario, operations) = operations()
      return (scenario, operations.map { Word($0) })
    }
  }

  /// The operations, as traces name them.
  public var operations: [String] { build().words.map(\.operation.name) }

  /// The scenario in which each CPU runs a sequence of operations, given by their numbers.
  ///
  /// Adjacent CPUs that run the same sequence are declared identical.
  package func scenario(_ sequences: [[Int]]) -> Scenario {
    let (scenario, words) = build()
    scenario.isCombination = true
    var number = 0
    while number < sequences.count {
      let alike = sequences[number...].prefix { $0 == sequences[number] }.count
      let names = (number..<number + alike).map { "cpu \($0)" }
      let chosen = sequences[number].map { words[$0] }
      let operations = chosen.map(\.operation)
      let calls = chosen.contains { $0.usesCallbacks }
      if let mmu = chosen.lazy.compactMap(\.mmu).first {
        for name in names { scenario.cpu(name, usesCallbacks: calls, mmu: mmu, operations) }
      } else {
        scenario.cpus(names, usesCallbacks: calls, operations)
      }
      number += alike
    }
    return scenario
  }
}

extension Scenario {
  /// Gives the model the operations that `gracewalk sweep` combines: any CPU may carry out any of
  /// them, at any time, in place of the scenario's own.
  ///
  /// What the scenario requires must be right for all combinations, and they begin as it does with
  /// standard parameters.
  ///
  /// - Parameters:
  ///   - start: what there is before the first operation, in words.
  ///   - symmetries: permutations of the operations, by number, that change neither verdicts nor
  ///     counts: those that an exchange of addresses makes.
  ///   - words: the operations.
  public func vocabulary(
    _ start: String, symmetries: [[Int]] = [], _ words: [Vocabulary.Word]
  ) {
    offer = VocabularyOffer(start: start, symmetries: symmetries, words: words)
  }

  /// The same for operations that need neither callbacks nor a memory management unit.
  public func vocabulary(
    _ start: String, symmetries: [[Int]] = [], _ operations: [CPUOperation]
  ) {
    vocabulary(start, symmetries: symmetries, operations.map { Vocabulary.Word($0) })
  }
}

/// What a scenario offers for a sweep.
private struct VocabularyOffer: Sendable {
  let start: String
  let symmetries: [[Int]]
  let words: [Vocabulary.Word]
}

extension Vocabulary {
  /// The operations that a scenario offers, from which its own CPUs are taken out; nil if it offers
  /// none.
  init?(offeredBy build: @escaping @Sendable () -> Scenario) {
    let scenario = Scenario.noting(build)
    guard let offer = scenario.offer as? VocabularyOffer else { return nil }
    self.init(start: offer.start, symmetries: offer.symmetries) {
      let scenario = build()
      scenario.removeCPUs()
      return (scenario, (scenario.offer as? VocabularyOffer)?.words ?? [])
    }
  }
}

extension Vocabulary {
  /// The same with code that leaves out a step.
  func omitting(_ omission: String?) -> Vocabulary {
    let build = build
    return Vocabulary(start: start, symmetries: symmetries) {
      MisuseSink.whileOmitting(omission, build)
    }
  }
}

extension Model {
  /// CPUs of a combination, and operations of each of them, at most.
  ///
  /// A machine has room for 16 pages and 16 callbacks of each CPU.
  public static let sweptCPUsMax = 8
  public static let sweptOperationsMax = 6

  /// The model of a combination of this model's operations; nil without a vocabulary, or if a
  /// number is out of range.
  ///
  /// Its name describes it completely, so all commands can treat it like any other model:
  /// `collapse-unlocked-descendants/map-0x0/collapse-0x0`, with a slash before each CPU and a comma
  /// between its operations.
  public func model(of combination: Combination) -> Model? {
    guard let vocabulary else { return nil }
    let words = vocabulary.build().words
    guard combination.sequences.joined().allSatisfy({ words.indices.contains($0) }) else {
      return nil
    }
    let cpus = combination.sequences.enumerated().map { number, sequence in
      "cpu \(number) does \(sequence.map { words[$0].operation.name }.joined(separator: ", then "))"
    }
    return Model(
      name: name + words.suffix(for: combination), summary: summary,
      scenario: "\(vocabulary.start) \(cpus.joined(separator: "; ")).", omission: omission,
      origin: origin, expectation: .holds, exempt: exempt, openQuestion: openQuestion
    ) { _ in
      vocabulary.scenario(combination.sequences)
    }
  }

  /// The name of a combination of this model.
  package func name(of combination: Combination) -> String {
    name + (vocabulary?.build().words ?? []).suffix(for: combination)
  }

  /// Why a name does not name a combination.
  public enum CombinationNameError: Error, Equatable {
    case noVocabulary
    case unknownOperation(String, known: [String])
    case tooLarge
  }

  /// The combination with a name that begins with this model's name and a slash.
  public func combination(named text: String) throws(CombinationNameError) -> Combination {
    guard let vocabulary else { throw .noVocabulary }
    let known = vocabulary.build().words.map(\.name)
    var sequences: [[Int]] = []
    for cpu in text.dropFirst(name.count + 1).split(
      separator: "/", omittingEmptySubsequences: false)
    {
      var sequence: [Int] = []
      for word in cpu.split(separator: ",", omittingEmptySubsequences: false) {
        guard let number = known.firstIndex(of: String(word)) else {
          throw .unknownOperation(String(word), known: known)
        }
        sequence.append(number)
      }
      sequences.append(sequence)
    }
    guard sequences.count <= Self.sweptCPUsMax,
      sequences.allSatisfy({ $0.count <= Self.sweptOperationsMax })
    else { throw .tooLarge }
    return Combination(sequences)
  }
}

extension [Vocabulary.Word] {
  fileprivate func suffix(for combination: Combination) -> String {
    combination.sequences.map { sequence in
      "/" + sequence.map { indices.contains($0) ? self[$0].name : "?" }.joined(separator: ",")
    }.joined()
  }
}

extension Collection<Model> {
  /// The model with a name: one of these, or a combination of its operations.
  public func model(named name: String) -> Model? {
    if let model = first(where: { $0.name == name }) { return model }
    guard let model = first(where: { name.hasPrefix("\($0.name)/") }),
      let combination = try? model.combination(named: name)
    else { return nil }
    return model.model(of: combination)
  }
}
