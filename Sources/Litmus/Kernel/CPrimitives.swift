// Names of the kernel's primitives, by what they are.

enum CPrimitives {
  /// Loads that name what they read, as in `READ_ONCE(*x)`.
  static let loadsOfPlaces: [String: AccessOrder] = [
    "READ_ONCE": .relaxed, "ACCESS_ONCE": .relaxed, "rcu_dereference": .relaxed,
    "rcu_dereference_check": .relaxed, "rcu_dereference_raw": .relaxed,
    "rcu_dereference_protected": .relaxed, "srcu_dereference": .relaxed,
    "rcu_access_pointer": .relaxed, "lockless_dereference": .relaxed,
  ]

  /// Stores that name what they write; a full one is followed by a fence.
  static let storesToPlaces: [String: AccessOrder] = [
    "WRITE_ONCE": .relaxed, "RCU_INIT_POINTER": .relaxed, "rcu_assign_pointer": .release,
    "smp_store_mb": .full,
  ]

  /// Loads by address.
  static let loads: [String: AccessOrder] = [
    "smp_load_acquire": .acquire, "atomic_read": .relaxed, "atomic_read_acquire": .acquire,
    "atomic_load": .full,
  ]

  /// Stores by address.
  static let stores: [String: AccessOrder] = [
    "smp_store_release": .release, "atomic_set": .relaxed, "atomic_set_release": .release,
    "atomic_store": .full,
  ]

  static let fences: [String: Fence] = [
    "smp_mb": .full, "mb": .full, "smp_mb__before_atomic": .full, "smp_mb__after_atomic": .full,
    "smp_mb__before_spinlock": .full, "smp_mb__after_spinlock": .full,
    "smp_mb__after_unlock_lock": .full, "smp_mb__after_srcu_read_unlock": .full,
    "smp_rmb": .loads, "rmb": .loads, "smp_wmb": .stores, "wmb": .stores,
  ]

  static let withoutMeaning: Set<String> = [
    "smp_read_barrier_depends", "barrier", "cpu_relax", "kfree", "WARN_ON", "WARN_ON_ONCE",
    "BUG_ON", "assert", "cond_resched", "preempt_disable", "preempt_enable",
  ]

  /// Orders of C11, as numbers that stand for them among arguments.
  static let orders: [String: UInt64] = [
    "memory_order_relaxed": 0, "memory_order_consume": 0, "memory_order_acquire": 1,
    "memory_order_release": 2, "memory_order_acq_rel": 3, "memory_order_seq_cst": 4,
  ]

  static func order(_ number: UInt64) -> AccessOrder? {
    let orders: [AccessOrder] = [.relaxed, .acquire, .release, .acquireRelease, .full]
    return number < UInt64(orders.count) ? orders[Int(number)] : nil
  }

  /// The name that primitives for other types have in common with those for `atomic_t`.
  static func common(_ name: String) -> String {
    for prefix in ["atomic64_", "atomic_long_", "raw_atomic_", "arch_atomic_"]
    where name.hasPrefix(prefix) {
      return "atomic_" + name.dropFirst(prefix.count)
    }
    return name.hasPrefix("__") ? String(name.dropFirst(2)) : name
  }

  /// The name without the order that it ends with, and the order.
  static func order(of name: String) -> (String, AccessOrder) {
    for (suffix, order) in [
      ("_relaxed", AccessOrder.relaxed), ("_acquire", .acquire), ("_release", .release),
    ] where name.hasSuffix(suffix) {
      return (String(name.dropLast(suffix.count)), order)
    }
    return (name, .full)
  }
}
