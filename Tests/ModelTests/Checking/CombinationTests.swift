// Combinations: counts, names and comparisons equal those of a slow and obvious method.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestExpectations
import Testing

@Suite(.tags(.long), .unlessQuick) struct CombinationTests {
  // MARK: How many there are

  struct Space: Sendable {
    var vocabulary: Int
    var cpus: Int
    var operations: Int
    var symmetries: [[Int]] = []
    var expected: (assignments: Int, unordered: Int, combinations: Int)
  }

  /// Every way to assign operations to CPUs, in classes up to the order of CPUs and symmetries.
  @Test(arguments: [
    Space(vocabulary: 1, cpus: 3, operations: 2, expected: (14, 9, 9)),
    Space(vocabulary: 2, cpus: 2, operations: 2, expected: (42, 27, 27)),
    Space(vocabulary: 2, cpus: 2, operations: 2, symmetries: [[1, 0]], expected: (42, 27, 15)),
    Space(vocabulary: 2, cpus: 3, operations: 2, symmetries: [[1, 0]], expected: (258, 83, 43)),
    Space(vocabulary: 3, cpus: 3, operations: 1, symmetries: [[1, 2, 0]], expected: (39, 19, 7)),
    Space(
      vocabulary: 4, cpus: 2, operations: 2, symmetries: [[1, 0, 2, 3], [2, 3, 0, 1]],
      expected: (420, 230, 41)),
  ])
  func counts(_ given: Space) {
    let space = CombinationSpace(
      vocabularySize: given.vocabulary, cpusMax: given.cpus, operationsMax: given.operations,
      symmetries: given.symmetries)
    let assignments = Self.assignments(given.vocabulary, given.cpus, given.operations)
    #expect(assignments.count == given.expected.assignments)
    #expect(space.assignmentCount == given.expected.assignments)
    let unordered = Self.classes(of: assignments) { Self.orders(of: $0) }
    #expect(unordered.count == given.expected.unordered)
    #expect(space.combinationCount == given.expected.unordered)
    let classes = Self.classes(of: assignments) { assignment in
      Self.orders(of: assignment)
        + given.symmetries.map { symmetry in assignment.map { $0.map { symmetry[$0] } } }
    }
    let combinations = space.combinations
    #expect(classes.count == given.expected.combinations)
    #expect(combinations.count == classes.count)
    // One of each class, those with the fewest operations and then CPUs first.
    for members in classes {
      #expect(combinations.count { members.contains($0.sequences) } == 1)
    }
    let sizes = combinations.map { [$0.operationCount, $0.sequences.count] }
    #expect(zip(sizes, sizes.dropFirst()).allSatisfy { !$1.lexicographicallyPrecedes($0) })
  }

  private static func assignments(_ vocabulary: Int, _ cpus: Int, _ operations: Int) -> [[[Int]]] {
    func words<Letter>(of letters: [Letter], upTo length: Int) -> [[Letter]] {
      if length == 0 { return [[]] }
      return [[]]
        + words(of: letters, upTo: length - 1).flatMap { word in letters.map { [$0] + word } }
    }
    let sequences = words(of: Array(0..<vocabulary), upTo: operations).filter { !$0.isEmpty }
    return words(of: sequences, upTo: cpus).filter { !$0.isEmpty }
  }

  private static func orders(of assignment: [[Int]]) -> [[[Int]]] {
    guard assignment.count > 1 else { return [assignment] }
    return assignment.indices.flatMap { index in
      var rest = assignment
      let first = rest.remove(at: index)
      return orders(of: rest).map { [first] + $0 }
    }
  }

  /// The classes of a relation, found by following it from each member.
  private static func classes(
    of assignments: [[[Int]]], related: ([[Int]]) -> [[[Int]]]
  ) -> [Set<[[Int]]>] {
    var classes: [Set<[[Int]]>] = []
    var seen: Set<[[Int]]> = []
    for start in assignments where !seen.contains(start) {
      var members: Set<[[Int]]> = [start]
      var left = [start]
      while let next = left.popLast() {
        for other in related(next) where members.insert(other).inserted { left.append(other) }
      }
      seen.formUnion(members)
      classes.append(members)
    }
    return classes
  }

  /// Overflow is detected, without false alarms: C(n, n/2) with n = 66 fits.
  @Test func largeCounts() {
    func count(_ vocabulary: Int, _ cpus: Int) -> Int? {
      CombinationSpace(vocabularySize: vocabulary, cpusMax: cpus, operationsMax: 1).combinationCount
    }
    #expect(count(33, 33) == 7_219_428_434_016_265_740 - 1)
    #expect(count(34, 34) == nil)
    #expect(count(7, 40) == 62_891_498)
  }

  // MARK: Which contain others

  /// The combinations that remain when operations are removed one by one.
  @Test func contains() {
    let all = CombinationSpace(vocabularySize: 2, cpusMax: 3, operationsMax: 2).combinations
    func smaller(_ combination: Combination) -> Set<Combination> {
      var found: Set<Combination> = [combination]
      for (cpu, sequence) in combination.sequences.enumerated() {
        for position in sequence.indices {
          var sequences = combination.sequences
          sequences[cpu].remove(at: position)
          found.formUnion(smaller(Combination(sequences.filter { !$0.isEmpty })))
        }
      }
      return found
    }
    for one in all {
      let parts = smaller(one)
      for other in all {
        #expect(one.contains(other) == parts.contains(other), "\(one) \(other)")
      }
    }
  }

  // MARK: Names

  @Test(arguments: SweepTests.systems)
  func namesSayAll(_ model: Model) throws {
    let operations = try #require(model.vocabulary).operations
    let combinations = [(1, 2), (2, 1)].flatMap { cpus, length in
      CombinationSpace(
        vocabularySize: operations.count, cpusMax: cpus, operationsMax: length
      ).combinations
    }
    var names: Set<String> = []
    for combination in combinations {
      let name = try #require(model.model(of: combination)).name
      names.insert(name)
      #expect(
        name.utf8.allSatisfy { $0 > 32 && $0 < 127 } && !name.contains { "'\"$&;".contains($0) })
      #expect(try model.combination(named: name) == combination)
    }
    #expect(names.count == Set(combinations).count)
    let last = try #require(combinations.last)
    #expect(Catalogue.model(named: try #require(model.model(of: last)).name) != nil)
    #expect(Catalogue.model(named: "\(model.name)/") == nil)
  }

  @Test func cpusOfACombinationAreIdenticalWhereTheyDoTheSame() throws {
    let name = "fault-in-parallel/map-0x1/map-0x0/map-0x1,map-0x0/map-0x1"
    let scenario = try #require(Catalogue.model(named: name)).scenario()
    #expect(
      scenario.programs.map { $0.operations.map(\.name) } == [
        ["map 0x0"], ["map 0x1"], ["map 0x1"], ["map 0x1", "map 0x0"],
      ])
    #expect(scenario.identicalCPUs == [[1, 2]])
  }

  // MARK: What vocabularies declare

  /// The model requires everything that applies to its combinations.
  @Test(arguments: SweepTests.systems.filter { $0.expectation == .holds })
  func combinationsRequireWhatApplies(_ model: Model) throws {
    let count = try #require(model.vocabulary).operations.count
    let space = CombinationSpace(vocabularySize: count, cpusMax: 2, operationsMax: 1)
    for combination in space.combinations {
      let model = try #require(model.model(of: combination))
      #expect(try model.missingInvariants(for: try model.check().coverage) == [])
    }
  }

  /// A combination in the exhaustive search, which merges only equal states, with its CPUs in the
  /// given order.
  private func counts(_ model: Model, _ sequences: [[Int]]) throws -> String {
    let vocabulary = try #require(model.vocabulary)
    let ordered = Model(name: "ordered", summary: "", scenario: "", expectation: .holds) { _ in
      vocabulary.scenario(sequences)
    }
    var options = CheckOptions()
    options.strategy = .exhaustive
    options.minimises = false
    let report = try ordered.check(options)
    return "\(report.violatedInvariant ?? "holds") \(report.statistics)"
  }

  /// Combinations and symmetries for which verdicts or counts differ.
  private func differences(
    _ model: Model, _ symmetries: [[Int]]
  ) throws -> [(sequences: [[Int]], symmetry: [Int])] {
    let count = try #require(model.vocabulary).operations.count
    let assignments =
      Self.assignments(count, 2, 1) + Self.assignments(count, 1, 2).filter { $0[0].count == 2 }
    var found: [(sequences: [[Int]], symmetry: [Int])] = []
    for sequences in assignments {
      let own = try counts(model, sequences)
      for symmetry in symmetries {
        let image = sequences.map { $0.map { symmetry[$0] } }
        if try counts(model, image) != own { found.append((sequences, symmetry)) }
      }
    }
    return found
  }

  @Test(arguments: SweepTests.systems.filter { $0.vocabulary?.symmetries.isEmpty == false })
  func declaredSymmetriesHold(_ model: Model) throws {
    let symmetries = try #require(model.vocabulary).symmetries
    #expect(try differences(model, symmetries).map { "\($0.sequences) \($0.symmetry)" } == [])
  }

  /// Page 0x0 is not mapped at the start and 0x2 is, which looking them up shows.
  @Test func falseSymmetriesAreDetected() throws {
    let model = try #require(Catalogue.model(named: "collapse-in-rcu-callback"))
    #expect(try differences(model, [[1, 0, 3, 2, 5, 4, 6]]).contains { $0.sequences == [[4]] })
    let ordered = try #require(Catalogue.model(named: "swap-two-entries"))
    #expect(try !differences(ordered, [[0, 1, 3, 2]]).isEmpty)
  }
}
