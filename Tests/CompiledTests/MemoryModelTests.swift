// Well-known shapes under each memory model: their final states, and what none of them may be.

import GracewalkCompiled
import GracewalkExploration
import GracewalkFuzzing
import GracewalkLLVM
import GracewalkMachine
import Testing

@Suite struct MemoryModelTests {
  /// A shape, with the values of loads (and of words, if given) that it is known for.
  struct Shape: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var asked: [UInt64]
    /// The models under which they occur.
    var allowed: [MemoryModel]
    /// Numbers of final states under all three.
    var counts: [Int]

    init(
      _ name: String, _ text: String, _ asked: [UInt64], _ allowed: [MemoryModel], _ counts: [Int]
    ) {
      (self.name, self.text, self.asked) = (name, text, asked)
      (self.allowed, self.counts) = (allowed, counts)
    }

    var testDescription: String { name }
  }

  static let both: [MemoryModel] = [.totalStoreOrder, .armv8]

  // In notation of `OrderedProgram`: the k-th store stores k.
  static let shapes = [
    Shape("SB", "Wx Ry | Wy Rx", [0, 0], both, [3, 4, 4]),
    Shape("SB+fences", "Wx F.sc Ry | Wy F.sc Rx", [0, 0], [], [3, 3, 3]),
    Shape(
      "SB+acq_rel-fences", "Wx F.both Ry | Wy F.both Rx", [0, 0], [.totalStoreOrder], [3, 4, 3]),
    Shape("SB+rel+acq", "Wx.rel Ry.acq | Wy.rel Rx.acq", [0, 0], [.totalStoreOrder], [3, 4, 3]),
    Shape("SB+sc", "Wx.sc Ry.sc | Wy.sc Rx.sc", [0, 0], [], [3, 3, 3]),
    Shape("SB+updates", "Xx.sc Ry | Xy.sc Rx", [0, 0, 0, 0], [], [3, 3, 3]),
    Shape("MP", "Wx Wy | Ry Rx", [2, 0], [.armv8], [3, 3, 4]),
    Shape("MP+rel", "Wx Wy.rel | Ry Rx", [2, 0], [.armv8], [3, 3, 4]),
    Shape("MP+rel+acq", "Wx Wy.rel | Ry.acq Rx", [2, 0], [], [3, 3, 3]),
    Shape("MP+rel+address", "Wx Wy.rel | Ry Rx@0", [2, 0], [], [3, 3, 3]),
    Shape("MP+address", "Wx Wy | Ry Rx@0", [2, 0], [.armv8], [3, 3, 4]),
    Shape("MP+rel+branch", "Wx Wy.rel | Ry B0 Rx", [2, 0], [.armv8], [3, 3, 4]),
    Shape("MP+fences", "Wx F.rel Wy | Ry F.acq Rx", [2, 0], [], [3, 3, 3]),
    Shape("MP+fence", "Wx F.rel Wy | Ry Rx", [2, 0], [.armv8], [3, 3, 4]),
    Shape("MP+update.rel+acq", "Wx Ay.rel | Ry.acq Rx", [0, 2, 0], [], [3, 3, 3]),
    Shape("LB", "Rx Wy | Ry Wx", [1, 2], [], [3, 3, 3]),
    Shape("IRIW", "Wx | Wy | Rx Ry | Ry Rx", [1, 0, 2, 0], [.armv8], [15, 15, 16]),
    Shape("IRIW+acq", "Wx | Wy | Rx.acq Ry | Ry.acq Rx", [1, 0, 2, 0], [], [15, 15, 15]),
    Shape("IRIW+address", "Wx | Wy | Rx Ry@0 | Ry Rx@0", [1, 0, 2, 0], [], [15, 15, 15]),
    Shape("2+2W", "Wx Wy | Wy Wx", [1, 3], [.armv8], [3, 3, 4]),
    Shape("2+2W+rel", "Wx Wy.rel | Wy Wx.rel", [1, 3], [], [3, 3, 3]),
    Shape("S", "Wx Wy | Ry Wx", [2, 1, 2], [.armv8], [3, 3, 4]),
    Shape("S+rel", "Wx Wy.rel | Ry Wx", [2, 1, 2], [], [3, 3, 3]),
    Shape("R", "Wx Wy | Wy Rx", [0, 1, 3], both, [3, 4, 4]),
    Shape("R+fences", "Wx F.sc Wy | Wy F.sc Rx", [0, 1, 3], [], [3, 3, 3]),
    Shape("WRC", "Wx | Rx Wy | Ry Rx", [1, 2, 0], [.armv8], [7, 7, 8]),
    Shape("WRC+rel+acq", "Wx | Rx Wy.rel | Ry.acq Rx", [1, 2, 0], [], [7, 7, 7]),
    Shape("WRC+data+address", "Wx | Rx Wy:0 | Ry Rx@0", [1, 2, 0], [], [7, 7, 7]),
    Shape("CoRR", "Wx | Rx Rx", [1, 0], [], [3, 3, 3]),
    Shape("CoWR", "Wx Rx | Wx", [2, 1], [], [3, 3, 3]),
    Shape("coherence of updates", "Ax | Ax", [0, 0], [], [2, 2, 2]),
  ]

  @Test(arguments: shapes)
  func shapesAreKnown(_ shape: Shape) throws {
    let program = try #require(OrderedProgram(shape.text))
    var counts: [Int] = []
    for model in MemoryModel.allCases {
      let found = try #require(try program.outcomes(under: model))
      #expect(found == program.expectedOutcomes(under: model), "\(model)")
      let isFound = found.contains { $0.starts(with: shape.asked) }
      #expect(isFound == shape.allowed.contains(model), "\(model)")
      counts.append(found.count)
    }
    #expect(counts == shape.counts)
  }

  @Test func randomProgramsAreAsLitmusTests() {
    let report = OrderFuzzer().run(seeds: 0..<400)
    #expect(report.mismatches.map { "\($0.seed): \($0.what)" } == [])
    #expect(report.weak.map(\.programs) == [7, 39])
    #expect(report.skipped == 0)
  }
}

/// Programs that need more than accesses, and what executions show.
@Suite struct WeakProgramTests {
  /// Two threads: one runs some lines, the other finds `%f` and `%t`, and aborts if they are these.
  private func pair(_ first: String, _ second: String, failingAt found: (Int, Int)) -> String {
    PlainPrograms.module(
      PlainPrograms.zero,
      worker: """
          %i = ptrtoint ptr %0 to i64
          %z = icmp eq i64 %i, 0
          br i1 %z, label %first, label %second
        first:
        \(first)
          ret ptr null
        second:
        \(second)
          %g = icmp eq i32 %f, \(found.0)
          %e = icmp eq i32 %t, \(found.1)
          %b = and i1 %g, %e
          br i1 %b, label %bad, label %good
        bad:
          call void @abort()
          unreachable
        good:
          ret ptr null
        """)
  }

  /// A message in `@x`, and a flag in `@y`; the receiver aborts if the flag comes first.
  private func message(_ flag: String, _ look: String) -> String {
    pair(
      """
        store atomic i32 1, ptr @x monotonic, align 4
        store atomic i32 1, ptr @y \(flag), align 4
      """,
      """
        %f = load atomic i32, ptr @y \(look), align 4
        %t = load atomic i32, ptr @x monotonic, align 4
      """, failingAt: (1, 0))
  }

  private func check(
    _ text: String, _ model: MemoryModel
  ) throws -> (ProgramResult, GracewalkCompiled.Program) {
    let module = try IRReader.read(Array(text.utf8), file: "test.ll")
    var options = ProgramOptions()
    options.memoryModel = model
    let program = try GracewalkCompiled.Program([module], options)
    return (try program.search(SearchOptions()) { ExhaustiveSearch($0, $1).run() }, program)
  }

  @Test func aMessageNeedsBothOrderings() throws {
    for (flag, look, isWrong) in [
      ("release", "acquire", false), ("release", "monotonic", true), ("monotonic", "acquire", true),
    ] {
      let (result, _) = try check(message(flag, look), .armv8)
      #expect((result.finding?.kind == .abort) == isWrong, "\(flag) \(look)")
      #expect(try check(message(flag, look), .totalStoreOrder).0.finding == nil)
    }
  }

  @Test func executionsShowOldValues() throws {
    let (_, program) = try check(message("release", "monotonic"), .armv8)
    let simplest = try #require(program.simplest())
    let trace = try program.trace(simplest.schedule)
    #expect(trace.finding?.kind == .abort)
    let shown = trace.steps.compactMap { step in step.visibility.map { ($0.kind, $0.word) } }
    #expect(shown.map(\.0) == [.pending, .pending, .visible, .visible, .old])
    #expect(shown.map(\.1) == ["x", "y", "x", "y", "x"])
    let old = try #require(trace.steps.last { $0.visibility != nil })
    #expect(old.action.contains("an old value (1 since step "))
    // The recording is taken again, on a memory of which nothing is known.
    let again = try program.replay(trace.schedule)
    #expect(again.problem == nil)
    #expect(again.steps.map(\.action) == trace.steps.map(\.action))
  }

  @Test func aLockOrdersPlainAccesses() throws {
    for model in MemoryModel.allCases {
      #expect(try check(PlainPrograms.lockedCounter, model).0.finding == nil)
      #expect(try check(PlainPrograms.plainCounter, model).0.finding?.kind == .race)
      #expect(try check(PlainPrograms.spinLock(releases: "release"), model).0.finding == nil)
      let relaxed = try check(PlainPrograms.spinLock(releases: "monotonic"), model).0
      #expect(relaxed.finding?.kind == .race)
    }
  }

  @Test func sectionsAreOrderedByGracePeriods() throws {
    for (wait, isWrong) in [("call void @synchronize_rcu()", false), ("", true)] {
      let text =
        pair(
          """
            store atomic i32 1, ptr @x monotonic, align 4
            \(wait)
            store atomic i32 1, ptr @y monotonic, align 4
          """,
          """
            call void @rcu_read_lock()
            %f = load atomic i32, ptr @x monotonic, align 4
            %t = load atomic i32, ptr @y monotonic, align 4
            call void @rcu_read_unlock()
          """, failingAt: (0, 1))
        + "declare void @rcu_read_lock()\ndeclare void @rcu_read_unlock()\n"
        + "declare void @synchronize_rcu()\n"
      #expect((try check(text, .armv8).0.finding?.kind == .abort) == isWrong)
      #expect(try check(text, .totalStoreOrder).0.finding?.kind == (isWrong ? .abort : nil))
    }
  }

  @Test func partsOfWordsAreRefused() throws {
    let text = PlainPrograms.module(
      "@x = global i64 0\n",
      worker: """
          %i = ptrtoint ptr %0 to i64
          %z = icmp eq i64 %i, 0
          br i1 %z, label %part, label %whole
        part:
          store atomic i32 1, ptr @x monotonic, align 4
          ret ptr null
        whole:
          %f = load atomic i64, ptr @x monotonic, align 8
          ret ptr null
        """)
    for model in [MemoryModel.totalStoreOrder, .armv8] {
      let finding = try check(text, model).0.finding
      #expect(finding?.kind == .unsupported)
      #expect(finding?.message.hasPrefix("not supported under \(model.text): ") == true)
    }
    #expect(try check(text, .sequentialConsistency).0.finding == nil)
  }

  @Test func aStoreToFreedMemoryMayComeLate() throws {
    for (order, isWrong) in [("release", false), ("monotonic", true)] {
      let text = PlainPrograms.module(
        PlainPrograms.zero + "@p = global ptr null\n",
        worker: """
            %i = ptrtoint ptr %0 to i64
            %z = icmp eq i64 %i, 0
            br i1 %z, label %use, label %free
          use:
            %o = load atomic ptr, ptr @p acquire, align 8
            %n = icmp eq ptr %o, null
            br i1 %n, label %end, label %store
          store:
            store atomic i32 1, ptr %o monotonic, align 4
            store atomic i32 1, ptr @x \(order), align 4
            ret ptr null
          free:
            %m = call ptr @malloc(i64 4)
            store atomic i32 0, ptr %m monotonic, align 4
            store atomic ptr %m, ptr @p release, align 8
            %f = load atomic i32, ptr @x acquire, align 4
            %d = icmp eq i32 %f, 1
            br i1 %d, label %last, label %end
          last:
            call void @free(ptr %m)
            ret ptr null
          end:
            ret ptr null
          """)
      var options = ProgramOptions()
      options.memoryModel = .armv8
      options.findsRaces = false
      let module = try IRReader.read(Array(text.utf8), file: "test.ll")
      let result = try GracewalkCompiled.Program([module], options).search(SearchOptions()) {
        ExhaustiveSearch($0, $1).run()
      }
      #expect((result.finding?.kind == .useAfterFree) == isWrong, "\(order)")
    }
  }

  @Test func orderingsThatAreLeftOutAreFoundOut() {
    for (old, new) in [
      (" release", " monotonic"), (" acquire", " monotonic"), ("fence seq_cst", "fence acquire"),
      ("xor i64 %r", "and i64 0, 0 ; "),
    ] {
      let fuzzer = OrderFuzzer { $0.replacing(old, with: new) }
      let report = fuzzer.run(seeds: 0..<3_000) { $0.mismatches.isEmpty }
      #expect(!report.mismatches.isEmpty, "\(old)")
    }
  }
}
