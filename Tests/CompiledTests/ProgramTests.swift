// Programs checked: exact counts of executions, and each finding for its reason.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import Testing

@Suite struct ProgramTests {
  private func finding(_ text: String, _ options: ProgramOptions = ProgramOptions()) throws
    -> Finding.Kind?
  {
    try PlainPrograms.check(text, options).finding?.kind
  }

  @Test func atomicUpdatesAreOrderedInAllWays() throws {
    for (threads, count) in [(1, 1), (2, 2), (3, 6), (4, 24)] {
      let result = try PlainPrograms.check(PlainPrograms.atomicCounter(threads: threads))
      #expect(result.finding == nil)
      #expect(result.endings.complete == count)
      #expect(result.result.statistics.blocked == 0)
    }
  }

  @Test func plainAccessesRace() throws {
    let result = try PlainPrograms.check(PlainPrograms.plainCounter)
    #expect(result.finding?.kind == .race)
    #expect(result.finding?.message.hasPrefix("a data race on x") == true)
    var options = ProgramOptions()
    options.findsRaces = false
    let counted = try PlainPrograms.check(PlainPrograms.plainCounter, options)
    // Whichever thread writes last has read before or after the other's write.
    #expect(counted.finding == nil)
    #expect(counted.endings.complete == 4)
  }

  @Test func aLockOrdersThem() throws {
    let result = try PlainPrograms.check(PlainPrograms.lockedCounter)
    #expect(result.finding == nil)
    #expect(result.endings.complete == 2)
  }

  @Test func aLostUpdateIsFound() throws {
    #expect(try finding(PlainPrograms.tornCounter) == .abort)
  }

  @Test func spinLocksAreWaits() throws {
    let result = try PlainPrograms.check(PlainPrograms.spinLock(releases: "release"))
    #expect(result.finding == nil)
    #expect((result.endings.complete, result.endings.spinning) == (2, 0))
    // The lock excludes, and orders nothing.
    #expect(try finding(PlainPrograms.spinLock(releases: "monotonic")) == .race)
  }

  @Test func waitingForNothingIsALivelock() throws {
    let text = PlainPrograms.module(
      PlainPrograms.zero,
      worker: """
          br label %wait
        wait:
          %a = load atomic i32, ptr @x seq_cst, align 4
          %b = icmp eq i32 %a, 0
          br i1 %b, label %wait, label %out
        out:
          ret ptr null
        """, threads: 1)
    #expect(try finding(text) == .livelock)
  }

  @Test func aDeadlockIsFound() throws {
    let text = PlainPrograms.module(
      PlainPrograms.zero + "@n = global [10 x i32] zeroinitializer\n",
      worker: """
          %i = ptrtoint ptr %0 to i64
          %z = icmp eq i64 %i, 0
          %a = select i1 %z, ptr @m, ptr @n
          %b = select i1 %z, ptr @n, ptr @m
          %l1 = call i32 @pthread_mutex_lock(ptr %a)
          %l2 = call i32 @pthread_mutex_lock(ptr %b)
          %u1 = call i32 @pthread_mutex_unlock(ptr %a)
          %u2 = call i32 @pthread_mutex_unlock(ptr %b)
          ret ptr null
        """)
    #expect(try finding(text) == .deadlock)
  }

  @Test func falseAssumptionsCutExecutions() throws {
    let text = PlainPrograms.module(
      PlainPrograms.zero,
      worker: """
          %a = atomicrmw add ptr @x, i32 1 seq_cst, align 4
          %b = load atomic i32, ptr @x seq_cst, align 4
          %c = icmp eq i32 %b, 2
          call void @__VERIFIER_assume(i1 %c)
          ret ptr null
        """)
    let result = try PlainPrograms.check(text)
    #expect(result.finding == nil)
    #expect(result.endings.complete == 2)
  }

  private func alone(_ body: String) -> String {
    "@x = global i32 0\n@c = constant i32 3\n@a = global [4 x i32] zeroinitializer\n"
      + "define i32 @main() {\n\(body)\n  ret i32 0\n}\n"
      + "declare ptr @malloc(i64)\ndeclare void @free(ptr)\n"
  }

  @Test func mistakesWithMemoryAreFound() throws {
    let cases: [(String, Finding.Kind?)] = [
      ("%p = call ptr @malloc(i64 8)\n store i64 1, ptr %p\n call void @free(ptr %p)", nil),
      ("store i32 1, ptr null", .nullPointer),
      ("store i32 1, ptr inttoptr (i64 81985529216486895 to ptr)", .wildPointer),
      ("%p = getelementptr i32, ptr @a, i64 4\n store i32 1, ptr %p", .outOfBounds),
      ("%p = getelementptr i32, ptr @a, i64 -1\n store i32 1, ptr %p", .outOfBounds),
      ("store i32 1, ptr @c", .constantWrite),
      (
        "%p = getelementptr i8, ptr @a, i64 2\n store atomic i32 1, ptr %p seq_cst, align 4",
        .misaligned
      ),
      ("%p = call ptr @malloc(i64 8)\n %v = load i64, ptr %p", .uninitialised),
      (
        "%p = call ptr @malloc(i64 8)\n call void @free(ptr %p)\n store i8 1, ptr %p", .useAfterFree
      ),
      (
        "%p = call ptr @malloc(i64 8)\n call void @free(ptr %p)\n call void @free(ptr %p)",
        .doubleFree
      ),
      ("call void @free(ptr @x)", .badFree),
      ("%v = load i32, ptr @x\n %w = sdiv i32 1, %v", .undefined),
      ("%v = load i32, ptr @c\n %w = mul nsw i32 %v, 2000000000", .undefined),
      ("%v = load i32, ptr @c\n %w = mul i32 %v, 2000000000", nil),
      ("%f = call i32 @unknown()", .unsupported),
    ]
    for (body, kind) in cases {
      #expect(try finding(alone(body)) == kind, "\(body)")
    }
  }

  @Test func leaksAreFoundIfAskedFor() throws {
    var options = ProgramOptions()
    options.findsLeaks = true
    let lost = alone("%p = call ptr @malloc(i64 8)")
    #expect(try finding(lost) == nil)
    #expect(try finding(lost, options) == .leak)
    let kept = alone("%p = call ptr @malloc(i64 8)\n store ptr %p, ptr @a")
    #expect(try finding(kept, options) == nil)
  }
}
