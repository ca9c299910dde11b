// The programs that gracewalk bench measures, with the sizes that each search takes seconds for.

import Gracewalk
import Models

/// A program of one size, and the search to measure on it.
struct BenchProgram: Sendable {
  var name: String
  var strategy: Strategy
  var makeScenario: @Sendable () -> Scenario

  /// Programs of one kind that differ in their size.
  private struct Family: Sendable {
    var name: String
    var sizes: [Int]
    /// The largest size each search gets, so that no row takes much more than ten seconds.
    var stateful = Int.max
    var stateless = Int.max
    var exhaustive = 0
    var make: @Sendable (Int) -> Scenario

    func fits(_ strategy: Strategy, _ size: Int) -> Bool {
      switch strategy {
      case .stateful: size <= stateful
      case .optimal, .source: size <= stateless
      case .exhaustive: size <= exhaustive
      case .sleep, .random, .pct: false
      }
    }
  }

  /// The model of the catalogue with the most states, from its standard size to its largest.
  private static let largestModel = "collapse-locked-descendants"

  private static let families: [Family] = [
    Family(name: "readers", sizes: [12, 16, 18]) { Textbook.readers($0) },
    Family(name: "lastzero", sizes: [8, 12, 15], stateful: 12) { Textbook.lastzero($0) },
    Family(name: "indexer", sizes: [12, 14, 15], stateful: 15) { Textbook.indexer($0) },
    Family(name: "filesystem", sizes: [16, 19, 26], stateful: 19) { Textbook.filesystem($0) },
    Family(name: "page-table", sizes: [2, 3, 4, 5, 6, 7], stateless: 6, exhaustive: 5) {
      PageTableBenchmark.scenario(mappers: $0)
    },
    Family(name: largestModel, sizes: [3, 4]) { levels in
      let model = Catalogue.model(named: largestModel)
      guard let scenario = try? model?.scenario(parameters: ["levels": levels]) else {
        preconditionFailure("[internal] the catalogue has no \(largestModel)(\(levels))")
      }
      return scenario
    },
  ]

  static let familyNames = families.map(\.name)

  static let all: [BenchProgram] = families.flatMap { family in
    family.sizes.flatMap { size in
      Strategy.allCases.filter { family.fits($0, size) }.map { strategy in
        BenchProgram(name: "\(family.name)(\(size))", strategy: strategy) { family.make(size) }
      }
    }
  }

  /// The programs with the given names, whole or without their size; all if there are none.
  static func named(_ names: [String]) throws(UsageError) -> [BenchProgram] {
    for name in names where !all.contains(where: { $0.name.hasPrefix(name) }) {
      let known = familyNames.joined(separator: ", ")
      throw UsageError("there is no program '\(name)' to measure; there are \(known)")
    }
    if names.isEmpty { return all }
    return all.filter { program in names.contains { program.name.hasPrefix($0) } }
  }
}
