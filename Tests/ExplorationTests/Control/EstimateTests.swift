// Estimates of the explored part: exact on small trees drawn by hand, close on large ones.

import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import TestSupport
import Testing

@Suite struct EstimateTests {
  /// The explored part that a search reports when it is stopped after some executions.
  private func explored(
    after executions: Int, of scenario: Scenario,
    _ search: (Machine, SearchOptions) -> SearchResult
  ) throws -> Double {
    let options = SearchOptions(limits: Limits(executions: executions))
    let result = search(Machine(scenario), options)
    #expect(result.ending == .bounded(.executions))
    return try #require(result.explored)
  }

  private func isNear(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) < 1e-6
  }

  /// Three CPUs with one step each: six executions, each a sixth of the tree.
  @Test(arguments: 1...6) func plainInterleavings(executions: Int) throws {
    let part = try explored(after: executions, of: storing(1, 1, 1)) {
      ExhaustiveSearch($0, $1, mergesStates: false).run()
    }
    #expect(isNear(part, Double(executions) / 6))
  }

  /// The first of 924 executions turns left at six nodes of two children.
  @Test func firstOfMany() throws {
    let part = try explored(after: 1, of: storing(6, 6)) {
      ExhaustiveSearch($0, $1, mergesStates: false).run()
    }
    #expect(isNear(part, 1.0 / 64))
  }

  /// A choice divides the share of its CPU.
  @Test(arguments: [1, 2]) func choices(executions: Int) throws {
    let scenario = Scenario()
    scenario.mayRunOutOfMemory = true
    scenario.cpu("allocator", CPUOperation("allocate") { cpu in _ = try cpu.allocateTable() })
    for strategy in [
      { ExhaustiveSearch($0, $1, mergesStates: false).run() },
      { SourceSearch($0, $1).run() }, { OptimalSearch($0, $1).run() },
    ] as [(Machine, SearchOptions) -> SearchResult] {
      let part = try explored(after: executions, of: scenario, strategy)
      // Two choices are two branches of a wakeup tree, of which the second weighs less.
      #expect(isNear(part, Double(executions) / 2) || isNear(part, executions == 1 ? 0.625 : 1))
    }
  }

  /// One writer, two readers.
  ///
  /// At the root all three come first in turn, with weights of 1, 0.6 and
  /// 0.36; below the first reader, the writer and the second reader do: 1 + 0.6 / 1.6 = 1.375.
  @Test(arguments: [(1, 1.0), (2, 1.375), (3, 1.6), (4, 1.96)])
  func sourceSets(executions: Int, done: Double) throws {
    let part = try explored(after: executions, of: Textbook.readers(2)) {
      SourceSearch($0, $1).run()
    }
    #expect(isNear(part, done / 1.96))
  }

  /// The same, but the second reader gets a branch of its own only after two executions: before,
  /// it stands below the first.
  ///
  /// So the parts are 1 and 1.375 of 1.6, then 1.6 and 1.96 of 1.96.
  @Test(arguments: [(1, 0.625), (2, 0.859375), (3, 0.8163265), (4, 1.0)])
  func wakeupTrees(executions: Int, done: Double) throws {
    let part = try explored(after: executions, of: Textbook.readers(2)) {
      OptimalSearch($0, $1).run()
    }
    #expect(isNear(part, done))
  }

  @Test func nothingIsEstimatedWhereNothingIsLeft() {
    #expect(classes(of: Textbook.readers(2)).explored == nil)
    // Cut at a depth, but within it everything was explored.
    let cut = interleavings(of: storing(3, 3), limits: Limits(depth: 4))
    #expect(cut.ending == .bounded(.depth))
    #expect(cut.explored == nil)
    let sampled = SamplingSearch(
      Machine(storing(3, 3)), SearchOptions(limits: Limits(executions: 5)), sampling: .uniform)
    #expect(sampled.run().explored == nil)
  }

  private struct Point {
    var transitions: Int
    var done: Double
  }

  private func forecasts(
    _ scenario: Scenario, _ search: (Machine, SearchOptions) -> SearchResult
  ) -> [Point] {
    var points: [Point] = []
    var options = SearchOptions()
    options.watch = { progress in
      #expect(!progress.isExact && progress.secondsToBound == nil)
      guard let done = progress.fractionDone else { return true }
      points.append(Point(transitions: progress.statistics.transitions, done: done))
      return true
    }
    let total = search(Machine(scenario), options).statistics.transitions
    return points.map { Point(transitions: $0.transitions * 100 / total, done: $0.done) }
  }

  /// No estimate too early, none out of range, close from a third of the search on, and 1 at the
  /// end.
  @Test func forecastsOfLongSearches() throws {
    let points = forecasts(PageTableBenchmark.scenario(mappers: 5)) { SourceSearch($0, $1).run() }
    #expect(points.count > 20)
    #expect(try #require(points.first).transitions >= 15)
    #expect(points.allSatisfy { (0...1).contains($0.done) })
    #expect(points.allSatisfy { abs($0.done - Double($0.transitions) / 100) < 0.4 })
    #expect(try #require(points.last).done > 0.6)
    let middle = try #require(points.first { $0.transitions >= 50 })
    let late = try #require(points.first { $0.transitions >= 75 })
    #expect(middle.done < late.done)
  }

  /// A search that merges states looks at the ages of its stack: little at first, much in the end,
  /// and nearer than if it always said 50 %.
  @Test func agesInALongSearch() throws {
    let points = forecasts(PageTableBenchmark.scenario(mappers: 10)) {
      StatefulSearch($0, $1).run()
    }
    #expect(points.count > 20)
    #expect(points.allSatisfy { (0...1).contains($0.done) })
    let errors = points.map { abs($0.done - Double($0.transitions) / 100) }
    #expect(errors.reduce(0, +) / Double(errors.count) < 0.22)
    #expect(try #require(points.first).done < 0.3)
    #expect(try #require(points.last).done > 0.6)
  }

  /// Where all of a stack is old nothing is done, and an old half leaves an eighth.
  @Test func shareOfOldNodes() {
    let ages = StackAges(after: 1_000)
    #expect(ages.isOld(750) && !ages.isOld(751))
    #expect(ages.explored(old: 20, depthMax: 20) == 0)
    #expect(ages.explored(old: 10, depthMax: 20) == 0.125)
    #expect(ages.explored(old: 0, depthMax: 20) == 1)
    #expect(ages.explored(old: 3, depthMax: 0) == 0)
  }

  /// A sampling search knows its progress exactly.
  @Test func samplesAreCounted() {
    var options = SearchOptions(limits: Limits(executions: 4_096, seconds: 1_000))
    var fractions: [Double] = []
    options.watch = { progress in
      #expect(progress.isExact)
      #expect((progress.secondsToBound ?? 0) > 0)
      #expect(progress.fractionDone == Double(progress.statistics.executions) / 4_096)
      fractions.append(progress.fractionDone ?? -1)
      return true
    }
    _ = SamplingSearch(Machine(storing(2, 2)), options, sampling: .uniform).run()
    // Once per 1,024 executions of four steps: where the last step is taken, and where the next
    // execution begins.
    #expect(fractions == fractions.sorted())
    #expect(Set(fractions.map { ($0 * 4).rounded() }) == [0, 1, 2, 3, 4])
  }
}
