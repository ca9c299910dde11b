// Executors: the results, their order, and the handling of missing ones.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkSupport
import TestExpectations
import Testing

/// A unit that ends after the unit with the next number, if there is one.
private struct WaitingUnit: WorkUnit {
  struct Refused: Error, Codable, Equatable {}

  static let ended = Locked(Set<Int>())

  var number: Int
  var waitsFor: Int?
  var fails = false

  func run(_ context: WorkContext<Int>) throws(Refused) -> Int {
    while let waitsFor, !Self.ended.withLock({ $0.contains(waitsFor) }) {
      pause(microseconds: 100)
    }
    _ = Self.ended.withLock { $0.insert(number) }
    if fails { throw Refused() }
    return 10 * number
  }
}

/// An executor that knows units and answers as bytes only, as another machine would.
private struct ByteExecutor: Executor {
  var threads: ThreadExecutor
  var width: Int { threads.width }

  private func again<Value: Codable>(_ value: Value) -> Value? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return (try? encoder.encode(value)).flatMap {
      try? JSONDecoder().decode(Value.self, from: $0)
    }
  }

  func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool {
    let sent = units.compactMap { again($0) }
    #expect(sent == units)
    return threads.run(sent, watch) { done in
      switch done.result {
      case .success(let answer):
        guard let answer = again(answer) else { return false }
        return take(WorkDone(number: done.number, result: .success(answer), seconds: done.seconds))
      case .failure(let error):
        guard let error = again(error) else { return false }
        return take(WorkDone(number: done.number, result: .failure(error), seconds: done.seconds))
      }
    }
  }
}

/// An executor that does nothing, and may say that it did.
private struct LazyExecutor: Executor {
  var says: Bool
  var width: Int { 1 }

  func run<Unit: WorkUnit>(
    _ units: [Unit], _ watch: WorkWatch<Unit>, take: (WorkDone<Unit>) -> Bool
  ) -> Bool { says }
}

@Suite(.serialized) struct ExecutorTests {
  private static func model(_ name: String) throws -> Model {
    try #require(Catalogue.model(named: name))
  }

  @Test(arguments: [1, 2, 5])
  func resultsComeInOrder(jobs: Int) {
    WaitingUnit.ended.withLock { $0 = [] }
    let units = (0..<20).map { number in
      WaitingUnit(
        number: number, waitsFor: jobs > 1 && number % 2 == 0 ? number + 1 : nil,
        fails: number == 7)
    }
    var taken: [Int] = []
    let isWhole = ThreadExecutor([], jobs: jobs).run(units, WorkWatch()) { done in
      taken.append(done.number)
      switch done.result {
      case .success(let value): #expect(value == 10 * done.number && done.number != 7)
      case .failure: #expect(done.number == 7)
      }
      return true
    }
    #expect(isWhole)
    #expect(taken == Array(0..<20))
  }

  @Test(arguments: [1, 3])
  func nothingIsBegunOnceNoMoreIsNeeded(jobs: Int) {
    let units = (0..<100).map { WaitingUnit(number: $0) }
    var taken: [Int] = []
    var isWhole = ThreadExecutor([], jobs: jobs).run(units, WorkWatch()) { done in
      taken.append(done.number)
      return done.number < 3
    }
    #expect(!isWhole)
    #expect(taken == [0, 1, 2, 3])
    // An interrupted unit is not delivered as done.
    let begun = Locked(0)
    var watch = WorkWatch<WaitingUnit>()
    watch.begin = { _ in
      begun.withLock { $0 += 1 }
      return { _ in true }
    }
    watch.isInterrupted = { begun.withLock { $0 >= 5 } }
    taken = []
    isWhole = ThreadExecutor([], jobs: jobs).run(units, watch) { done in
      taken.append(done.number)
      return true
    }
    #expect(!isWhole)
    #expect(taken == Array(0..<taken.count))
    #expect((5..<5 + jobs).contains(taken.count))
  }

  @Test func anUnknownModelIsAnError() throws {
    _ = ThreadExecutor([]).run([CheckRequest("nothing")], WorkWatch()) { done in
      #expect(throws: CheckError.badOptions("there is no model 'nothing' here")) {
        try done.result.get()
      }
      return true
    }
  }

  // MARK: Whoever does the work, it is the same

  @Test func sweepsAreTheSameThroughBytes() throws {
    var options = SweepOptions()
    options.findsAll = true
    for name in ["collapse-unlocked-descendants", "shared-memcache"] {
      let model = try Self.model(name)
      guard model.vocabulary != nil else { continue }
      let executor = ByteExecutor(threads: ThreadExecutor([model], jobs: 2))
      let report = try model.sweep(options, by: executor)
      #expect(try report.text == model.sweep(options).text)
    }
  }

  @Test(.tags(.long), .unlessQuick) func ablationsAreTheSameThroughBytes() throws {
    for name in ["shared-memcache", "collapse-in-rcu-callback"] {
      let model = try Self.model(name)
      let executor = ByteExecutor(threads: ThreadExecutor([model], jobs: 2))
      let report = try model.ablate(CheckOptions(), by: executor) { _, _, _ in { _ in true } }
      let direct = try model.ablate()
      #expect(report.text == direct.text)
      #expect(try json(AblationDocument(report)) == json(AblationDocument(direct)))
    }
  }

  @Test func evidenceAndMatricesAreTheSameThroughBytes() throws {
    let models = try #require(Catalogue.systems.first { $0.name == "memcache" }).models
    let executor = ByteExecutor(threads: ThreadExecutor(models, jobs: 2))
    let system = ModelSystem("memcache", "Memcache", models)
    let evidence = try Evidence.of(models, by: executor).map { try $0.get() }
    let direct = try Evidence.of(models, jobs: 1).map { try $0.get() }
    #expect(DocumentSet([system], evidence).pages == DocumentSet([system], direct).pages)
    let matrix = try VerdictMatrix(of: models, by: executor) { _ in { _ in true } }
    #expect(try json(MatrixDocument(matrix)) == json(MatrixDocument(MatrixTests.matrix(models))))
  }

  @Test func fuzzingIsTheSameThroughBytes() {
    var request = FuzzRequest(seeds: 0..<41)
    request.size = .small
    request.mix = [.slabs]
    let parts = request.report(by: ByteExecutor(threads: ThreadExecutor([], jobs: 2))) { _ in true }
    let whole = request.report(by: ThreadExecutor([])) { _ in true }
    #expect(parts.programs == 41 && whole.programs == 41)
    #expect(parts.transitions == whole.transitions && parts.pairs == whole.pairs)
    #expect(parts.violated == whole.violated && whole.mismatches.isEmpty)
  }

  // MARK: Nothing holds by omission

  @Test(arguments: [true, false])
  func unitsThatDidNotRunDoNotHold(says: Bool) throws {
    let executor = LazyExecutor(says: says)
    let model = try Self.model("collapse-in-rcu-callback")
    let sweep = try model.sweep(SweepOptions(), by: executor)
    #expect(sweep.verdict == .incomplete)
    #expect(sweep.text.contains(says ? "[internal]" : "interrupted"))
    let ablation = try Self.model("shared-memcache").ablate(CheckOptions(), by: executor) {
      _, _, _ in { _ in true }
    }
    #expect(!ablation.isComplete && !ablation.rows.isEmpty)
    for result in Evidence.of([model], by: executor) {
      #expect(throws: AblationError.self) { try result.get() }
    }
    let matrix = try VerdictMatrix(of: [model], by: executor) { _ in { _ in true } }
    #expect(!matrix.isAsDeclared)
    #expect(matrix.entries[0].rows[0].cells.allSatisfy { $0 == .incomplete || $0 == .notRequired })
    let fuzzed = FuzzRequest(seeds: 0..<5).report(by: executor) { _ in true }
    #expect(fuzzed.programs == 0)
  }

  /// A model that declares nothing to check is refused, not skipped.
  @Test func nothingToCheckIsAnError() throws {
    func model(_ expectation: GracewalkChecking.Expectation, _ instances: [[String: Int]]) -> Model
    {
      Model(
        name: "m", summary: "", scenario: "", expectation: expectation, instances: instances
      ) { _ in
        let scenario = Scenario()
        scenario.cpu("cpu", CPUOperation("run") { _ in })
        return scenario
      }
    }
    #expect(throws: CheckError.self) { try model(.holds, []).verify() }
    #expect(throws: CheckError.self) { try model(.violates([]), [[:]]).verify() }
    #expect(try model(.holds, [[:]]).verify().count == 1)
  }
}
