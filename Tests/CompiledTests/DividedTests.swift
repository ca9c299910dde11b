// A divided search, and one that is saved and resumed, is the same search.

import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport
import Testing

@Suite struct DividedTests {
  private struct Outcome: Equatable {
    var finding: Finding.Kind?
    var endings: Endings
    var states: Int
    var transitions: Int
    var finals: [UInt64]
    var schedule: Schedule?

    init(_ result: ProgramResult) {
      finding = result.finding?.kind
      endings = result.endings
      states = result.result.statistics.states
      transitions = result.result.statistics.transitions
      finals = result.result.finalStates.sorted()
      schedule = result.schedule
    }
  }

  private typealias Search = (SearchOptions, @escaping () -> TransitionSystem) -> SearchResult

  private func outcome(
    _ text: String, _ given: SearchOptions = SearchOptions(), by search: Search
  ) throws -> Outcome {
    let module = try IRReader.read(Array(text.utf8), file: "divided.ll")
    var options = given
    options.collectsFinalStates = true
    return Outcome(try Program([module], ProgramOptions()).search(options, by: search))
  }

  private static func divided(_ jobs: Int) -> Search {
    { ParallelSearch.run(jobs: jobs, $0, .fine, makeSystem: $1) }
  }

  /// A thread that allocates, publishes what it has allocated, and follows what it finds: so there
  /// are objects that random executions need not have shown.
  private static func worker(_ random: inout SplitMix64) -> String {
    var text = "  %o = call ptr @malloc(i64 16)\n  store atomic i64 0, ptr %o seq_cst, align 8\n"
    for step in 0..<2 + random.below(2) {
      let word = ["@x", "@y", "@m"][random.below(3)]
      switch random.below(4) {
      case 0: text += "  store atomic ptr %o, ptr @head seq_cst, align 8\n"
      case 1:
        text += """
            %h\(step) = load atomic ptr, ptr @head seq_cst, align 8
            %n\(step) = icmp eq ptr %h\(step), null
            br i1 %n\(step), label %next\(step), label %follow\(step)
          follow\(step):
            %w\(step) = atomicrmw add ptr %h\(step), i64 1 seq_cst, align 8
            br label %next\(step)
          next\(step):

          """
      case 2: text += "  %v\(step) = load atomic i32, ptr \(word) seq_cst, align 4\n"
      default: text += "  %v\(step) = atomicrmw add ptr \(word), i32 1 seq_cst, align 4\n"
      }
    }
    return text + "  ret ptr null"
  }

  private static var programs: [String] {
    var random = SplitMix64(seed: 11)
    let globals = PlainPrograms.zero + "@head = global ptr null\n"
    return [
      PlainPrograms.plainCounter, PlainPrograms.lockedCounter, PlainPrograms.tornCounter,
      PlainPrograms.atomicCounter(threads: 4), PlainPrograms.spinLock(releases: "release"),
      PlainPrograms.spinLock(releases: "monotonic"),
    ]
      + (0..<16).map { _ in
        PlainPrograms.module(globals, worker: worker(&random), threads: 3)
      }
  }

  @Test func threadsChangeNothing() throws {
    var statesMax = 0
    for text in Self.programs {
      let one = try outcome(text, by: Self.divided(1))
      for jobs in [2, 3] {
        #expect(try outcome(text, by: Self.divided(jobs)) == one, "\(jobs) threads: \(text)")
      }
      let undivided = try outcome(text) { options, make in StatefulSearch(make(), options).run() }
      #expect(undivided.finding == one.finding, "\(text)")
      if undivided.finding == nil { #expect(Set(undivided.finals) == Set(one.finals), "\(text)") }
      statesMax = max(statesMax, one.states)
    }
    // Some are large enough to be divided many times.
    #expect(statesMax > 200)
  }

  /// Runs a search in pieces: each is interrupted and saved, and the next one resumes it.
  private func pieces(
    _ text: String, of transitions: Int, by search: Search
  ) throws -> (outcome: Outcome, pieces: Int) {
    let module = try IRReader.read(Array(text.utf8), file: "divided.ll")
    var options = SearchOptions()
    options.collectsFinalStates = true
    var pieces = 0
    var last: ProgramResult?
    _ = try Strategy.search(inPiecesOf: transitions, options) { options in
      pieces += 1
      try #require(pieces < 10_000, "the search does not end: \(text)")
      // Each piece begins with nothing but the bytes.
      let result = try Program([module], ProgramOptions()).search(options, by: search)
      last = result
      return result.result
    }
    return (Outcome(try #require(last)), pieces)
  }

  @Test func aResumedSearchIsTheSame() throws {
    let searches: [Search] = [
      { StatefulSearch($1(), $0).run() }, { ExhaustiveSearch($1(), $0).run() },
      { OptimalSearch($1(), $0).run() }, { SourceSearch($1(), $0).run() }, Self.divided(2),
    ]
    var piecesMax = 0
    for text in Self.programs.prefix(14) {
      for search in searches {
        let whole = try outcome(text, by: search)
        let (resumed, pieces) = try pieces(text, of: 40, by: search)
        #expect(resumed == whole, "\(text)")
        piecesMax = max(piecesMax, pieces)
      }
    }
    #expect(piecesMax > 5)
  }

  @Test func otherBytesAreRefused() throws {
    let text = PlainPrograms.atomicCounter(threads: 3)
    var saved: [UInt8] = []
    var options = SearchOptions()
    options.watchPeriod = 1
    options.checkpoints = Checkpoints(interval: 1e9) { body in
      saved = []
      let writer = CheckpointWriter { saved.append(contentsOf: $0) }
      body(writer)
      writer.finish()
    }
    options.watch = { $0.statistics.transitions < 8 }
    let search: Search = { StatefulSearch($1(), $0).run() }
    #expect(try outcome(text, options, by: search).finding == nil)
    options.watch = nil
    options.checkpoints = nil
    var random = SplitMix64(seed: 5)
    var refused = 0
    for _ in 0..<300 {
      var bytes = Array(saved.dropLast(8))
      // What is known of memory comes first.
      bytes[random.below(bytes.count / 3)] ^= UInt8(1 << random.below(8))
      var mended: [UInt8] = []
      let writer = CheckpointWriter { mended.append(contentsOf: $0) }
      bytes.withUnsafeBytes { writer.write($0) }
      writer.finish()
      options.resume = CheckpointReader(mended)
      let module = try IRReader.read(Array(text.utf8), file: "divided.ll")
      let result = try Program([module], ProgramOptions()).search(options, by: search)
      if case .refused = result.result.ending { refused += 1 }
    }
    #expect(refused > 100)
  }
}
