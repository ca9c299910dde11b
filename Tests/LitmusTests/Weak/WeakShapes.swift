// Shapes that tell memory models apart, and whether each model allows what they ask about.

import GracewalkLitmus
import GracewalkMachine

/// A test of the kernel's C, and the models that allow its condition.
struct WeakShape: Sendable {
  var name: String
  var processes: [String]
  var condition: String
  var allowed: [MemoryModel]

  init(_ name: String, _ processes: [String], _ condition: String, _ allowed: [MemoryModel]) {
    self.name = name
    self.processes = processes
    self.condition = condition
    self.allowed = allowed
  }

  var text: String {
    let arguments = "int *x, int *y, int *z, spinlock_t *s"
    let bodies = processes.enumerated().map { number, body in
      "P\(number)(\(arguments)) { int a; int b; int *p; \(body) }"
    }
    return (["C \(name)", "{ z=y; }"] + bodies + ["exists (\(condition))"])
      .joined(separator: "\n")
  }

  func observation(under model: MemoryModel) throws -> LitmusReport.Observation {
    var options = LitmusOptions()
    options.memoryModel = model
    return try LitmusTest(reading: text).check(options).observation
  }

  private static let writeXThenY = "WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1);"
  private static let fencedWrites = "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1);"
  private static let readYThenX = "a = READ_ONCE(*y); b = READ_ONCE(*x);"
  private static let readXThenY = "a = READ_ONCE(*x); b = READ_ONCE(*y);"
  private static let fencedReads = "a = READ_ONCE(*y); smp_rmb(); b = READ_ONCE(*x);"
  private static let fencedStoreBuffering = "WRITE_ONCE(*y, 1); smp_mb(); a = READ_ONCE(*x);"
  private static let releaseFive = "WRITE_ONCE(*x, 1); smp_store_release(y, 5);"
  private static let message = "1:a=1 /\\ 1:b=0"

  static let all = storeBuffering + messages + coherence + manyProcesses + synchronisation

  static let storeBuffering = [
    WeakShape(
      "SB", ["WRITE_ONCE(*x, 1); a = READ_ONCE(*y);", "WRITE_ONCE(*y, 1); a = READ_ONCE(*x);"],
      "0:a=0 /\\ 1:a=0", [.totalStoreOrder, .armv8]),
    WeakShape(
      "SB+mbs",
      [
        "WRITE_ONCE(*x, 1); smp_mb(); a = READ_ONCE(*y);",
        fencedStoreBuffering,
      ], "0:a=0 /\\ 1:a=0", []),
    WeakShape(
      "SB+failing-add-unless+mb",
      [
        "WRITE_ONCE(*x, 1); a = atomic_add_unless(y, 1, 0);",
        fencedStoreBuffering,
      ], "0:a=0 /\\ 1:a=0", [.totalStoreOrder, .armv8]),
    WeakShape(
      "SB+add-unless+mb",
      [
        "WRITE_ONCE(*x, 1); a = atomic_add_unless(y, 2, 3); b = READ_ONCE(*y);",
        fencedStoreBuffering,
      ], "0:b=2 /\\ 1:a=0 /\\ y=1", []),
    WeakShape(
      "MP+failing-add-unless",
      [
        releaseFive,
        "a = atomic_add_unless(y, 1, 5); b = READ_ONCE(*x);",
      ], "1:a=0 /\\ 1:b=0", [.armv8]),
    WeakShape(
      "MP+add-unless",
      [
        releaseFive,
        "a = atomic_add_unless(y, 1, 0); b = READ_ONCE(*x);",
      ], "1:a=1 /\\ 1:b=0", []),
    WeakShape(
      "MP+failing-cmpxchg",
      [
        releaseFive,
        "a = cmpxchg(y, 1, 2); b = READ_ONCE(*x);",
      ], "1:a=5 /\\ 1:b=0", []),
    WeakShape(
      "SB+releases+acquires",
      [
        "smp_store_release(x, 1); a = smp_load_acquire(y);",
        "smp_store_release(y, 1); a = smp_load_acquire(x);",
      ], "0:a=0 /\\ 1:a=0", [.totalStoreOrder]),
    WeakShape(
      "SB+xchgs", ["a = xchg(x, 1); b = READ_ONCE(*y);", "a = xchg(y, 1); b = READ_ONCE(*x);"],
      "0:b=0 /\\ 1:b=0", []),
    WeakShape(
      "SB+relaxed-xchgs",
      [
        "a = xchg_relaxed(x, 1); b = READ_ONCE(*y);",
        "a = xchg_relaxed(y, 1); b = READ_ONCE(*x);",
      ], "0:b=0 /\\ 1:b=0", [.armv8]),
    WeakShape(
      "R", [writeXThenY, "WRITE_ONCE(*y, 2); a = READ_ONCE(*x);"], "y=2 /\\ 1:a=0",
      [.totalStoreOrder, .armv8]),
    WeakShape(
      "R+mbs",
      [
        "WRITE_ONCE(*x, 1); smp_mb(); WRITE_ONCE(*y, 1);",
        "WRITE_ONCE(*y, 2); smp_mb(); a = READ_ONCE(*x);",
      ], "y=2 /\\ 1:a=0", []),
  ]

  static let messages = [
    WeakShape("MP", [writeXThenY, readYThenX], message, [.armv8]),
    WeakShape("MP+wmb+po", [fencedWrites, readYThenX], message, [.armv8]),
    WeakShape("MP+po+rmb", [writeXThenY, fencedReads], message, [.armv8]),
    WeakShape("MP+wmb+rmb", [fencedWrites, fencedReads], message, []),
    WeakShape(
      "MP+release+acquire",
      [
        "WRITE_ONCE(*x, 1); smp_store_release(y, 1);",
        "a = smp_load_acquire(y); b = READ_ONCE(*x);",
      ], message, []),
    WeakShape(
      "MP+wmb+control", [fencedWrites, "a = READ_ONCE(*y); if (a) { b = READ_ONCE(*x); }"],
      "1:a=1 /\\ 1:b=0", [.armv8]),
    WeakShape(
      "MP+wmb+address",
      [
        "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*z, x);",
        "p = rcu_dereference(*z); b = READ_ONCE(*p);",
      ], "1:p=x /\\ 1:b=0", []),
    WeakShape(
      "MP+po+address",
      ["WRITE_ONCE(*x, 1); WRITE_ONCE(*z, x);", "p = rcu_dereference(*z); b = READ_ONCE(*p);"],
      "1:p=x /\\ 1:b=0", [.armv8]),
    WeakShape(
      "MP+assign-pointer+address",
      [
        "WRITE_ONCE(*x, 1); rcu_assign_pointer(*z, x);",
        "p = rcu_dereference(*z); b = READ_ONCE(*p);",
      ], "1:p=x /\\ 1:b=0", []),
  ]

  static let coherence = [
    // Load buffering is what the model for Armv8 leaves out.
    WeakShape(
      "LB", ["a = READ_ONCE(*x); WRITE_ONCE(*y, 1);", "a = READ_ONCE(*y); WRITE_ONCE(*x, 1);"],
      "0:a=1 /\\ 1:a=1", []),
    WeakShape(
      "S",
      ["WRITE_ONCE(*x, 2); WRITE_ONCE(*y, 1);", "a = READ_ONCE(*y); WRITE_ONCE(*x, 1);"],
      "x=2 /\\ 1:a=1", [.armv8]),
    WeakShape(
      "S+wmb+po",
      [
        "WRITE_ONCE(*x, 2); smp_wmb(); WRITE_ONCE(*y, 1);",
        "a = READ_ONCE(*y); WRITE_ONCE(*x, 1);",
      ], "x=2 /\\ 1:a=1", []),
    WeakShape(
      "2+2W",
      ["WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 2);", "WRITE_ONCE(*y, 1); WRITE_ONCE(*x, 2);"],
      "x=1 /\\ y=1", [.armv8]),
    WeakShape(
      "2+2W+wmbs",
      [
        "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 2);",
        "WRITE_ONCE(*y, 1); smp_wmb(); WRITE_ONCE(*x, 2);",
      ], "x=1 /\\ y=1", []),
    WeakShape(
      "CoRR", ["WRITE_ONCE(*x, 1);", "a = READ_ONCE(*x); b = READ_ONCE(*x);"], message, []),
    WeakShape(
      "CoWR", ["WRITE_ONCE(*x, 1); a = READ_ONCE(*x);", "WRITE_ONCE(*x, 2);"], "0:a=0", []),
  ]

  static let manyProcesses = [
    WeakShape(
      "IRIW", ["WRITE_ONCE(*x, 1);", "WRITE_ONCE(*y, 1);", readXThenY, readYThenX],
      "2:a=1 /\\ 2:b=0 /\\ 3:a=1 /\\ 3:b=0", [.armv8]),
    WeakShape(
      "IRIW+rmbs",
      [
        "WRITE_ONCE(*x, 1);", "WRITE_ONCE(*y, 1);",
        "a = READ_ONCE(*x); smp_rmb(); b = READ_ONCE(*y);", fencedReads,
      ], "2:a=1 /\\ 2:b=0 /\\ 3:a=1 /\\ 3:b=0", []),
    WeakShape(
      "WRC", ["WRITE_ONCE(*x, 1);", "a = READ_ONCE(*x); WRITE_ONCE(*y, 1);", readYThenX],
      "1:a=1 /\\ 2:a=1 /\\ 2:b=0", [.armv8]),
    WeakShape(
      "WRC+po+rmb", ["WRITE_ONCE(*x, 1);", "a = READ_ONCE(*x); WRITE_ONCE(*y, 1);", fencedReads],
      "1:a=1 /\\ 2:a=1 /\\ 2:b=0", []),
    WeakShape(
      "ISA2+wmb+po+rmb",
      [
        fencedWrites, "a = READ_ONCE(*y); WRITE_ONCE(*s, 1);",
        "a = READ_ONCE(*s); smp_rmb(); b = READ_ONCE(*x);",
      ], "1:a=1 /\\ 2:a=1 /\\ 2:b=0", []),
    WeakShape(
      "ISA2",
      [
        writeXThenY, "a = READ_ONCE(*y); WRITE_ONCE(*s, 1);",
        "a = READ_ONCE(*s); smp_rmb(); b = READ_ONCE(*x);",
      ], "1:a=1 /\\ 2:a=1 /\\ 2:b=0", [.armv8]),
    WeakShape(
      "RWC", ["WRITE_ONCE(*x, 1);", readXThenY, "WRITE_ONCE(*y, 1); a = READ_ONCE(*x);"],
      "1:a=1 /\\ 1:b=0 /\\ 2:a=0", [.totalStoreOrder, .armv8]),
  ]

  static let synchronisation = [
    WeakShape(
      "RCU+MP",
      [
        "rcu_read_lock(); a = READ_ONCE(*y); b = READ_ONCE(*x); rcu_read_unlock();",
        "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);",
      ], "0:a=1 /\\ 0:b=0", []),
    WeakShape(
      "RCU+deferred-free",
      [
        "rcu_read_lock(); a = READ_ONCE(*x); b = READ_ONCE(*y); rcu_read_unlock();",
        "WRITE_ONCE(*x, 1); synchronize_rcu(); WRITE_ONCE(*y, 1);",
      ], "0:a=0 /\\ 0:b=1", []),
    WeakShape(
      "RCU+SB-inside",
      [
        "rcu_read_lock(); WRITE_ONCE(*x, 1); a = READ_ONCE(*y); rcu_read_unlock();",
        "rcu_read_lock(); WRITE_ONCE(*y, 1); a = READ_ONCE(*x); rcu_read_unlock();",
      ], "0:a=0 /\\ 1:a=0", [.totalStoreOrder, .armv8]),
    WeakShape(
      "MP+locks",
      [
        "spin_lock(s); WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1); spin_unlock(s);",
        "spin_lock(s); a = READ_ONCE(*y); b = READ_ONCE(*x); spin_unlock(s);",
      ], message, []),
    WeakShape(
      "SB+unlocks",
      [
        "spin_lock(s); WRITE_ONCE(*x, 1); spin_unlock(s); a = READ_ONCE(*y);",
        fencedStoreBuffering,
      ], "0:a=0 /\\ 1:a=0", [.totalStoreOrder, .armv8]),
  ]
}
