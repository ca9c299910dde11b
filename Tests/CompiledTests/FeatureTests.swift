// What is done at exit, atomic accesses of 16 bytes, and races of reads that wait.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import Testing

@Suite struct FeatureTests {
  private static var searches: [SearchTests.Search] {
    [
      { OptimalSearch($0, $1).run() }, { SourceSearch($0, $1).run() },
      { StatefulSearch($0, $1).run() }, { ExhaustiveSearch($0, $1).run() },
    ]
  }

  /// The verdicts of all searches, without duplicates.
  private func verdicts(_ text: String) throws -> [Finding.Kind?] {
    let all = try Self.searches.map { try PlainPrograms.check(text, by: $0).finding?.kind }
    return all.dropFirst().allSatisfy { $0 == all[0] } ? [all[0]] : all
  }

  // MARK: Exits

  /// Functions that expect the values 0 and 1 are registered in this order.
  private func exits(_ registers: String, _ order: [Int], _ end: String) -> String {
    let function = { (value: Int) in
      """
      define void @f\(value)() {
        %v = load i32, ptr @x
        %c = icmp eq i32 %v, \(value)
        br i1 %c, label %good, label %bad
      good:
        %w = add i32 %v, 1
        store i32 %w, ptr @x
        ret void
      bad:
        call void @abort()
        unreachable
      }

      """
    }
    let calls = order.map { "  call i32 @\(registers)(ptr @f\($0))\n" }.joined()
    return "@x = global i32 0\n" + function(0) + function(1)
      + "define i32 @main() {\n\(calls)  \(end)\n}\n"
      + "declare i32 @atexit(ptr)\ndeclare i32 @at_quick_exit(ptr)\ndeclare void @abort()\n"
      + "declare void @exit(i32)\ndeclare void @quick_exit(i32)\ndeclare void @_exit(i32)\n"
  }

  @Test(arguments: [
    ("atexit", "ret i32 0", true), ("atexit", "call void @exit(i32 0)\n  unreachable", true),
    ("atexit", "call void @_exit(i32 0)\n  unreachable", false),
    ("atexit", "call void @quick_exit(i32 0)\n  unreachable", false),
    ("at_quick_exit", "call void @quick_exit(i32 0)\n  unreachable", true),
    ("at_quick_exit", "ret i32 0", false),
  ])
  func functionsAreRunAtExit(_ registers: String, _ end: String, _ areRun: Bool) throws {
    // The last to be registered is the first to run.
    #expect(try verdicts(exits(registers, [1, 0], end)) == [nil])
    #expect(try verdicts(exits(registers, [0, 1], end)) == [areRun ? .abort : nil])
  }

  // MARK: Accesses of 16 bytes

  /// Each thread counts in `@x` that it has taken `@wide`; `main` expects that one has.
  private func takers(_ take: String, isTaken: String) -> String {
    PlainPrograms.module(
      PlainPrograms.zero + "@wide = global i128 0, align 16\n",
      worker: """
        \(take)
          br i1 \(isTaken), label %taken, label %done
        taken:
          %n = atomicrmw add ptr @x, i32 1 seq_cst, align 4
          br label %done
        done:
          ret ptr null
        """,
      afterwards: """
          %v = load i32, ptr @x
          %c = icmp eq i32 %v, 1
          br i1 %c, label %good, label %bad
        bad:
          call void @abort()
          unreachable
        good:
        """)
  }

  @Test func wideAccessesAreAtomic() throws {
    let exchanged = """
        %p = cmpxchg ptr @wide, i128 0, i128 18446744073709551616 seq_cst seq_cst, align 16
        %c = extractvalue { i128, i1 } %p, 1
      """
    #expect(try verdicts(takers(exchanged, isTaken: "%c")) == [nil])
    let swapped = """
        %m = alloca i128
        %old = atomicrmw xchg ptr @wide, i128 18446744073709551616 seq_cst, align 16
        store i128 %old, ptr %m
        %p = getelementptr i8, ptr %m, i64 8
        %high = load i64, ptr %p
        %c = icmp eq i64 %high, 0
      """
    #expect(try verdicts(takers(swapped, isTaken: "%c")) == [nil])
    let stored = """
        %m = alloca i128
        %old = load atomic i128, ptr @wide seq_cst, align 16
        store atomic i128 18446744073709551616, ptr @wide seq_cst, align 16
        store i128 %old, ptr %m
        %p = getelementptr i8, ptr %m, i64 8
        %high = load i64, ptr %p
        %c = icmp eq i64 %high, 0
      """
    #expect(try verdicts(takers(stored, isTaken: "%c")) == [.abort])
  }

  @Test func wideAccessesAreAligned() throws {
    let text = """
      @a = global [4 x i64] zeroinitializer
      define i32 @main() {
        %p = getelementptr i8, ptr @a, i64 8
        %v = load atomic i128, ptr %p seq_cst, align 16
        ret i32 0
      }
      """
    #expect(try verdicts(text) == [.misaligned])
  }

  // MARK: Races of reads that wait

  /// A thread waits until `@x` is 1, and `main` writes 0 and then 1.
  private func waiter(writes: String) -> String {
    """
    @x = global i32 0
    @a = global i32 0
    define ptr @wait(ptr %0) {
      br label %head
    head:
      %v = load atomic i32, ptr @x acquire, align 4
      %c = icmp eq i32 %v, 0
      br i1 %c, label %head, label %out
    out:
      ret ptr null
    }
    define i32 @main() {
      %t = alloca i64
      %r = call i32 @pthread_create(ptr %t, ptr null, ptr @wait, ptr null)
      \(writes)
      store atomic i32 1, ptr @x release, align 4
      %i = load i64, ptr %t
      %j = call i32 @pthread_join(i64 %i, ptr null)
      ret i32 0
    }
    declare i32 @pthread_create(ptr, ptr, ptr, ptr)
    declare i32 @pthread_join(i64, ptr)
    """
  }

  @Test func aReadThatWaitsRaces() throws {
    // The read is never taken while the word is 0, and what is written is 0.
    #expect(try verdicts(waiter(writes: "store i32 0, ptr @x")) == [.race])
    #expect(try verdicts(waiter(writes: "store atomic i32 0, ptr @x monotonic, align 4")) == [nil])
    let before = waiter(writes: "").replacing(
      "  %t = alloca i64", with: "  store i32 0, ptr @x\n  %t = alloca i64")
    #expect(try verdicts(before) == [nil])
  }
}
