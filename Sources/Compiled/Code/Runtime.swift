// Functions of C libraries and kernels that take several steps, as code.
//
// They are linked if a program calls them and does not define them itself. Names that begin with
// `gw.` are steps: see `BuiltinNames`.

import GracewalkLLVM

enum Runtime {
  /// The variable that makes ends of threads matter, and what threads run then.
  static let values = "gw.values"
  static let threadEnd = "gw.end_thread"

  /// The functions and variables by name.
  struct Code {
    let module: IRModule
    let functions: [String: IRFunction]
    let globals: [String: IRGlobal]

    fileprivate init() throws(IRError) {
      module = try IRReader.read(Array(text.utf8), file: "the runtime")
      functions = Dictionary(uniqueKeysWithValues: module.functions.map { ($0.name, $0) })
      globals = Dictionary(uniqueKeysWithValues: module.globals.map { ($0.name, $0) })
    }
  }

  /// Where a thread keeps what it gives to an atomic access of 16 bytes, and gets from it.
  static let wide = "gw.wide"

  /// The variables that make exits matter, and what an exit runs.
  static let exits = ["gw.at_exit", "gw.at_quick_exit"]
  static let exitRuns = ["gw.run_exit", "gw.run_quick_exit"]

  /// What is read once for all programs.
  ///
  /// Nothing changes a module once it has been read, so threads may share it.
  nonisolated(unsafe) static let code = Result { () throws(IRError) in try Code() }

  private static let text =
    locks + conditions + grace + memory + strings + keys + exitCode

  private static let locks = """
    define i32 @pthread_mutex_init(ptr %m, ptr %a) {
      call void @gw.init_mutex(ptr %m)
      %plain = icmp eq ptr %a, null
      br i1 %plain, label %done, label %typed
    typed:
      %kind = load i32, ptr %a
      %p = getelementptr i8, ptr %m, i64 16
      store i32 %kind, ptr %p
      br label %done
    done:
      ret i32 0
    }
    define i32 @mtx_init(ptr %m, i32 %type) {
      call void @gw.init_mutex(ptr %m)
      %kind = and i32 %type, 1
      %p = getelementptr i8, ptr %m, i64 16
      store i32 %kind, ptr %p
      ret i32 0
    }
    define i32 @pthread_mutexattr_init(ptr %a) {
      store i32 0, ptr %a
      ret i32 0
    }
    define i32 @pthread_mutexattr_settype(ptr %a, i32 %kind) {
      store i32 %kind, ptr %a
      ret i32 0
    }
    define i32 @pthread_mutexattr_gettype(ptr %a, ptr %kind) {
      %v = load i32, ptr %a
      store i32 %v, ptr %kind
      ret i32 0
    }
    define i32 @pthread_mutex_timedlock(ptr %m, ptr %t) {
      %r = call i32 @gw.try_lock_typed(ptr %m)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 110, i32 0
      ret i32 %s
    }
    define i32 @mtx_trylock(ptr %m) {
      %r = call i32 @gw.try_lock_typed(ptr %m)
      %failed = icmp ne i32 %r, 0
      %s = zext i1 %failed to i32
      ret i32 %s
    }
    define i32 @mtx_timedlock(ptr %m, ptr %t) {
      %r = call i32 @gw.try_lock_typed(ptr %m)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 4, i32 0
      ret i32 %s
    }
    define i32 @spin_trylock(ptr %m) {
      %r = call i32 @gw.try_lock(ptr %m)
      %done = icmp eq i32 %r, 0
      %s = zext i1 %done to i32
      ret i32 %s
    }
    define i32 @mutex_trylock(ptr %m) {
      %s = call i32 @spin_trylock(ptr %m)
      ret i32 %s
    }
    define i32 @read_trylock(ptr %m) {
      %r = call i32 @pthread_rwlock_tryrdlock(ptr %m)
      %done = icmp eq i32 %r, 0
      %s = zext i1 %done to i32
      ret i32 %s
    }
    define i32 @write_trylock(ptr %m) {
      %r = call i32 @pthread_rwlock_trywrlock(ptr %m)
      %done = icmp eq i32 %r, 0
      %s = zext i1 %done to i32
      ret i32 %s
    }
    define i32 @pthread_rwlock_timedrdlock(ptr %m, ptr %t) {
      %r = call i32 @pthread_rwlock_tryrdlock(ptr %m)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 110, i32 0
      ret i32 %s
    }
    define i32 @pthread_rwlock_timedwrlock(ptr %m, ptr %t) {
      %r = call i32 @pthread_rwlock_trywrlock(ptr %m)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 110, i32 0
      ret i32 %s
    }
    declare void @gw.init_mutex(ptr)
    declare i32 @gw.try_lock(ptr)
    declare i32 @gw.try_lock_typed(ptr)
    declare i32 @pthread_rwlock_tryrdlock(ptr)
    declare i32 @pthread_rwlock_trywrlock(ptr)

    """

  private static let conditions = """
    define i32 @pthread_cond_wait(ptr %c, ptr %m) {
      call void @gw.sleep(ptr %c, ptr %m)
      call i32 @gw.wake(ptr %c)
      %r = call i32 @pthread_mutex_lock(ptr %m)
      ret i32 %r
    }
    define i32 @cnd_wait(ptr %c, ptr %m) {
      %r = call i32 @pthread_cond_wait(ptr %c, ptr %m)
      ret i32 %r
    }
    define i32 @pthread_cond_timedwait(ptr %c, ptr %m, ptr %t) {
      call void @gw.sleep(ptr %c, ptr %m)
      %r = call i32 @gw.wake_or_time_out(ptr %c)
      %l = call i32 @pthread_mutex_lock(ptr %m)
      ret i32 %r
    }
    define i32 @cnd_timedwait(ptr %c, ptr %m, ptr %t) {
      %r = call i32 @pthread_cond_timedwait(ptr %c, ptr %m, ptr %t)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 4, i32 0
      ret i32 %s
    }
    define i32 @sem_init(ptr %s, i32 %shared, i32 %n) {
      call void @gw.init_semaphore(ptr %s, i32 %n)
      ret i32 0
    }
    define i32 @sem_trywait(ptr %s) {
      %r = call i32 @gw.try_take(ptr %s)
      %failed = icmp ne i32 %r, 0
      br i1 %failed, label %busy, label %done
    busy:
      %e = call ptr @__errno_location()
      store i32 11, ptr %e
      ret i32 -1
    done:
      ret i32 0
    }
    define i32 @sem_timedwait(ptr %s, ptr %t) {
      %r = call i32 @gw.try_take(ptr %s)
      %failed = icmp ne i32 %r, 0
      br i1 %failed, label %late, label %done
    late:
      %e = call ptr @__errno_location()
      store i32 110, ptr %e
      ret i32 -1
    done:
      ret i32 0
    }
    define i32 @sem_getvalue(ptr %s, ptr %n) {
      %v = load atomic i32, ptr %s monotonic, align 4
      store i32 %v, ptr %n
      ret i32 0
    }
    define i32 @pthread_once(ptr %o, ptr %f) {
      %first = call i32 @gw.begin_once(ptr %o)
      %runs = icmp ne i32 %first, 0
      br i1 %runs, label %run, label %done
    run:
      call void %f()
      call void @gw.end_once(ptr %o)
      br label %done
    done:
      ret i32 0
    }
    define void @call_once(ptr %o, ptr %f) {
      %r = call i32 @pthread_once(ptr %o, ptr %f)
      ret void
    }
    define i32 @pthread_equal(i64 %a, i64 %b) {
      %same = icmp eq i64 %a, %b
      %r = zext i1 %same to i32
      ret i32 %r
    }
    define i32 @thrd_equal(i64 %a, i64 %b) {
      %r = call i32 @pthread_equal(i64 %a, i64 %b)
      ret i32 %r
    }
    declare void @gw.sleep(ptr, ptr)
    declare i32 @gw.wake(ptr)
    declare i32 @gw.wake_or_time_out(ptr)
    declare i32 @pthread_mutex_lock(ptr)
    declare void @gw.init_semaphore(ptr, i32)
    declare i32 @gw.try_take(ptr)
    declare i32 @gw.begin_once(ptr)
    declare void @gw.end_once(ptr)

    """

  private static let grace = """
    define void @synchronize_rcu() {
      %m = call i64 @gw.start_grace()
      call void @gw.pass_grace(i64 %m)
      ret void
    }
    define void @synchronize_rcu_expedited() {
      call void @synchronize_rcu()
      ret void
    }
    define void @__VERIFIER_synchronize_rcu() {
      call void @synchronize_rcu()
      ret void
    }
    define void @call_rcu(ptr %head, ptr %f) {
      call i64 @gw.call_later(ptr %f, ptr %head)
      ret void
    }
    define void @gw_free_after_grace(ptr %p) {
      call i64 @gw.call_later(ptr @gw.free_now, ptr %p)
      ret void
    }
    define void @gw.free_now(ptr %p) {
      call void @free(ptr %p)
      ret void
    }
    define void @rcu_barrier() {
      %m = call i64 @gw.start_drain()
      call void @gw.pass_drain(i64 %m)
      ret void
    }
    declare i64 @gw.start_grace()
    declare void @gw.pass_grace(i64)
    declare i64 @gw.call_later(ptr, ptr)
    declare i64 @gw.start_drain()
    declare void @gw.pass_drain(i64)

    """

  private static let memory = """
    @gw.errno = internal thread_local global i32 0
    @gw.wide = internal thread_local global [4 x i64] zeroinitializer
    define ptr @__errno_location() {
      %p = call ptr @llvm.threadlocal.address.p0(ptr @gw.errno)
      ret ptr %p
    }
    define ptr @__error() {
      %p = call ptr @llvm.threadlocal.address.p0(ptr @gw.errno)
      ret ptr %p
    }
    define ptr @realloc(ptr %p, i64 %n) {
      %fresh = call ptr @malloc(i64 %n)
      %none = icmp eq ptr %p, null
      br i1 %none, label %done, label %copy
    copy:
      %old = call i64 @gw.size(ptr %p)
      %less = icmp ult i64 %old, %n
      %count = select i1 %less, i64 %old, i64 %n
      call ptr @memcpy(ptr %fresh, ptr %p, i64 %count)
      call void @free(ptr %p)
      br label %done
    done:
      ret ptr %fresh
    }
    define ptr @reallocarray(ptr %p, i64 %n, i64 %size) {
      %all = mul i64 %n, %size
      %r = call ptr @realloc(ptr %p, i64 %all)
      ret ptr %r
    }
    define i32 @posix_memalign(ptr %out, i64 %alignment, i64 %n) {
      %p = call ptr @malloc(i64 %n)
      store ptr %p, ptr %out
      ret i32 0
    }
    define ptr @kzalloc(i64 %n, i32 %flags) {
      %p = call ptr @calloc(i64 1, i64 %n)
      ret ptr %p
    }
    define ptr @kcalloc(i64 %n, i64 %size, i32 %flags) {
      %p = call ptr @calloc(i64 %n, i64 %size)
      ret ptr %p
    }
    declare ptr @llvm.threadlocal.address.p0(ptr)
    declare ptr @malloc(i64)
    declare ptr @calloc(i64, i64)
    declare void @free(ptr)
    declare ptr @memcpy(ptr, ptr, i64)
    declare i64 @gw.size(ptr)

    """

  private static let keys = """
    @gw.values = internal thread_local global [32 x ptr] zeroinitializer
    @gw.destructors = internal global [32 x ptr] zeroinitializer
    @gw.key_count = internal global i32 0
    define i32 @pthread_key_create(ptr %key, ptr %destructor) {
      %n = atomicrmw add ptr @gw.key_count, i32 1 seq_cst, align 4
      %fits = icmp ult i32 %n, 32
      br i1 %fits, label %there, label %full
    there:
      %i = zext i32 %n to i64
      %d = getelementptr [32 x ptr], ptr @gw.destructors, i64 0, i64 %i
      store atomic ptr %destructor, ptr %d seq_cst, align 8
      store i32 %n, ptr %key
      %v = call ptr @gw.value(i32 %n)
      ret i32 0
    full:
      ret i32 11
    }
    define ptr @gw.value(i32 %key) {
      %all = call ptr @llvm.threadlocal.address.p0(ptr @gw.values)
      %i = zext i32 %key to i64
      %v = getelementptr [32 x ptr], ptr %all, i64 0, i64 %i
      ret ptr %v
    }
    define i32 @pthread_key_delete(i32 %key) {
      %i = zext i32 %key to i64
      %d = getelementptr [32 x ptr], ptr @gw.destructors, i64 0, i64 %i
      store atomic ptr null, ptr %d seq_cst, align 8
      ret i32 0
    }
    define i32 @pthread_setspecific(i32 %key, ptr %value) {
      %v = call ptr @gw.value(i32 %key)
      store ptr %value, ptr %v
      ret i32 0
    }
    define ptr @pthread_getspecific(i32 %key) {
      %v = call ptr @gw.value(i32 %key)
      %r = load ptr, ptr %v
      ret ptr %r
    }
    define i32 @tss_create(ptr %key, ptr %destructor) {
      %r = call i32 @pthread_key_create(ptr %key, ptr %destructor)
      %failed = icmp ne i32 %r, 0
      %s = select i1 %failed, i32 2, i32 0
      ret i32 %s
    }
    define void @tss_delete(i32 %key) {
      %r = call i32 @pthread_key_delete(i32 %key)
      ret void
    }
    define i32 @tss_set(i32 %key, ptr %value) {
      %r = call i32 @pthread_setspecific(i32 %key, ptr %value)
      ret i32 %r
    }
    define ptr @tss_get(i32 %key) {
      %r = call ptr @pthread_getspecific(i32 %key)
      ret ptr %r
    }
    define void @gw.end_thread() {
    entry:
      br label %head
    head:
      %i = phi i32 [ 0, %entry ], [ %next, %tail ]
      %more = icmp ult i32 %i, 32
      br i1 %more, label %look, label %done
    look:
      %v = call ptr @gw.value(i32 %i)
      %value = load ptr, ptr %v
      %none = icmp eq ptr %value, null
      br i1 %none, label %tail, label %clear
    clear:
      store ptr null, ptr %v
      %w = zext i32 %i to i64
      %p = getelementptr [32 x ptr], ptr @gw.destructors, i64 0, i64 %w
      %f = load atomic ptr, ptr %p seq_cst, align 8
      %nothing = icmp eq ptr %f, null
      br i1 %nothing, label %tail, label %call
    call:
      call void %f(ptr %value)
      br label %tail
    tail:
      %next = add i32 %i, 1
      br label %head
    done:
      ret void
    }

    """
}
