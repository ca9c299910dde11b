// Names of the functions that the checker provides.
//
// A function that a program defines itself is used instead. What takes several steps is in
// `Runtime`, as code; a name that only stands for one step belongs here.

extension Builtin {
  private static let names: [String: Builtin] = [
    "__VERIFIER_assert_fail": .assertFail, "__assert_fail": .assertFail,
    "__assert_rtn": .assertFail, "__assert": .assertFail, "__VERIFIER_error": .fail,
    "reach_error": .fail, "abort": .abort, "pthread_self": .selfThread,
    "__VERIFIER_thread_self": .selfThread, "thrd_current": .selfThread, "pthread_exit": .exitThread,
    "__VERIFIER_thread_exit": .exitThread, "thrd_exit": .exitThread, "exit": .exitProcess,
    "_exit": .exitAtOnce, "_Exit": .exitAtOnce, "quick_exit": .exitQuickly,
    "pthread_mutex_lock": .lockTyped,
    "__VERIFIER_mutex_lock": .lock, "mtx_lock": .lockTyped, "pthread_spin_lock": .lock,
    "pthread_mutex_trylock": .tryLockTyped, "__VERIFIER_mutex_trylock": .tryLock,
    "pthread_spin_trylock": .tryLock, "pthread_mutex_unlock": .unlockTyped,
    "__VERIFIER_mutex_unlock": .unlock, "mtx_unlock": .unlockTyped, "pthread_spin_unlock": .unlock,
    "gw.init_mutex": .initMutex, "__VERIFIER_mutex_init": .initMutex,
    "pthread_spin_init": .initMutex, "pthread_mutex_destroy": .destroyMutex,
    "__VERIFIER_mutex_destroy": .destroyMutex, "mtx_destroy": .destroyMutex,
    "pthread_spin_destroy": .destroyMutex, "pthread_barrier_init": .initBarrier,
    "__VERIFIER_barrier_init": .initBarrier, "pthread_barrier_destroy": .destroyBarrier,
    "__VERIFIER_barrier_destroy": .destroyBarrier, "malloc": .allocate,
    "__VERIFIER_malloc": .allocate, "calloc": .allocateZeroed, "aligned_alloc": .allocateAligned,
    "memalign": .allocateAligned, "__VERIFIER_malloc_aligned": .allocateAligned, "free": .free,
    "__VERIFIER_free": .free, "__VERIFIER_assume": .assume, "gw_choose": .choose,
    "__VERIFIER_assume_internal": .assume, "__VERIFIER_opt_begin": .zero, "memcpy": .copyMemory,
    "memmove": .copyMemory, "memset": .setMemory, "printf": .print, "puts": .print,
    "putchar": .print, "fprintf": .print, "fflush": .zero, "vprintf": .print, "fwrite": .print,
    "fputs": .print, "perror": .print, "sched_yield": .zero, "usleep": .zero, "sleep": .zero,
    "nanosleep": .zero, "thrd_yield": .nothing, "srand": .nothing, "rand": .zero, "time": .zero,
    "pthread_attr_init": .zero, "pthread_attr_destroy": .zero, "pthread_attr_setdetachstate": .zero,
    "pthread_detach": .zero, "pthread_yield": .zero, "pthread_mutexattr_destroy": .zero,
    "thrd_detach": .zero, "thrd_sleep": .zero, "pthread_setconcurrency": .zero,
    "__VERIFIER_loop_begin": .nothing, "__VERIFIER_spin_start": .nothing,
    "__VERIFIER_spin_end": .assume, "__VERIFIER_annotate_begin": .nothing,
    "__VERIFIER_annotate_end": .nothing, "__VERIFIER_lkmm_fence": .nothing,
    "gw_violate": .violate, "gw_requires": .requires, "gw_hardware_step": .hardware,
    "__VERIFIER_atexit": .zero,
    // The kernel's names.
    "spin_lock": .lock, "spin_unlock": .unlock, "raw_spin_lock": .lock, "raw_spin_unlock": .unlock,
    "mutex_lock": .lock, "mutex_unlock": .unlock, "spin_lock_init": .initMutex,
    "mutex_init": .initMutex, "gw.try_lock": .tryLock, "gw.try_lock_typed": .tryLockTyped,
    "read_lock": .lockShared, "read_unlock": .unlockShared, "write_lock": .lockExclusive,
    "write_unlock": .unlockShared, "down_read": .lockShared, "up_read": .unlockShared,
    "down_write": .lockExclusive, "up_write": .unlockShared, "rwlock_init": .initShared,
    "init_rwsem": .initShared, "kmalloc": .allocate, "kfree": .free, "kvfree": .free,
    "printk": .print, "_printk": .print, "cond_resched": .zero, "schedule": .nothing,
    "smp_processor_id": .selfThread, "raw_smp_processor_id": .selfThread,
    // Read-copy update.
    "rcu_read_lock": .openSection, "rcu_read_unlock": .closeSection,
    "__rcu_read_lock": .openSection, "__rcu_read_unlock": .closeSection,
    "rcu_read_lock_bh": .openSection, "rcu_read_unlock_bh": .closeSection,
    "rcu_read_lock_sched": .openSection, "rcu_read_unlock_sched": .closeSection,
    "__VERIFIER_rcu_read_lock": .openSection, "__VERIFIER_rcu_read_unlock": .closeSection,
    "rcu_read_lock_held": .isInSection, "gw.start_grace": .startGrace, "gw.pass_grace": .passGrace,
    "gw.call_later": .callLater, "gw.start_drain": .startDrain, "gw.pass_drain": .passDrain,
    // Reader-writer locks, condition variables, semaphores.
    "pthread_rwlock_rdlock": .lockShared, "pthread_rwlock_wrlock": .lockExclusive,
    "pthread_rwlock_unlock": .unlockShared, "pthread_rwlock_init": .initShared,
    "pthread_rwlock_destroy": .destroyShared, "pthread_rwlock_tryrdlock": .tryLockShared,
    "pthread_rwlock_trywrlock": .tryLockExclusive, "pthread_rwlockattr_init": .zero,
    "pthread_rwlockattr_destroy": .zero, "gw.sleep": .sleep, "gw.wake": .wake,
    "gw.wake_or_time_out": .wakeOrTimeOut, "pthread_cond_signal": .signal,
    "pthread_cond_broadcast": .broadcast, "cnd_signal": .signal, "cnd_broadcast": .broadcast,
    "pthread_cond_init": .initCondition, "cnd_init": .initCondition,
    "pthread_cond_destroy": .destroyCondition, "cnd_destroy": .destroyCondition,
    "pthread_condattr_init": .zero, "pthread_condattr_destroy": .zero,
    "pthread_condattr_setclock": .zero, "sem_wait": .takeSemaphore, "sem_post": .postSemaphore,
    "gw.try_take": .tryTakeSemaphore, "gw.init_semaphore": .initSemaphore, "sem_destroy": .zero,
    "gw.begin_once": .beginOnce, "gw.end_once": .endOnce, "gw.size": .sizeOf,
    // Choices.
    "__VERIFIER_nondet_bool": .choosePair, "__VERIFIER_nondet__Bool": .choosePair,
    "__VERIFIER_nondet_int": .chooseNumber, "__VERIFIER_nondet_uint": .chooseNumber,
    "__VERIFIER_nondet_char": .chooseNumber, "__VERIFIER_nondet_uchar": .chooseNumber,
    "__VERIFIER_nondet_short": .chooseNumber, "__VERIFIER_nondet_ushort": .chooseNumber,
    "__VERIFIER_nondet_long": .chooseNumber, "__VERIFIER_nondet_ulong": .chooseNumber,
    "__VERIFIER_nondet_longlong": .chooseNumber, "__VERIFIER_nondet_ulonglong": .chooseNumber,
    "__VERIFIER_nondet_size_t": .chooseNumber, "__VERIFIER_nondet_unsigned": .chooseNumber,
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
