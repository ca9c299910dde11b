// Locks, conditions, RCU and the rest of what threads use, each with a broken sibling.

import Foundation
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import Testing

@Suite struct LockTests {
  private static let declarations = """
    declare void @rcu_read_lock()
    declare void @rcu_read_unlock()
    declare void @synchronize_rcu()
    declare void @call_rcu(ptr, ptr)
    declare void @rcu_barrier()
    declare i32 @pthread_rwlock_rdlock(ptr)
    declare i32 @pthread_rwlock_wrlock(ptr)
    declare i32 @pthread_rwlock_unlock(ptr)
    declare i32 @pthread_cond_wait(ptr, ptr)
    declare i32 @pthread_cond_signal(ptr)
    declare i32 @sem_post(ptr)
    declare i32 @sem_wait(ptr)
    declare i32 @pthread_once(ptr, ptr)
    declare i32 @pthread_key_create(ptr, ptr)
    declare i32 @pthread_setspecific(i32, ptr)
    declare void @exit(i32)
    declare i32 @__VERIFIER_nondet_bool()

    """

  /// A program in which thread 0 runs `@first`, and thread 1 `@second`.
  private func program(
    _ globals: String, _ first: String, _ second: String, afterwards: String = ""
  ) -> String {
    let worker = """
        %i = ptrtoint ptr %0 to i64
        %z = icmp eq i64 %i, 0
        br i1 %z, label %one, label %two
      one:
      \(first)
        ret ptr null
      two:
      \(second)
        ret ptr null
      """
    return PlainPrograms.module(
      PlainPrograms.zero + globals, worker: worker, afterwards: afterwards) + Self.declarations
  }

  private func finding(
    _ text: String, by search: (TransitionSystem, SearchOptions) -> SearchResult
  ) throws -> Finding.Kind? {
    try PlainPrograms.check(text, by: search).finding?.kind
  }

  /// Checks a program by several searches, which must agree.
  private func expect(_ kind: Finding.Kind?, _ text: String) throws {
    #expect(try finding(text) { StatefulSearch($0, $1).run() } == kind, "\(text)")
    #expect(try finding(text) { OptimalSearch($0, $1).run() } == kind, "\(text)")
    #expect(try finding(text) { ExhaustiveSearch($0, $1).run() } == kind, "\(text)")
  }

  // MARK: RCU

  private static let object = """
    @head = global ptr @item
    @item = global i32 7

    """

  private static func reader(_ begin: String, _ end: String) -> String {
    """
      \(begin)
      %p = load atomic ptr, ptr @head acquire, align 8
      %n = icmp eq ptr %p, null
      br i1 %n, label %none, label %some
    some:
      %v = load i32, ptr %p
      br label %none
    none:
      \(end)
    """
  }

  private static let section = reader(
    "call void @rcu_read_lock()", "call void @rcu_read_unlock()")

  private static func writer(_ wait: String) -> String {
    """
      %old = atomicrmw xchg ptr @head, ptr null acq_rel, align 8
      \(wait)
      store i32 0, ptr %old
    """
  }

  @Test func aGracePeriodWaitsForReaders() throws {
    let wait = "call void @synchronize_rcu()"
    try expect(nil, program(Self.object, Self.section, Self.writer(wait)))
    try expect(.race, program(Self.object, Self.section, Self.writer("")))
    try expect(.race, program(Self.object, Self.reader("", ""), Self.writer(wait)))
  }

  @Test func sectionsAreUsedAsTheyMustBe() throws {
    try expect(.misuse, program("", "call void @rcu_read_unlock()", ""))
    try expect(.misuse, program("", "call void @rcu_read_lock()", ""))
    let within = "call void @rcu_read_lock()\n call void @synchronize_rcu()"
    try expect(.misuse, program("", within + "\n call void @rcu_read_unlock()", ""))
  }

  private static let callback = """
    define void @clear(ptr %0) {
      store i32 0, ptr %0
      ret void
    }

    """

  @Test func callbacksComeAfterAGracePeriod() throws {
    let queue = "%old = atomicrmw xchg ptr @head, ptr null acq_rel, align 8\n"
    let later = queue + "call void @call_rcu(ptr %old, ptr @clear)"
    let now = queue + "call void @clear(ptr %old)"
    try expect(nil, program(Self.object + Self.callback, Self.section, later))
    try expect(.race, program(Self.object + Self.callback, Self.section, now))
  }

  @Test func aBarrierWaitsForCallbacks() throws {
    let queue = "call void @call_rcu(ptr @item, ptr @clear)"
    let look = """
        %v = load i32, ptr @item
        %ok = icmp eq i32 %v, 0
        br i1 %ok, label %good, label %bad
      bad:
        call void @abort()
        unreachable
      good:
      """
    let globals = Self.object + Self.callback
    try expect(
      nil, program(globals, queue, "", afterwards: "  call void @rcu_barrier()\n" + look))
    let found = try PlainPrograms.check(program(globals, queue, "", afterwards: look)).finding?.kind
    #expect(found == .race || found == .abort)
  }

  // MARK: Locks and conditions

  private static let rw = "@rw = global [14 x i32] zeroinitializer\n"

  private static func locked(_ lock: String, _ body: String) -> String {
    "call i32 @pthread_rwlock_\(lock)(ptr @rw)\n\(body)\ncall i32 @pthread_rwlock_unlock(ptr @rw)"
  }

  @Test func writersExclude() throws {
    let write = "%a = load i32, ptr @x\n %b = add i32 %a, 1\n store i32 %b, ptr @x"
    let read = "%c = load i32, ptr @x"
    try expect(nil, program(Self.rw, Self.locked("wrlock", write), Self.locked("rdlock", read)))
    try expect(.race, program(Self.rw, Self.locked("rdlock", write), Self.locked("rdlock", read)))
    // Readers do not exclude each other, so two of them have one execution.
    let other = "%d = load i32, ptr @x"
    let readers = program(
      Self.rw, Self.locked("rdlock", read), Self.locked("rdlock", other))
    #expect(try PlainPrograms.check(readers).endings.complete == 1)
  }

  private static let cond = "@c = global [12 x i32] zeroinitializer\n"

  @Test func signalsWakeSleepers() throws {
    let wait = """
        call i32 @pthread_mutex_lock(ptr @m)
        br label %look
      look:
        %a = load i32, ptr @x
        %set = icmp eq i32 %a, 1
        br i1 %set, label %done, label %sleep
      sleep:
        call i32 @pthread_cond_wait(ptr @c, ptr @m)
        br label %look
      done:
        call i32 @pthread_mutex_unlock(ptr @m)
      """
    func set(_ signal: String) -> String {
      """
        call i32 @pthread_mutex_lock(ptr @m)
        store i32 1, ptr @x
        \(signal)
        call i32 @pthread_mutex_unlock(ptr @m)
      """
    }
    try expect(nil, program(Self.cond, wait, set("call i32 @pthread_cond_signal(ptr @c)")))
    try expect(.deadlock, program(Self.cond, wait, set("")))
  }

  @Test func semaphoresCount() throws {
    let globals = "@s = global [8 x i32] zeroinitializer\n"
    let post = "store i32 1, ptr @x\n call i32 @sem_post(ptr @s)"
    let wait = "call i32 @sem_wait(ptr @s)\n %a = load i32, ptr @x"
    try expect(nil, program(globals, post, wait))
    try expect(.deadlock, program(globals, "", wait))
  }

  @Test func onceIsOnce() throws {
    let globals = """
      @o = global i32 0
      define void @init() {
        %a = load i32, ptr @x
        %b = add i32 %a, 1
        store i32 %b, ptr @x
        ret void
      }

      """
    let call = "call i32 @pthread_once(ptr @o, ptr @init)\n"
    let look = PlainPrograms.lookAtX.replacingOccurrences(of: "%v, 2", with: "%v, 1")
    try expect(nil, program(globals, call, call, afterwards: look))
    try expect(.race, program(globals, "call void @init()", call))
  }

  @Test func valuesOfThreadsAreDestroyed() throws {
    let globals = """
      @key = global i32 0
      define void @end(ptr %0) {
        %a = atomicrmw add ptr @x, i32 1 seq_cst, align 4
        ret void
      }

      """
    let use = """
        %k = load i32, ptr @y
        call i32 @pthread_key_create(ptr @key, ptr @end)
        %v = load i32, ptr @key
        call i32 @pthread_setspecific(i32 %v, ptr @y)
      """
    let look = PlainPrograms.lookAtX.replacingOccurrences(of: "%v, 2", with: "%v, 1")
    try expect(nil, program(globals, use, "", afterwards: look))
  }

  @Test func exitEndsTheProgram() throws {
    let wait = "call i32 @sem_wait(ptr @s)"
    let globals = "@s = global [8 x i32] zeroinitializer\n"
    try expect(nil, program(globals, "call void @exit(i32 0)", wait))
    try expect(.deadlock, program(globals, "", wait))
  }

  @Test func unknownValuesAreChoices() throws {
    let choose = "%n = call i32 @__VERIFIER_nondet_bool()\n store i32 %n, ptr @x"
    let result = try PlainPrograms.check(program("", choose, ""))
    #expect(result.endings.complete == 2)
  }
}
