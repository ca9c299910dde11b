// Rounds that are played as bytes, as another process would: the search is the same.

import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import Testing

struct DistantRoundsTests {
  private static var division: ParallelSearch.Division {
    var division = ParallelSearch.Division.fine
    division.turns = 40
    division.leavesClaimed = true
    return division
  }

  /// A search whose rounds are played from bytes; `damaged` answers are no answers.
  ///
  /// Some players know what was told before, others are new.
  private func search(
    usesSymmetry: Bool = false, isDistant: Bool, damaged: Int = 0,
    _ scenario: @escaping () -> Scenario
  ) throws -> (result: SearchResult, rounds: Int) {
    var options = SearchOptions()
    options.collectsFinalStates = true
    options.usesSymmetry = usesSymmetry
    let given = options
    let rounds = Locked(0)
    if isDistant {
      var told: [[UInt8]] = []
      let lasting = RoundPlayer(given, Self.division) { Machine(scenario()) }
      options.distantRounds = DistantRounds(turnsMin: 1) { news, members in
        told.append(news)
        guard (try? lasting.learn(news)) != nil else { return nil }
        let number = rounds.withLock { rounds in
          rounds += 1
          return rounds
        }
        // The last one first: the order in which parts are played makes no difference.
        let answers = members.reversed().map { member -> [UInt8] in
          if number % 5 > 0 { return (try? lasting.play(member)) ?? [] }
          let fresh = RoundPlayer(given, Self.division) { Machine(scenario()) }
          for news in told { try? fresh.learn(news) }
          return (try? fresh.play(member)) ?? []
        }
        guard damaged > 0, number % damaged == 0 else { return answers.reversed() }
        return answers.reversed().map { Array($0.dropLast()) }
      }
    }
    let result = ParallelSearch.run(jobs: 1, options, Self.division) { Machine(scenario()) }
    return (result, rounds.withLock { $0 })
  }

  private static let models = [
    "drop-last-reference", "collapse-free-at-once",
    "unmap-under-write-lock", "walk-references",
  ]

  @Test(arguments: models) func modelsCountTheSame(name: String) throws {
    let model = try #require(Catalogue.model(named: name))
    let scenario = { (try? model.scenario()) ?? Scenario() }
    let here = try search(isDistant: false, scenario)
    let distant = try search(isDistant: true, scenario)
    #expect(distant.rounds > 0)
    expectEqual(distant.result, here.result)
  }

  @Test func identicalCPUsCountTheSame() throws {
    let scenario = { IdenticalMappers.scenario(mappers: 3) }
    let here = try search(usesSymmetry: true, isDistant: false, scenario)
    let distant = try search(usesSymmetry: true, isDistant: true, scenario)
    #expect(distant.rounds > 5)
    expectEqual(distant.result, here.result)
  }

  /// A part whose answer cannot be read is played here.
  @Test func damagedAnswersAreReplaced() throws {
    let scenario = { PageTableBenchmark.scenario(mappers: 4) }
    let here = try search(isDistant: false, scenario)
    let distant = try search(isDistant: true, damaged: 2, scenario)
    #expect(distant.rounds > 5)
    expectEqual(distant.result, here.result)
  }
}
