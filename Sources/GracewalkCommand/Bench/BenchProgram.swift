// The programs that gracewalk bench measures, in sizes that take each search a few seconds.

import Gracewalk
import GracewalkCommands
import GracewalkModels

/// A program of one size, and the search to measure on it.
struct BenchProgram: Sendable {
  var name: String
  var strategy: Strategy
  /// Whether the search merges states that differ only by an exchange of identical CPUs.
  var usesSymmetry = false
  var makeScenario: @Sendable () -> Scenario
  /// Compiles the program, if it is in C; nil if there is no compiler.
  var compile: (@Sendable () -> ProgramBenchmark?)?

  /// Programs of one kind that differ in their size.
  private struct Family: Sendable {
    var name: String
    var sizes: [Int]
    /// The largest size for each search, so that no row takes much more than ten seconds.
    var stateless = Int.max
    var exhaustive = 0
    /// Whether to measure the stateful search with symmetry as well.
    var hasIdenticalCPUs = false
    /// The valid sizes.
    var range = 1...62
    /// The program of the catalogue, if it is in C; its size is the macro N.
    var file: String?
    var make: @Sendable (Int) -> Scenario

    func fits(_ strategy: Strategy, _ size: Int) -> Bool {
      switch strategy {
      case .stateful: true
      case .optimal, .source: size <= stateless
      case .exhaustive: size <= exhaustive
      case .sleep, .random, .pct: false
      }
    }

    /// The program of a size, once for every search that fits.
    func programs(_ size: Int) -> [BenchProgram] {
      let name = "\(name)(\(size))"
      let all = Strategy.allCases.filter { fits($0, size) }.map { strategy in
        var program = BenchProgram(name: name, strategy: strategy) { make(size) }
        if let file {
          program.compile = {
            ProgramBenchmark(
              file, flags: ["-DN=\(size)"], ProgramLibrary(Programs.files + BenchTexts.files))
          }
        }
        return program
      }
      guard hasIdenticalCPUs else { return all }
      return all + [
        BenchProgram(name: name, strategy: .stateful, usesSymmetry: true) { make(size) }
      ]
    }
  }

  /// The model of the catalogue with the most states, from its standard size to its largest.
  private static let largestModel = "collapse-locked-descendants"

  private static let families: [Family] = [
    Family(name: "readers", sizes: [12, 16, 18]) { Textbook.readers($0) },
    Family(name: "lastzero", sizes: [8, 12, 15]) { Textbook.lastzero($0) },
    Family(name: "indexer", sizes: [12, 14, 15]) { Textbook.indexer($0) },
    Family(name: "filesystem", sizes: [16, 19, 26]) { Textbook.filesystem($0) },
    Family(name: "page-table", sizes: [2, 3, 4, 5, 6, 7], stateless: 6, exhaustive: 5) {
      PageTableBenchmark.scenario(mappers: $0)
    },
    // The same in C, compared side by side.
    Family(name: "page-table-c", sizes: [4, 5, 6], stateless: 6, file: "page-table") {
      PageTableBenchmark.scenario(mappers: $0)
    },
    Family(name: "readers-c", sizes: [18], file: "readers") { Textbook.readers($0) },
    Family(name: "lastzero-c", sizes: [15], file: "lastzero") { Textbook.lastzero($0) },
    Family(name: "indexer-c", sizes: [15], file: "indexer") { Textbook.indexer($0) },
    Family(
      name: "same-mappers", sizes: [2, 3, 4, 5], stateless: 3, exhaustive: 3, hasIdenticalCPUs: true
    ) {
      IdenticalMappers.scenario(mappers: $0)
    },
    Family(name: largestModel, sizes: [3, 4], range: 2...4) { levels in
      let model = Catalogue.model(named: largestModel)
      guard let scenario = try? model?.scenario(parameters: ["levels": levels]) else {
        fatalError("[internal] the catalogue has no \(largestModel)(\(levels))")
      }
      return scenario
    },
  ]

  static let familyNames = families.map(\.name)

  static let all: [BenchProgram] = families.flatMap { family in
    family.sizes.flatMap { family.programs($0) }
  }

  /// The programs with the given names, with any size or without; all if there are none.
  static func named(_ names: [String]) throws(UsageError) -> [BenchProgram] {
    if names.isEmpty { return all }
    var programs: [BenchProgram] = []
    for name in names {
      let parts = name.split(separator: "(", maxSplits: 1)
      guard let family = families.first(where: { $0.name == parts.first ?? "" }) else {
        let known = familyNames.joined(separator: ", ")
        throw UsageError("there is no program '\(name)' to measure; there are \(known)")
      }
      if parts.count == 1 {
        programs += family.sizes.flatMap { family.programs($0) }
        continue
      }
      guard parts[1].hasSuffix(")"), let size = Int(parts[1].dropLast()),
        family.range.contains(size)
      else {
        throw UsageError(
          "'\(name)' needs a size from \(family.range.lowerBound) to \(family.range.upperBound), "
            + "as in \(family.name)(\(family.sizes[0]))")
      }
      programs += family.programs(size)
    }
    return programs
  }
}
