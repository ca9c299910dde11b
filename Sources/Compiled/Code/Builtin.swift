// Functions that the checker provides.

/// What a call of a function that is not in the program does.
enum Builtin: String {
  case assertFail, fail, abort
  case create, join, selfThread, exitThread, exitProcess
  case lock, tryLock, unlock, initMutex, destroyMutex
  case initBarrier, arrive, passBarrier, destroyBarrier
  case allocate, allocateZeroed, allocateAligned, free
  case assume, choose, nothing, zero, first
  case awaitLoad, awaitExchange
  case copyMemory, setMemory
  case minimumSigned, maximumSigned, minimumUnsigned, maximumUnsigned, absolute
  case countLeadingZeros, countTrailingZeros, countOnes, swapBytes
  case threadLocal, objectSize

  private static let names: [String: Builtin] = [
    "__VERIFIER_assert_fail": .assertFail, "__assert_fail": .assertFail,
    "__assert_rtn": .assertFail, "__assert": .assertFail,
    "__VERIFIER_error": .fail, "reach_error": .fail, "abort": .abort,
    "pthread_self": .selfThread, "__VERIFIER_thread_self": .selfThread, "thrd_current": .selfThread,
    "pthread_exit": .exitThread, "__VERIFIER_thread_exit": .exitThread, "thrd_exit": .exitThread,
    "exit": .exitProcess, "_exit": .exitProcess, "quick_exit": .exitProcess,
    "pthread_mutex_lock": .lock, "__VERIFIER_mutex_lock": .lock, "mtx_lock": .lock,
    "pthread_spin_lock": .lock, "pthread_mutex_trylock": .tryLock,
    "__VERIFIER_mutex_trylock": .tryLock, "mtx_trylock": .tryLock, "pthread_spin_trylock": .tryLock,
    "pthread_mutex_unlock": .unlock, "__VERIFIER_mutex_unlock": .unlock, "mtx_unlock": .unlock,
    "pthread_spin_unlock": .unlock, "pthread_mutex_init": .initMutex,
    "__VERIFIER_mutex_init": .initMutex, "mtx_init": .initMutex, "pthread_spin_init": .initMutex,
    "pthread_mutex_destroy": .destroyMutex, "__VERIFIER_mutex_destroy": .destroyMutex,
    "mtx_destroy": .destroyMutex, "pthread_spin_destroy": .destroyMutex,
    "pthread_barrier_init": .initBarrier, "__VERIFIER_barrier_init": .initBarrier,
    "pthread_barrier_destroy": .destroyBarrier, "__VERIFIER_barrier_destroy": .destroyBarrier,
    "malloc": .allocate, "__VERIFIER_malloc": .allocate, "calloc": .allocateZeroed,
    "aligned_alloc": .allocateAligned, "memalign": .allocateAligned,
    "__VERIFIER_malloc_aligned": .allocateAligned, "free": .free, "__VERIFIER_free": .free,
    "__VERIFIER_assume": .assume, "gw_choose": .choose,
    "__VERIFIER_assume_internal": .assume, "__VERIFIER_nondet_int": .zero,
    "__VERIFIER_nondet_uint": .zero, "__VERIFIER_opt_begin": .zero,
    "memcpy": .copyMemory, "memmove": .copyMemory, "memset": .setMemory,
    "printf": .zero, "puts": .zero, "putchar": .zero, "fprintf": .zero, "fflush": .zero,
    "fwrite": .zero, "fputs": .zero, "perror": .nothing, "sched_yield": .zero, "usleep": .zero,
    "sleep": .zero, "nanosleep": .zero, "thrd_yield": .nothing, "srand": .nothing, "rand": .zero,
    "time": .zero, "pthread_attr_init": .zero, "pthread_attr_destroy": .zero,
    "pthread_attr_setdetachstate": .zero, "pthread_detach": .zero, "pthread_yield": .zero,
    "pthread_mutexattr_init": .zero, "pthread_mutexattr_destroy": .zero,
    "pthread_setconcurrency": .zero, "__VERIFIER_loop_begin": .nothing,
    "__VERIFIER_spin_start": .nothing, "__VERIFIER_spin_end": .assume,
    "__VERIFIER_annotate_begin": .nothing, "__VERIFIER_annotate_end": .nothing,
    "__VERIFIER_lkmm_fence": .nothing, "__VERIFIER_rcu_read_lock": .nothing,
    "__VERIFIER_rcu_read_unlock": .nothing, "__VERIFIER_atexit": .zero, "atexit": .zero,
  ]

  /// The beginnings of names of intrinsics.
  private static let intrinsics: [(prefix: String, builtin: Builtin)] = [
    ("dbg", .nothing), ("lifetime", .nothing), ("assume", .nothing), ("donothing", .nothing),
    ("experimental.noalias", .nothing), ("invariant", .nothing), ("prefetch", .nothing),
    ("sideeffect", .nothing), ("stackrestore", .nothing), ("stacksave", .zero),
    ("var.annotation", .nothing), ("va_", .nothing),
    ("memcpy", .copyMemory), ("memmove", .copyMemory), ("memset", .setMemory),
    ("smin", .minimumSigned), ("smax", .maximumSigned), ("umin", .minimumUnsigned),
    ("umax", .maximumUnsigned), ("abs", .absolute), ("ctlz", .countLeadingZeros),
    ("cttz", .countTrailingZeros), ("ctpop", .countOnes), ("bswap", .swapBytes),
    ("expect", .first), ("annotation", .first), ("ptr.annotation", .first),
    ("launder", .first), ("strip", .first), ("ssa.copy", .first), ("is.constant", .zero),
    ("threadlocal.address", .threadLocal), ("objectsize", .objectSize), ("trap", .abort),
    ("debugtrap", .abort), ("ubsantrap", .abort),
  ]

  /// The builtin with a name, or nil.
  init?(named name: String) {
    if name.hasPrefix("llvm.") {
      let rest = name.dropFirst(5)
      guard let known = Self.intrinsics.first(where: { rest.hasPrefix($0.prefix) }) else {
        return nil
      }
      self = known.builtin
      return
    }
    if name == "__VERIFIER_xchg_await_aint" {
      self = .awaitExchange
    } else if name == "__VERIFIER_load_await_aint" {
      self = .awaitLoad
    } else if let known = Self.names[name] {
      self = known
    } else {
      return nil
    }
  }
}
